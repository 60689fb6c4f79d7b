"""Transfers by hand: a student, a group or a whole school moves, or is handed to the district, which finishes it."""

from collections.abc import Callable, Mapping

from django.http import HttpResponse

from rollbook.doors.pages.numbers import number_of_page
from rollbook.doors.pages.transfer_forms import HAND_OVER, Finishing, Transferring
from rollbook.doors.pages.visit import FORM, POST, Visit, page
from rollbook.roster.models import Transfer
from rollbook.staff import seeing, transferring
from rollbook.staff.models import Member
from rollbook.staff.permissions import Permission
from rollbook.staff.transferring import Chosen, TransferRefused
from rollbook.updates.paging import page_of_query
from rollbook.updates.wording import counted

SIZE = 50

_CHOOSING: Mapping[str, Callable[[Member, int], Chosen | None]] = {
    "student": transferring.one,
    "group": transferring.whole_group,
    "school": transferring.whole_school,
}


@page(Permission.EDIT_STUDENTS)
def listed(visit: Visit) -> HttpResponse:
    some = page_of_query(transferring.visible(visit.member), number_of_page(visit), SIZE)
    return visit.render("pages/transfers.html", {"transfers": some})


@page(Permission.EDIT_STUDENTS, methods=FORM)
def new(visit: Visit, slug: str, key: int) -> HttpResponse:
    """Of a student, a group or a school with this key."""
    choice = _CHOOSING[slug](visit.member, key) if slug in _CHOOSING else None
    chosen = visit.require(choice, "transfer", f"{slug} with key {key}")
    targets = transferring.targets(visit.member, chosen.source)
    form = Transferring(targets, not transferring.may_finish(visit.member), visit.sent)
    if form.is_valid():
        with form.collect_reasons():
            transfer = _begun(visit, chosen, form)
            _tell(visit, transfer)
            return visit.redirect("transfer", transfer.pk)
    facts = {"chosen": chosen, "slug": slug, "count": len(chosen.pks)}
    return visit.render_form("pages/transfer_new.html", form, facts)


@page(Permission.EDIT_STUDENTS)
def one(visit: Visit, key: int) -> HttpResponse:
    transfer = _transfer(visit, key, "transfer")
    return _shown(visit, transfer)


@page(Permission.EDIT_STUDENTS, methods=POST)
def finish(visit: Visit, key: int) -> HttpResponse:
    """Say where students who were handed over go."""
    transfer = _transfer(visit, key, "finish transfer")
    form = Finishing(transferring.targets(visit.member, transfer.source), visit.sent)
    if form.is_valid():
        target = seeing.schools(visit.member).get(organization_id=form.cleaned_data["target"])
        with form.collect_reasons():
            moved = transferring.finish(visit.member, transfer, target, visit.now)
            visit.note("finish transfer", "ok", f"transfer {key}: {moved} to {target.organization_id}")
            visit.say(f"{counted(moved, 'student')} moved to {target.name}.")
            return visit.redirect("transfer", key)
    return _shown(visit, transfer, form)


@page(Permission.EDIT_STUDENTS, methods=POST)
def withdraw(visit: Visit, key: int) -> HttpResponse:
    transfer = _transfer(visit, key, "withdraw transfer")
    try:
        transferring.withdraw(visit.member, transfer, visit.now)
    except TransferRefused as refused:
        visit.complain(f"Nothing was done: {refused}.")
    else:
        visit.note("withdraw transfer", "ok", f"transfer {key}")
        visit.say("The students stay where they are.")
    return visit.redirect("transfer", key)


@page(Permission.EDIT_STUDENTS, methods=POST)
def back(visit: Visit, key: int) -> HttpResponse:
    """Undo a transfer by another one."""
    transfer = _transfer(visit, key, "transfer", ", back")
    try:
        undone = transferring.back(visit.member, transfer, visit.now)
    except TransferRefused as refused:
        visit.complain(f"Nobody was moved: {refused}.")
        return visit.redirect("transfer", key)
    _tell(visit, undone)
    return visit.redirect("transfer", undone.pk)


def _transfer(visit: Visit, key: int, action: str, detail: str = "") -> Transfer:
    """Return the transfer if the member sees it. Raises Http404."""
    transfer = transferring.visible(visit.member).filter(pk=key).first()
    return visit.require(transfer, action, f"transfer {key}{detail}")


def _begun(visit: Visit, chosen: Chosen, form: Transferring) -> Transfer:
    """Hand the students over, or move them to the chosen school. Raises TransferRefused."""
    wanted = form.cleaned_data["target"]
    if wanted == HAND_OVER:
        return transferring.hand_over(visit.member, chosen, form.cleaned_data["note"], visit.now)
    target = seeing.schools(visit.member).get(organization_id=wanted)
    return transferring.move(visit.member, chosen, target, visit.now)


def _tell(visit: Visit, transfer: Transfer) -> None:
    students = transfer.students.count()
    if transfer.target:
        visit.say(f"{counted(students, 'student')} moved from {transfer.source_name} to {transfer.target_name}.")
    else:
        visit.say(f"{counted(students, 'student')} handed to the district. They stay until it says where they go.")
    visit.note("transfer", str(transfer.state), f"transfer {transfer.pk}: {students}")


def _shown(visit: Visit, transfer: Transfer, finishing: Finishing | None = None) -> HttpResponse:
    """With those of its students whom the member sees; 422 if its form was refused."""
    ours = seeing.students(visit.member).filter(transfer=transfer).select_related("school").defer("password")
    students = page_of_query(ours.order_by("last_name", "first_name", "pk"), number_of_page(visit), SIZE)
    may_finish = transferring.may_finish(visit.member)
    facts = {
        "transfer": transfer,
        "students": students,
        "finishing": finishing or (may_finish and Finishing(transferring.targets(visit.member, transfer.source))),
        "may_go_back": transferring.may_move_back(visit.member, transfer),
    }
    return visit.render("pages/transfer.html", facts, status=422 if finishing else 200)
