"""Transfers by hand: a student, a group or a whole school moves, or is handed to the district, which finishes it."""

from collections.abc import Callable, Mapping

from django.http import HttpResponse

from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission
from rollbook.pagination import page_of_query
from rollbook.students import visibility
from rollbook.students.manual import transfers
from rollbook.students.manual.transfers import InvalidTransfer, TransferSelection
from rollbook.students.models import Transfer
from rollbook.text import count_of
from rollbook.web.pages.base.page_number import number_of_page
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.transfers.forms import HAND_OVER, Finishing, Transferring

SIZE = 50

_CHOOSING: Mapping[str, Callable[[Member, int], TransferSelection | None]] = {
    "student": transfers.select_student,
    "group": transfers.select_group,
    "school": transfers.select_school,
}


@member_page(Permission.EDIT_STUDENTS)
def index(page_request: PageRequest) -> HttpResponse:
    some = page_of_query(transfers.visible(page_request.member), number_of_page(page_request), SIZE)
    return page_request.render("transfers/index.html", {"transfers": some})


@member_page(Permission.EDIT_STUDENTS, methods=FORM)
def new(page_request: PageRequest, slug: str, key: int) -> HttpResponse:
    """Of a student, a group or a school with this key."""
    choice = _CHOOSING[slug](page_request.member, key) if slug in _CHOOSING else None
    chosen = page_request.require(choice, "transfer", f"{slug} with key {key}")
    targets = transfers.targets(page_request.member, chosen.source)
    form = Transferring(
        targets, not transfers.may_complete(page_request.member), page_request.form_data
    )
    if form.is_valid():
        with form.collect_reasons():
            transfer = _begun(page_request, chosen, form)
            _tell(page_request, transfer)
            return page_request.redirect("transfer", transfer.pk)
    facts = {"chosen": chosen, "slug": slug, "count": len(chosen.pks)}
    return page_request.render_form("transfers/new.html", form, facts)


@member_page(Permission.EDIT_STUDENTS)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    transfer = _transfer(page_request, key, "transfer")
    return _shown(page_request, transfer)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def finish(page_request: PageRequest, key: int) -> HttpResponse:
    """Say where students who were handed over go."""
    transfer = _transfer(page_request, key, "finish transfer")
    form = Finishing(
        transfers.targets(page_request.member, transfer.source), page_request.form_data
    )
    if form.is_valid():
        target = visibility.schools(page_request.member).get(
            organization_id=form.cleaned_data["target"]
        )
        with form.collect_reasons():
            moved = transfers.complete_transfer(
                page_request.member, transfer, target, page_request.now
            )
            page_request.audit(
                "finish transfer", "ok", f"transfer {key}: {moved} to {target.organization_id}"
            )
            page_request.success(f"{count_of(moved, 'student')} moved to {target.name}.")
            return page_request.redirect("transfer", key)
    return _shown(page_request, transfer, form)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def withdraw(page_request: PageRequest, key: int) -> HttpResponse:
    transfer = _transfer(page_request, key, "withdraw transfer")
    try:
        transfers.withdraw(page_request.member, transfer, page_request.now)
    except InvalidTransfer as refused:
        page_request.error(f"Nothing was done: {refused}.")
    else:
        page_request.audit("withdraw transfer", "ok", f"transfer {key}")
        page_request.success("The students stay where they are.")
    return page_request.redirect("transfer", key)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def back(page_request: PageRequest, key: int) -> HttpResponse:
    """Undo a transfer by another one."""
    transfer = _transfer(page_request, key, "transfer", ", back")
    try:
        undone = transfers.reverse_transfer(page_request.member, transfer, page_request.now)
    except InvalidTransfer as refused:
        page_request.error(f"Nobody was moved: {refused}.")
        return page_request.redirect("transfer", key)
    _tell(page_request, undone)
    return page_request.redirect("transfer", undone.pk)


def _transfer(page_request: PageRequest, key: int, action: str, detail: str = "") -> Transfer:
    """Return the transfer if the member sees it. Raises Http404."""
    transfer = transfers.visible(page_request.member).filter(pk=key).first()
    return page_request.require(transfer, action, f"transfer {key}{detail}")


def _begun(page_request: PageRequest, chosen: TransferSelection, form: Transferring) -> Transfer:
    """Hand the students over, or move them to the chosen school. Raises TransferRefused."""
    wanted = form.cleaned_data["target"]
    if wanted == HAND_OVER:
        return transfers.request_transfer(
            page_request.member, chosen, form.cleaned_data["note"], page_request.now
        )
    target = visibility.schools(page_request.member).get(organization_id=wanted)
    return transfers.move(page_request.member, chosen, target, page_request.now)


def _tell(page_request: PageRequest, transfer: Transfer) -> None:
    students = transfer.students.count()
    if transfer.target:
        page_request.success(
            f"{count_of(students, 'student')} moved from {transfer.source_name} to {transfer.target_name}."
        )
    else:
        page_request.success(
            f"{count_of(students, 'student')} handed to the district. They stay until it says where they go."
        )
    page_request.audit("transfer", str(transfer.state), f"transfer {transfer.pk}: {students}")


def _shown(
    page_request: PageRequest, transfer: Transfer, finishing: Finishing | None = None
) -> HttpResponse:
    """With those of its students whom the member sees; 422 if its form was refused."""
    ours = (
        visibility.visible_students(page_request.member)
        .filter(transfer=transfer)
        .select_related("school")
        .defer("password")
    )
    students = page_of_query(
        ours.order_by("last_name", "first_name", "pk"), number_of_page(page_request), SIZE
    )
    may_finish = transfers.may_complete(page_request.member)
    facts = {
        "transfer": transfer,
        "students": students,
        "finishing": finishing
        or (may_finish and Finishing(transfers.targets(page_request.member, transfer.source))),
        "may_go_back": transfers.may_reverse(page_request.member, transfer),
    }
    return page_request.render("transfers/detail.html", facts, status=422 if finishing else 200)
