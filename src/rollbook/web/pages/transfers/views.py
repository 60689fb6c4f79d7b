"""Transfers by hand: a student, a group or a whole school moves, or is handed to the district, which finishes it."""

from collections.abc import Callable, Mapping

from django.http import HttpResponse

from rollbook.web.pages.base.page_number import number_of_page
from rollbook.web.pages.transfers.forms import Finishing, HAND_OVER, Transferring
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.students.models import Transfer
from rollbook.students import visibility
from rollbook.students.manual import transfers
from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission
from rollbook.students.manual.transfers import InvalidTransfer, TransferSelection
from rollbook.pagination import page_of_query
from rollbook.text import count_of

SIZE = 50

_CHOOSING: Mapping[str, Callable[[Member, int], TransferSelection | None]] = {
    "student": transfers.select_student,
    "group": transfers.select_group,
    "school": transfers.select_school,
}


@member_page(Permission.EDIT_STUDENTS)
def index(visit: PageRequest) -> HttpResponse:
    some = page_of_query(transfers.visible(visit.member), number_of_page(visit), SIZE)
    return visit.render("transfers/index.html", {"transfers": some})


@member_page(Permission.EDIT_STUDENTS, methods=FORM)
def new(visit: PageRequest, slug: str, key: int) -> HttpResponse:
    """Of a student, a group or a school with this key."""
    choice = _CHOOSING[slug](visit.member, key) if slug in _CHOOSING else None
    chosen = visit.require(choice, "transfer", f"{slug} with key {key}")
    targets = transfers.targets(visit.member, chosen.source)
    form = Transferring(targets, not transfers.may_complete(visit.member), visit.form_data)
    if form.is_valid():
        with form.collect_reasons():
            transfer = _begun(visit, chosen, form)
            _tell(visit, transfer)
            return visit.redirect("transfer", transfer.pk)
    facts = {"chosen": chosen, "slug": slug, "count": len(chosen.pks)}
    return visit.render_form("transfers/new.html", form, facts)


@member_page(Permission.EDIT_STUDENTS)
def detail(visit: PageRequest, key: int) -> HttpResponse:
    transfer = _transfer(visit, key, "transfer")
    return _shown(visit, transfer)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def finish(visit: PageRequest, key: int) -> HttpResponse:
    """Say where students who were handed over go."""
    transfer = _transfer(visit, key, "finish transfer")
    form = Finishing(transfers.targets(visit.member, transfer.source), visit.form_data)
    if form.is_valid():
        target = visibility.schools(visit.member).get(organization_id=form.cleaned_data["target"])
        with form.collect_reasons():
            moved = transfers.complete_transfer(visit.member, transfer, target, visit.now)
            visit.audit("finish transfer", "ok", f"transfer {key}: {moved} to {target.organization_id}")
            visit.success(f"{count_of(moved, 'student')} moved to {target.name}.")
            return visit.redirect("transfer", key)
    return _shown(visit, transfer, form)


@member_page(Permission.EDIT_STUDENTS, methods=POST)
def withdraw(visit: PageRequest, key: int) -> HttpResponse:
    transfer = _transfer(visit, key, "withdraw transfer")
    try:
        transfers.withdraw(visit.member, transfer, visit.now)
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
        undone = transfers.reverse_transfer(visit.member, transfer, visit.now)
    except InvalidTransfer as refused:
        visit.error(f"Nobody was moved: {refused}.")
        return visit.redirect("transfer", key)
    _tell(visit, undone)
    return visit.redirect("transfer", undone.pk)


def _transfer(visit: PageRequest, key: int, action: str, detail: str = "") -> Transfer:
    """Return the transfer if the member sees it. Raises Http404."""
    transfer = transfers.visible(visit.member).filter(pk=key).first()
    return visit.require(transfer, action, f"transfer {key}{detail}")


def _begun(visit: PageRequest, chosen: TransferSelection, form: Transferring) -> Transfer:
    """Hand the students over, or move them to the chosen school. Raises TransferRefused."""
    wanted = form.cleaned_data["target"]
    if wanted == HAND_OVER:
        return transfers.request_transfer(visit.member, chosen, form.cleaned_data["note"], visit.now)
    target = visibility.schools(visit.member).get(organization_id=wanted)
    return transfers.move(visit.member, chosen, target, visit.now)


def _tell(visit: PageRequest, transfer: Transfer) -> None:
    students = transfer.students.count()
    if transfer.target:
        visit.success(f"{count_of(students, 'student')} moved from {transfer.source_name} to {transfer.target_name}.")
    else:
        visit.success(f"{count_of(students, 'student')} handed to the district. They stay until it says where they go.")
    visit.audit("transfer", str(transfer.state), f"transfer {transfer.pk}: {students}")


def _shown(visit: PageRequest, transfer: Transfer, finishing: Finishing | None = None) -> HttpResponse:
    """With those of its students whom the member sees; 422 if its form was refused."""
    ours = visibility.visible_students(visit.member).filter(transfer=transfer).select_related("school").defer("password")
    students = page_of_query(ours.order_by("last_name", "first_name", "pk"), number_of_page(visit), SIZE)
    may_finish = transfers.may_complete(visit.member)
    facts = {
        "transfer": transfer,
        "students": students,
        "finishing": finishing or (may_finish and Finishing(transfers.targets(visit.member, transfer.source))),
        "may_go_back": transfers.may_reverse(visit.member, transfer),
    }
    return visit.render("transfers/detail.html", facts, status=422 if finishing else 200)
