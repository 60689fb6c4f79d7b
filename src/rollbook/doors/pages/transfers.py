"""Transfers by hand: a student, a group or a whole school moves, or is handed to the district, which finishes it."""

from collections.abc import Callable, Mapping

from django.http import HttpResponse

from rollbook.doors.pages.numbers import number_of_page
from rollbook.doors.pages.transfer_forms import HAND_OVER, Finishing, Transferring
from rollbook.doors.pages.visit import FORM, POST, PageRequest, member_page
from rollbook.roster.models import Transfer
from rollbook.staff import seeing, transferring
from rollbook.staff.models import Member
from rollbook.staff.permissions import Permission
from rollbook.staff.transferring import TransferSelection, InvalidTransfer
from rollbook.updates.paging import page_of_query
from rollbook.updates.wording import count_of

SIZE = 50

_CHOOSING: Mapping[str, Callable[[Member, int], TransferSelection | None]] = {
    "student": transferring.select_student,
    "group": transferring.select_group,
    "school": transferring.select_school,
}


@member_page(Permission.EDIT_STUDENTS)
def index(visit: PageRequest) -> HttpResponse:
    some = page_of_query(transferring.visible(visit.member), number_of_page(visit), SIZE)
    return visit.render("pages/transfers.html", {"transfers": some})


@member_page(Permission.EDIT_STUDENTS, methods=FORM)
def new(visit: PageRequest, slug: str, key: int) -> HttpResponse:
    """Of a student, a group or a school with this key."""
    choice = _CHOOSING[slug](visit.member, key) if slug in _CHOOSING else None
    chosen = visit.require(choice, "transfer", f"{slug} with key {key}")
    targets = transferring.targets(visit.member, chosen.source)
    form = Transferring(targets, not transferring.may_complete(visit.member), visit.form_data)
    if form.is_valid():
        with form.collect_reasons():
            transfer = _begun(visit, chosen, form)
            _tell(visit, transfer)
            return visit.redirect("transfer", transfer.pk)
    facts = {"chosen": chosen, "slug": slug, "count": len(chosen.pks)}
    return visit.render_form("pages/transfer_new.html", form, facts)


@member_page(Permission.EDIT_STUDENTS)
def detail(visit: PageRequest, key: int) -> HttpResponse:
    transfer = _transfer(visit, key, "transfer")
    return _shown(visit, transfer)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def finish(visit: PageRequest, key: int) -> HttpResponse:
    """Say where students who were handed over go."""
    transfer = _transfer(visit, key, "finish transfer")
    form = Finishing(transferring.targets(visit.member, transfer.source), visit.form_data)
    if form.is_valid():
        target = seeing.schools(visit.member).get(organization_id=form.cleaned_data["target"])
        with form.collect_reasons():
            moved = transferring.complete_transfer(visit.member, transfer, target, visit.now)
            visit.audit("finish transfer", "ok", f"transfer {key}: {moved} to {target.organization_id}")
            visit.success(f"{count_of(moved, 'student')} moved to {target.name}.")
            return visit.redirect("transfer", key)
    return _shown(visit, transfer, form)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def withdraw(visit: PageRequest, key: int) -> HttpResponse:
    transfer = _transfer(visit, key, "withdraw transfer")
    try:
        transferring.withdraw(visit.member, transfer, visit.now)
    except InvalidTransfer as refused:
        visit.error(f"Nothing was done: {refused}.")
    else:
        visit.audit("withdraw transfer", "ok", f"transfer {key}")
        visit.success("The students stay where they are.")
    return visit.redirect("transfer", key)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def back(visit: PageRequest, key: int) -> HttpResponse:
    """Undo a transfer by another one."""
    transfer = _transfer(visit, key, "transfer", ", back")
    try:
        undone = transferring.reverse_transfer(visit.member, transfer, visit.now)
    except InvalidTransfer as refused:
        visit.error(f"Nobody was moved: {refused}.")
        return visit.redirect("transfer", key)
    _tell(visit, undone)
    return visit.redirect("transfer", undone.pk)


def _transfer(visit: PageRequest, key: int, action: str, detail: str = "") -> Transfer:
    """Return the transfer if the member sees it. Raises Http404."""
    transfer = transferring.visible(visit.member).filter(pk=key).first()
    return visit.require(transfer, action, f"transfer {key}{detail}")


def _begun(visit: PageRequest, chosen: TransferSelection, form: Transferring) -> Transfer:
    """Hand the students over, or move them to the chosen school. Raises TransferRefused."""
    wanted = form.cleaned_data["target"]
    if wanted == HAND_OVER:
        return transferring.request_transfer(visit.member, chosen, form.cleaned_data["note"], visit.now)
    target = seeing.schools(visit.member).get(organization_id=wanted)
    return transferring.move(visit.member, chosen, target, visit.now)


def _tell(visit: PageRequest, transfer: Transfer) -> None:
    students = transfer.students.count()
    if transfer.target:
        visit.success(f"{count_of(students, 'student')} moved from {transfer.source_name} to {transfer.target_name}.")
    else:
        visit.success(f"{count_of(students, 'student')} handed to the district. They stay until it says where they go.")
    visit.audit("transfer", str(transfer.state), f"transfer {transfer.pk}: {students}")


def _shown(visit: PageRequest, transfer: Transfer, finishing: Finishing | None = None) -> HttpResponse:
    """With those of its students whom the member sees; 422 if its form was refused."""
    ours = seeing.visible_students(visit.member).filter(transfer=transfer).select_related("school").defer("password")
    students = page_of_query(ours.order_by("last_name", "first_name", "pk"), number_of_page(visit), SIZE)
    may_finish = transferring.may_complete(visit.member)
    facts = {
        "transfer": transfer,
        "students": students,
        "finishing": finishing or (may_finish and Finishing(transferring.targets(visit.member, transfer.source))),
        "may_go_back": transferring.may_reverse(visit.member, transfer),
    }
    return visit.render("pages/transfer.html", facts, status=422 if finishing else 200)
