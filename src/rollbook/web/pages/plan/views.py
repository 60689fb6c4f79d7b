"""Show the plan of an update that waits, and approve or discard it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.students import recognition
from rollbook.text import count_of
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider, NotDecided
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.receiving import drafts
from rollbook.updates.reporting import plan_review, rows, timeline
from rollbook.updates.reporting.report import Report, find, report
from rollbook.updates.reporting.state_words import badge_words
from rollbook.updates.state_machine import PLAN_WAITING
from rollbook.web.pages.base.page_number import page_number
from rollbook.web.pages.base.view import POST, PageRequest, member_page
from rollbook.web.pages.mapping.result_columns import ResultColumns, columns_of_update
from rollbook.web.pages.plan import page_data
from rollbook.web.pages.plan.forms import DecisionForm, InvalidDecision
from rollbook.web.pages.plan.mode_words import ModeChoice, mode_choice
from rollbook.web.pages.plan.plan_words import effect, lead_sentence, next_step, undo_sentence

CONFLICT, FORBIDDEN = 409, 403
EMPTY = DecisionForm()


def is_undecided(update: UpdateJob) -> bool:
    """Return whether the update has a plan about which a person can decide."""
    return update.state in PLAN_WAITING and update.decided_at is None


def render_plan(
    page_request: PageRequest,
    update: UpdateJob,
    form: DecisionForm = EMPTY,
    status: int = 200,
    columns: ResultColumns | None = None,
) -> HttpResponse:
    """Render the page of a plan that waits.

    Args:
        page_request: The request.
        update: The update.
        form: What was submitted, if it can't be done.
        status: The status of the response.
        columns: The columns of the file, with the form that was submitted; None: none was.
    """
    current = report(update)
    plan = current.plan
    if plan is None:
        raise AssertionError(f"{update} waits without a plan")
    samples = plan_review.find_samples(update)
    problems = page_data.problems_of(update, current.groups, confidential=False)
    shown = rows.students_shown(update, samples.rows)
    named = recognition.students_named(update.district_id, page_data.values_in(problems))
    page_request.audit("update", "seen", f"update {update.number}", {*shown, *named})
    context = {
        "report": current,
        "plan": plan,
        "form": form,
        "columns": columns or columns_of_update(page_request, update),
        "set_back": plan.summary.district.changed - plan.summary.district.deactivated,
        "samples": samples,
        "state": badge_words(current).word,
        "out_of_date": plan_review.count_out_of_date(update),
        "timeline": timeline.timeline(update),
        "mails": timeline.result_mails(update),
        "file": timeline.describe_file(update),
        "repairs": _repairs(page_request, update),
        "problems": problems,
        "choice": _mode_choice(update, plan),
        **_by_school(update, current, form, page_number(page_request)),
        **_decision(page_request, update, plan),
    }
    return page_request.render("plan/detail.html", context, status)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def approve(page_request: PageRequest, number: int) -> HttpResponse:
    """Approve a plan, or apply a dry run; all of it, or without some schools."""
    form = DecisionForm.of(page_request.request.POST)
    found = find(page_request.district, number)
    update = page_request.require(found, "approve update", f"update {number}")
    if is_undecided(update) and not page_request.may(decisions.needed_permission(update)):
        page_request.audit("approve update", "not allowed", f"update {number}")
        page_request.error("Your role can't approve updates. Nothing was decided.")
        return render_plan(page_request, update, form, FORBIDDEN)

    def decide(by: Decider) -> str:
        form.require_clear()
        decisions.approve(
            page_request.district, number, form.digest, by, page_request.now, form.without
        )
        left_out = f" without {count_of(len(form.without), 'school')}" if form.without else ""
        return f"Update {number} approved{left_out}."

    return _decided(page_request, update, form, "approve update", decide)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def discard(page_request: PageRequest, number: int) -> HttpResponse:
    """Discard a plan."""
    form = DecisionForm.of(page_request.request.POST)
    found = find(page_request.district, number)
    update = page_request.require(found, "discard update", f"update {number}")

    def decide(by: Decider) -> str:
        decisions.discard(page_request.district, number, form.digest, by, page_request.now)
        return f"Update {number} discarded. Nothing was applied."

    return _decided(page_request, update, form, "discard update", decide)


def _decided(
    page_request: PageRequest,
    update: UpdateJob,
    form: DecisionForm,
    action: str,
    decide: Callable[[Decider], str],
) -> HttpResponse:
    """Decide, and redirect to the update; or explain why that can't be done."""
    try:
        done = decide(Decider(page_request.member, note=form.note))
    except (NotDecided, InvalidDecision) as refused:
        code = refused.code if isinstance(refused, NotDecided) else "unclear"
        page_request.audit(action, code, f"update {update.number}")
        page_request.error(_sentence(str(refused)))
        update.refresh_from_db()
        if is_undecided(update):
            return render_plan(page_request, update, form, CONFLICT)
    else:
        page_request.success(done)
    return page_request.redirect("update", update.number)


def _mode_choice(update: UpdateJob, plan: PlanStatus) -> ModeChoice | None:
    """Return the mode of a dry run whose file can be checked again; None for other plans."""
    if not drafts.can_check_again(update):
        return None
    return mode_choice(update, plan.summary.district)


def _repairs(page_request: PageRequest, update: UpdateJob) -> list[page_data.Repair]:
    may_map = page_request.may(Permission.MANAGE_SETTINGS)
    return page_data.repairs_of(update) if may_map and not update.file_removed_at else []


def _by_school(update: UpdateJob, current: Report, form: DecisionForm, page: int) -> dict[str, Any]:
    plan = current.plan
    if plan is None:
        return {}
    names = page_data.school_names(update)
    if update.undoes_id:
        sentence = undo_sentence(plan)
    else:
        sentence = lead_sentence(plan, names, current.unchanged)
    return {
        "sentence": sentence,
        "reasons": page_data.reasons_of(plan, names),
        "table": page_data.school_table(plan, names, page),
        "choices": page_data.choices(plan, names, form.chosen),
    }


def _decision(page_request: PageRequest, update: UpdateJob, plan: PlanStatus) -> dict[str, Any]:
    deciders = page_data.find_deciders(update, page_request.member)
    zone = page_request.district.time_zone
    return {
        "deciders": deciders,
        "effect": effect(plan.summary.district, undoes=update.undoes_id is not None),
        "next_step": next_step(
            plan, may_approve=deciders.may_approve, deciders=deciders.members, zone=zone
        ),
    }


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
