"""Transfer a student, a group or a whole school to another school.

Members who may not transfer students to the new school request the transfer; a district manager
completes it.
"""

from collections.abc import Callable, Mapping

from django.http import HttpResponse, QueryDict
from django.shortcuts import resolve_url

from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission
from rollbook.pagination import get_query_page
from rollbook.students import visibility
from rollbook.students.manual import transfers
from rollbook.students.manual.transfers import InvalidTransfer, TransferSelection
from rollbook.students.models import Transfer
from rollbook.text import count_of
from rollbook.web.pages.base.page_number import page_number
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.students.chosen import (
    CHANGED_SINCE,
    NONE_SELECTED,
    back_to_list,
    chosen,
    fields_of,
    refused_selection,
)
from rollbook.web.pages.transfers.forms import REQUEST_TRANSFER, CompleteTransfer, NewTransfer

PAGE_SIZE = 50

_SELECTIONS: Mapping[str, Callable[[Member, int], TransferSelection | None]] = {
    "student": transfers.select_student,
    "group": transfers.select_group,
    "school": transfers.select_school,
}


@member_page(Permission.EDIT_STUDENTS)
def index(page_request: PageRequest) -> HttpResponse:
    """Render the list of transfers that the member may see."""
    query = transfers.visible(page_request.member)
    page = get_query_page(query, page_number(page_request), PAGE_SIZE)
    return page_request.render("transfers/index.html", {"transfers": page})


@member_page(Permission.EDIT_STUDENTS, methods=FORM)
def new(page_request: PageRequest, slug: str, key: int) -> HttpResponse:
    """Render the form for a transfer of the student, group or school with this key, and start it.

    Args:
        page_request: the request.
        slug: ``student``, ``group`` or ``school``.
        key: the key of the student, group or school.
    """
    selection = _selection(page_request, slug, key)
    shown = selection.pks if slug == "student" else ()
    page_request.audit("transfer", "seen", f"{slug} with key {key}, to be transferred", shown)
    return _new(page_request, selection, page_request.form_data, {"slug": slug})


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def new_of_selected(page_request: PageRequest) -> HttpResponse:
    """Render the form for a transfer of the selected students of the list, and start it."""
    selected = chosen(page_request)
    form_data = page_request.form_data
    if form_data is not None and "target" not in form_data:
        form_data = None  # the list was submitted, and not yet the form
    if refused := refused_selection(page_request, selected):
        return refused
    if form_data and selected.asked is not None and not selected.is_as_asked:
        page_request.error(CHANGED_SINCE)
        return back_to_list(page_request)
    try:
        selection = transfers.select_students(page_request.member, selected.keys)
    except InvalidTransfer as invalid:
        page_request.error(f"No students were transferred: {invalid}.")
        return back_to_list(page_request)
    if selection is None:
        page_request.error(NONE_SELECTED)
        return back_to_list(page_request)
    detail = f"{selection.title}, selected, to be transferred"
    page_request.audit("transfer", "seen", detail, [student.pk for student in selected.named])
    context = {"names": selected.names, "kept": fields_of(page_request, selected)}
    return _new(page_request, selection, form_data, context)


@member_page(Permission.EDIT_STUDENTS)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    """Render one transfer."""
    transfer = _transfer(page_request, key, "transfer")
    return _render(page_request, transfer)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def complete(page_request: PageRequest, key: int) -> HttpResponse:
    """Complete a requested transfer: move its students to the chosen school."""
    transfer = _transfer(page_request, key, "finish transfer")
    member = page_request.member
    form = CompleteTransfer(transfers.targets(member, transfer.source), page_request.form_data)
    if form.is_valid():
        target = visibility.schools(member).get(organization_id=form.cleaned_data["target"])
        with form.collect_reasons():
            moved = transfers.complete_transfer(member, transfer, target, page_request.now)
            detail = f"transfer {key}: {moved} to {target.organization_id}"
            page_request.audit("finish transfer", "ok", detail)
            page_request.success(f"{count_of(moved, 'student')} transferred to {target.name}.")
            return page_request.redirect("transfer", key)
    return _render(page_request, transfer, form)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def withdraw(page_request: PageRequest, key: int) -> HttpResponse:
    """Withdraw a requested transfer."""
    transfer = _transfer(page_request, key, "withdraw transfer")
    try:
        transfers.withdraw(page_request.member, transfer, page_request.now)
    except InvalidTransfer as invalid:
        page_request.error(f"Nothing was changed: {invalid}.")
    else:
        page_request.audit("withdraw transfer", "ok", f"transfer {key}")
        page_request.success("Transfer withdrawn. The students stay at their school.")
    return page_request.redirect("transfer", key)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def reverse(page_request: PageRequest, key: int) -> HttpResponse:
    """Reverse a completed transfer with another transfer."""
    transfer = _transfer(page_request, key, "transfer", ", back")
    question = Question(
        f"Move {count_of(transfer.students.count(), 'student')} back to {transfer.source_name}?",
        (
            f"Students who are still at {transfer.target_name} leave their groups and staff there "
            f"and join the Default group of {transfer.source_name}. Their former groups and staff "
            "are not restored.",
        ),
        "Reverse transfer",
        resolve_url("transfer", key),
    )
    if page := ask(page_request, question):
        return page
    try:
        reversal = transfers.reverse_transfer(page_request.member, transfer, page_request.now)
    except InvalidTransfer as invalid:
        page_request.error(f"No students were transferred: {invalid}.")
        return page_request.redirect("transfer", key)
    _report(page_request, reversal)
    return page_request.redirect("transfer", reversal.pk)


def _new(
    page_request: PageRequest,
    selection: TransferSelection,
    form_data: QueryDict | None,
    context: Mapping[str, object],
) -> HttpResponse:
    """Render the form for a transfer of the selection, and start it if it was submitted."""
    schools = transfers.targets(page_request.member, selection.source)
    may_request = not transfers.may_complete(page_request.member)
    form = NewTransfer(schools, form_data, may_request=may_request)
    if form.is_valid():
        with form.collect_reasons():
            transfer = _start(page_request, selection, form)
            _report(page_request, transfer)
            return page_request.redirect("transfer", transfer.pk)
    full_context = {"chosen": selection, "count": len(selection.pks), **context}
    return page_request.render_form("transfers/new.html", form, full_context)


def _selection(page_request: PageRequest, slug: str, key: int) -> TransferSelection:
    """Return the students to transfer.

    Raises:
        Http404: if the member does not see such a student, group or school.
    """
    select = _SELECTIONS.get(slug)
    selection = select(page_request.member, key) if select else None
    return page_request.require(selection, "transfer", f"{slug} with key {key}")


def _transfer(page_request: PageRequest, key: int, action: str, detail: str = "") -> Transfer:
    """Return the transfer.

    Raises:
        Http404: if the member does not see such a transfer.
    """
    transfer = transfers.visible(page_request.member).filter(pk=key).first()
    return page_request.require(transfer, action, f"transfer {key}{detail}")


def _start(page_request: PageRequest, selection: TransferSelection, form: NewTransfer) -> Transfer:
    """Transfer the students to the chosen school, or request that from the district.

    Raises:
        InvalidTransfer: if the students cannot be transferred.
    """
    member = page_request.member
    organization_id = form.cleaned_data["target"]
    if organization_id == REQUEST_TRANSFER:
        note = form.cleaned_data["note"]
        return transfers.request_transfer(member, selection, note, page_request.now)
    target = visibility.schools(member).get(organization_id=organization_id)
    return transfers.move(member, selection, target, page_request.now)


def _report(page_request: PageRequest, transfer: Transfer) -> None:
    """Show and record what was done."""
    count = transfer.students.count()
    students = count_of(count, "student")
    if transfer.target:
        page_request.success(
            f"{students} transferred from {transfer.source_name} to {transfer.target_name}."
        )
    else:
        page_request.success(
            f"Transfer of {students} requested. "
            "They stay at their school until the district chooses the new one."
        )
    page_request.audit("transfer", str(transfer.state), f"transfer {transfer.pk}: {count}")


def _render(
    page_request: PageRequest, transfer: Transfer, form: CompleteTransfer | None = None
) -> HttpResponse:
    """Render the transfer with those of its students that the member sees, and record that.

    Args:
        page_request: the request.
        transfer: the transfer.
        form: the invalid form, if there is one; then the status is 422.
    """
    member = page_request.member
    visible = visibility.visible_students(member).filter(transfer=transfer)
    students = visible.select_related("school").defer("password")
    page = get_query_page(
        students.order_by("last_name", "first_name", "pk"),
        page_number(page_request),
        PAGE_SIZE,
    )
    shown = [student.pk for student in page.items]
    page_request.audit("transfer", "seen", f"transfer {transfer.pk}, page {page.number}", shown)
    status = 422 if form else 200
    if form is None and transfers.may_complete(member):
        form = CompleteTransfer(transfers.targets(member, transfer.source))
    context = {
        "transfer": transfer,
        "students": page,
        "finishing": form,
        "form": form,
        "may_go_back": transfers.may_reverse(member, transfer),
    }
    return page_request.render("transfers/detail.html", context, status)
