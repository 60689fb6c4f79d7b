"""List what needs attention: each a sentence with a link to where something can be done."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse

from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.token_expiry import NOTICE_TIME
from rollbook.accounts.permissions import Permission
from rollbook.districts.local_dates import local_date
from rollbook.students.manual import transfers
from rollbook.text import count_of, format_date, format_datetime
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.receiving.receive import SOURCE_BROWSER
from rollbook.updates.reporting.history import LatestUpdates
from rollbook.updates.reporting.overview import MISSING_AFTER
from rollbook.updates.state_machine import State
from rollbook.web.pages.base.view import PageRequest

MAX_TOKENS_NAMED = 3
BY_HAND_FOR = timedelta(days=7)
"""For how long rejected rows of a file that was sent by hand need attention."""


@dataclass(frozen=True)
class Item:
    """Something that needs attention.

    Attributes:
        sign: The badge, a word of ``BADGES``.
        label: The text of the link.
        address: Where it leads.
        more: What follows the link; may be empty.
    """

    sign: str
    label: str
    address: str
    more: str = ""


def items_of(page_request: PageRequest, latest: LatestUpdates, *, is_scheduled: bool) -> list[Item]:
    """Return what needs attention, the most urgent first.

    Args:
        page_request: The request.
        latest: The latest updates.
        is_scheduled: Whether the district has set when files are expected; then Home itself says
            that one is missing.
    """
    found = [*_plans(page_request, latest)]
    if not is_scheduled:
        found += _silence(page_request, latest)
    found += [*_rejected(page_request), *_transfers(page_request), *_tokens(page_request)]
    return found


def _plans(page_request: PageRequest, latest: LatestUpdates) -> Iterator[Item]:
    """Yield the plans that somebody can apply; a dry run that changes nothing can't be."""
    for update in latest.plans:
        plan = PlanStatus.of(update)
        if update.is_check and plan and not plan.summary.changes_anything:
            continue
        is_held = update.state == State.HELD
        word = "held" if is_held else "checked"
        until = format_datetime(update.discard_at, page_request.district.time_zone)
        more = f", until {until}" if until else ""
        label = f"Decide about update {update.number}"
        yield Item(word, label, _address(update), f"{update.file_name[:40]}{more}")


def _silence(page_request: PageRequest, latest: LatestUpdates) -> Iterator[Item]:
    """Yield that no file has arrived for a while, whatever became of the last one."""
    received_at = latest.received_at
    if latest.has_feed and received_at and page_request.now - received_at > MISSING_AFTER:
        day = format_date(local_date(page_request.district, received_at))
        label = f"No file has arrived from your script since {day}"
        yield Item("warning", label, reverse("automation"))


def _rejected(page_request: PageRequest) -> Iterator[Item]:
    """Yield the rejected rows of the last file of the feed, and of a recent one sent by hand."""
    completed = UpdateJob.objects.filter(
        district=page_request.district, state=State.COMPLETED, corrects=None, undoes=None
    ).order_by("-number")
    recent = completed.filter(received_at__gte=page_request.now - BY_HAND_FOR)
    for updates in (
        completed.exclude(source=SOURCE_BROWSER),
        recent.filter(source=SOURCE_BROWSER),
    ):
        update = updates.first()
        count = _count_unfixed(update) if update else 0
        if update and count > 0:
            label = f"Fix {count_of(count, 'rejected row')} of update {update.number}"
            yield Item("error", label, f"{_address(update)}?show=rejected#rows")


def _count_unfixed(update: UpdateJob) -> int:
    """Return how many of its rejected rows no later update has fixed."""
    corrections = update.updatejob_set.filter(state=State.COMPLETED)
    fixed = sum(each.settled for each in corrections)
    return update.rows_rejected - fixed


def _transfers(page_request: PageRequest) -> Iterator[Item]:
    if not page_request.may(Permission.EDIT_STUDENTS):
        return
    if count := transfers.count_pending(page_request.member):
        are = "is" if count == 1 else "are"
        more = f"{'It' if count == 1 else 'They'} {are} waiting for a school."
        yield Item("pending", f"Complete {count_of(count, 'transfer')}", reverse("transfers"), more)


def _tokens(page_request: PageRequest) -> Iterator[Item]:
    """Yield the tokens that expire soon: those of the district for people who manage staff."""
    now, district = page_request.now, page_request.district
    soon = now + NOTICE_TIME
    if page_request.may(Permission.MANAGE_STAFF) and page_request.member.role.is_district_wide:
        tokens, address = api_tokens.active_in(district, now), reverse("staff-tokens")
    else:
        tokens, address = api_tokens.active_tokens(page_request.member, now), reverse("tokens")
    expiring = tokens.filter(expires_at__lte=soon).order_by("expires_at")
    for token in expiring[:MAX_TOKENS_NAMED]:
        day = format_date(local_date(district, token.expires_at))
        yield Item("warning", f"Replace the token {token.name}", address, f"It expires {day}.")


def _address(update: UpdateJob) -> str:
    return reverse("update", args=[update.number])
