"""Staff: who may sign in, inviting another member, changing one, and letting one go."""

from collections.abc import Callable

from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts import roles
from rollbook.accounts.auth.sign_in import fold_login
from rollbook.accounts.members import changes, members
from rollbook.accounts.members.csv_import import COLUMNS, LARGEST, MOST_ROWS, import_staff
from rollbook.accounts.members.members import MemberState
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission
from rollbook.districts.models import School
from rollbook.studentfile.small_csv import CsvRejected
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.upload_form import Form
from rollbook.web.pages.account.reauthentication import knows_password
from rollbook.web.pages.base import errors, uploads
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.staff.forms import ChangedMembership, Invitation


@member_page(Permission.MANAGE_STAFF)
def index(page_request: PageRequest) -> HttpResponse:
    prefetch_related_objects([page_request.member], "schools")
    staff = [
        (one, changes.may_manage(page_request.member, one.member))
        for one in members.listed(page_request.member)
    ]
    return page_request.render("staff/index.html", {"staff": staff, "INVITED": MemberState.INVITED})


@member_page(Permission.MANAGE_STAFF, methods=FORM)
def invite(page_request: PageRequest) -> HttpResponse:
    """Another member of this district, who is mailed a link to choose a password by."""
    form = Invitation(
        roles.assignable(page_request.member), _schools(page_request), page_request.form_data
    )
    if form.is_valid():
        with form.collect_reasons():
            member = members.invite(
                page_request.district,
                **form.cleaned_data,
                inviter=page_request.member,
                now=page_request.now,
            )
            page_request.audit("invite", "ok", f"member {member.pk}, {member.role}")
            page_request.success(f"An invitation is on its way to {member.email}.")
            return page_request.redirect("staff")
    return page_request.render_form("staff/invite.html", form)


@member_page(Permission.MANAGE_STAFF, methods=POST)
def invite_again(page_request: PageRequest, key: int) -> HttpResponse:
    def again(member: Member) -> None:
        members.invite_again(member, page_request.member, page_request.now)
        page_request.success(f"An invitation is on its way to {member.email}.")

    return _done(page_request, key, "invite again", again, "No invitation was sent")


@member_page(Permission.MANAGE_STAFF)
def staff_file(page_request: PageRequest) -> HttpResponse:
    """Where a staff file is chosen, and what it may say."""
    return _staff_file(page_request)


@csrf_exempt  # uploading.py reads the form itself, and then has its token compared
@member_page(Permission.MANAGE_STAFF, methods=POST)
def import_file(page_request: PageRequest) -> HttpResponse:
    """Whoever can be invited is; all other lines are told."""
    try:
        return uploads.handle_upload(
            page_request.request, lambda form: _imported(page_request, form)
        )
    except ApiError as refused:
        page_request.audit("import staff", "not taken", refused.code)
        return _staff_file(page_request, refused.status, uploads.said(refused))


@sensitive_post_parameters("password")
@member_page(Permission.MANAGE_STAFF, methods=FORM)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    """One member: what there is to change, for who may change it."""
    found = members.found(page_request.member, key)
    if found is None or not changes.may_manage(page_request.member, found):
        page_request.audit(
            "member", "not found" if found is None else "not allowed", f"member {key}"
        )
        return errors.not_found(page_request.request, page_request)
    form = ChangedMembership(
        roles.assignable(page_request.member),
        _schools(page_request),
        page_request.form_data,
        initial=_initial(found),
    )
    if (
        form.is_valid()
        and _may_change_email(page_request, found, form)
        and _changed(page_request, found, form)
    ):
        return page_request.redirect("staff")
    facts = {"member": found, "state": members.state_of(found), "INVITED": MemberState.INVITED}
    return page_request.render_form("staff/detail.html", form, facts)


@member_page(Permission.MANAGE_STAFF, methods=POST)
def deactivate(page_request: PageRequest, key: int) -> HttpResponse:
    def go(member: Member) -> None:
        changes.deactivate(member, page_request.member)
        page_request.success(
            f"{member.name} cannot sign in any more; sessions and links have ended."
        )

    return _done(page_request, key, "deactivate member", go, "Nobody was deactivated")


@member_page(Permission.MANAGE_STAFF, methods=POST)
def reactivate(page_request: PageRequest, key: int) -> HttpResponse:
    def back(member: Member) -> None:
        changes.reactivate(member, page_request.member)
        page_request.success(f"{member.name} can sign in again.")

    return _done(page_request, key, "reactivate member", back, "Nobody was reactivated")


@member_page(Permission.MANAGE_STAFF, methods=POST)
def second_factor_off(page_request: PageRequest, key: int) -> HttpResponse:
    def off(member: Member) -> None:
        changes.switch_off_second_factor(member, page_request.member, page_request.now)
        page_request.success(
            f"{member.name} signs in with the password alone again, and has been mailed that."
        )

    return _done(page_request, key, "second factor off", off, "Nothing was switched off")


def _staff_file(page_request: PageRequest, status: int = 200, error: str = "") -> HttpResponse:
    facts = {
        "columns": ",".join(COLUMNS),
        "roles": roles.assignable(page_request.member),
        "most": MOST_ROWS,
        "error": error,
    }
    return page_request.render("staff/import.html", facts, status)


def _imported(page_request: PageRequest, form: Form) -> HttpResponse:
    """The file has come in whole, from this member's own form."""
    try:
        imported = import_staff(
            uploads.small_file(form, LARGEST), page_request.member, page_request.now
        )
    except CsvRejected as refused:
        page_request.audit("import staff", "refused", refused.code)
        return _staff_file(page_request, 422, f"Nobody was invited: {refused}.")
    counts = f"{len(imported.invited)} invited, {imported.there} there already, {len(imported.problems)} problems"
    page_request.audit("import staff", "ok", counts)
    return page_request.render("staff/imported.html", {"imported": imported})


def _schools(page_request: PageRequest) -> list[School]:
    """Those at which this member may let others work."""
    of_district = School.objects.filter(district=page_request.district)
    schools = (
        of_district
        if page_request.member.role.is_district_wide
        else of_district.filter(member=page_request.member)
    )
    return list(schools.order_by("name", "organization_id"))


def _initial(member: Member) -> dict[str, object]:
    return {
        "first_name": member.first_name,
        "last_name": member.last_name,
        "email": member.email,
        "role": member.role.name,
        "schools": list(member.schools.values_list("organization_id", flat=True)),
    }


def _may_change_email(page_request: PageRequest, found: Member, form: ChangedMembership) -> bool:
    """Whether it stays, or who changes it has typed his password; if not, the form says so. Raises Throttled."""
    if fold_login(form.cleaned_data["email"]) == found.email:
        return True
    if not form.cleaned_data["password"]:
        form.add_error(
            "password", "Another e-mail address is another way in: type your own password too."
        )
        return False
    return knows_password(page_request, form)


def _changed(page_request: PageRequest, found: Member, form: ChangedMembership) -> bool:
    """Whether the member is as wanted now; if not, the form says why."""
    wanted = {name: said for name, said in form.cleaned_data.items() if name != "password"}
    with form.collect_reasons():
        member = changes.change(found, page_request.member, page_request.now, **wanted)
        page_request.audit("change member", "ok", f"member {member.pk}, {member.role}")
        page_request.success(f"{member.name} is changed." + _of_the_mail(found, member))
        return True
    page_request.audit("change member", "refused", f"member {found.pk}")
    return False


def _of_the_mail(before: Member, now: Member) -> str:
    return (
        f" Both are told: {before.email} is not the login any more."
        if before.email != now.email
        else ""
    )


def _done(
    page_request: PageRequest, key: int, action: str, do: Callable[[Member], None], refusal: str
) -> HttpResponse:
    """Do this with the member of that key, and go back to the list, which says how it went."""
    found = page_request.require(members.found(page_request.member, key), action, f"member {key}")
    try:
        do(found)
    except InvalidMember as refused:
        page_request.audit(action, "refused", f"member {key}")
        page_request.error(f"{refusal}: {refused}.")
    else:
        page_request.audit(action, "ok", f"member {key}")
    return page_request.redirect("staff")
