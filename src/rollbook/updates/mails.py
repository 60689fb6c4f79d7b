"""Queue an email for each recipient of an event, such as an update's end, and build its content.

``rollbook.mail.outbox`` sends the emails and retries.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from operator import attrgetter

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from rollbook.accounts.email_choice import EmailChoice
from rollbook.accounts.managers import district_managers
from rollbook.accounts.models import Member
from rollbook.mail import outbox
from rollbook.updates import watching
from rollbook.updates.mail_content import plan_content, result_content
from rollbook.updates.models import ResultMail, UpdateEvent, UpdateJob
from rollbook.updates.planning.held_in_a_row import ALARMING, held_in_a_row
from rollbook.updates.problem_store import count_warnings
from rollbook.updates.reporting.report import report
from rollbook.updates.state_machine import EXPIRED, PLAN_WAITING, REPLACED, UNFINISHED, State

_URGENT = (State.CHECKED, State.HELD, State.REFUSED, State.FAILED)
_PLAN_STATES = (State.CHECKED, State.HELD, State.DISCARDED)


def queue_result_mails() -> int:
    """Queue the emails of all events that have none; return the number of events.

    Updates that an older version has ended have no event.
    """
    events = UpdateEvent.objects.filter(mails_queued_at=None).select_related("update")
    unqueued = list(events.order_by("pk"))
    for event in unqueued:
        _queue_for_event(event)
    ended = UpdateJob.objects.exclude(state__in=UNFINISHED).filter(
        mails_queued_at=None, updateevent=None
    )
    without_event = list(ended)
    for update in without_event:
        _queue(update, None, _recipients(update))
    return len(unqueued) + len(without_event)


def send_due() -> int:
    """Try to send every email that is due; return how many were tried.

    Emails of a suspended district wait until it is resumed.
    """
    mails = ResultMail.objects.filter(update__district__suspended_at=None)
    related = mails.select_related("update__district", "update__member", "event", "member")
    return outbox.send_due(related, message)


def message(mail: ResultMail) -> EmailMultiAlternatives:
    """Build the email. It has no names, birth dates, IDs or passwords of students.

    Raises:
        MailObsolete: Nobody needs it: the plan no longer waits, or the sender saw the result.
    """
    _require_unseen(mail)
    is_plan = mail.event is not None and mail.event.state in _PLAN_STATES
    if is_plan:
        _require_current(mail)
    write = plan_content if is_plan else result_content
    message_id = f"update-{mail.update_id}.mail-{mail.pk}"
    return outbox.render_message(mail, write(report(mail.update), mail.update), message_id)


def _require_current(mail: ResultMail) -> None:
    """Give up an email that asks for a decision after somebody has decided.

    Raises:
        MailObsolete: The plan no longer waits.
    """
    event, update = mail.event, mail.update
    if event and event.state in PLAN_WAITING and not update.needs_decision:
        raise outbox.MailObsolete


def _require_unseen(mail: ResultMail) -> None:
    """Give up an email to the sender of a file who watched its update to the end.

    Raises:
        MailObsolete: The sender saw the result.
    """
    event, update = mail.event, mail.update
    is_watchable = watching.is_watchable(update, event, mail.member)
    if event and is_watchable and watching.was_watched(update, event):
        raise outbox.MailObsolete


def _queue_for_event(event: UpdateEvent) -> None:
    with transaction.atomic():
        unqueued = UpdateEvent.objects.filter(pk=event.pk, mails_queued_at=None)
        if not unqueued.update(mails_queued_at=timezone.now()):
            return
        if event.state in UNFINISHED:
            _create(event.update, event, _recipients_of_plan(event))
        else:
            _queue(event.update, event, _recipients_of_plan(event))


def _queue(update: UpdateJob, event: UpdateEvent | None, members: Iterable[Member]) -> None:
    """Queue the emails about the end of an update, unless an older version has done so."""
    with transaction.atomic(savepoint=False):
        unqueued = UpdateJob.objects.filter(pk=update.pk, mails_queued_at=None)
        if unqueued.update(mails_queued_at=timezone.now()):
            _create(update, event, members)


def _create(update: UpdateJob, event: UpdateEvent | None, members: Iterable[Member]) -> None:
    """Queue an email to each of the members who want it.

    That to the sender waits until it is known whether they have seen the result on the page.
    """
    now = timezone.now()
    is_urgent, needs_person = _importance(update, event)
    for member in list(members):
        choice = EmailChoice(member.update_emails)
        if not choice.wants(is_urgent=is_urgent, needs_person=needs_person):
            continue
        wait = watching.GRACE if watching.is_watchable(update, event, member) else timedelta()
        ResultMail.objects.create(
            update=update, event=event, member=member, queued_at=now, next_attempt_at=now + wait
        )


def _importance(update: UpdateJob, event: UpdateEvent | None) -> tuple[bool, bool]:
    """Return whether a whole file wasn't applied, and whether there is something to look at."""
    state = event.state if event else update.state
    is_expired = state == State.DISCARDED and update.discard_reason == EXPIRED
    has_problems = update.with_errors or count_warnings(update.problem_counts) > 0
    return is_expired or state in _URGENT, has_problems or state == State.CANCELED


def _recipients_of_plan(event: UpdateEvent) -> Iterator[Member]:
    """Return who gets the email about an event.

    A dry run concerns only the person who started it, and about a plan that was replaced the
    newer update sends its own email. If nobody receives the results of a district, or several
    files in a row are held, the district managers hear of it.
    """
    update = event.update
    if update.discard_reason == REPLACED:
        return
    if update.is_check and event.state in _PLAN_STATES:
        chosen = [update.member_id, *(update.notified or [])]
        yield from Member.objects.filter(district=update.district_id, pk__in=chosen, is_active=True)
        return
    recipients = set(_recipients(update))
    if event.state == State.HELD and (not recipients or held_in_a_row(update) >= ALARMING):
        recipients |= set(district_managers(update.district))
    yield from sorted(recipients, key=attrgetter("pk"))


def _recipients(update: UpdateJob) -> Iterator[Member]:
    """Return the active members who get the emails about an update.

    They started it, receive all results of the district, or were named when it was started.
    """
    members = Member.objects.filter(district=update.district_id, is_active=True)
    chosen = Q(pk=update.member_id) | Q(pk__in=update.notified or [])
    return members.filter(Q(receives_results=True) | chosen).iterator()
