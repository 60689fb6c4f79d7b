"""Staff: list, invite, change, deactivate and reactivate staff members."""

from collections.abc import Callable

from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts import roles
from rollbook.accounts.auth import api_tokens, new_network, sessions
from rollbook.accounts.auth.sign_in import fold_login
from rollbook.accounts.mail_content import UNUSED_DAYS
from rollbook.accounts.members import changes, members
from rollbook.accounts.members.csv_import import COLUMNS, MAX_FILE_BYTES, MAX_ROWS, import_staff
from rollbook.accounts.members.members import MemberState
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission
from rollbook.accounts.unused_accounts import only_unused
from rollbook.districts.concurrent_edits import based_on
from rollbook.districts.models import School
from rollbook.studentfile.small_csv import CsvRejected
from rollbook.text import count_of
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.upload_form import Form
from rollbook.web.pages.account.confirmation import ask_for_proof, confirmed
from rollbook.web.pages.account.reauthentication import knows_password
from rollbook.web.pages.base import errors, uploads
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.staff import questions
from rollbook.web.pages.staff.forms import ChangedMembership, Invitation


@member_page(Permission.MANAGE_STAFF)
def index(page_request: PageRequest) -> HttpResponse:
    """List the staff members that the user can see: all, or those with unused accounts."""
    user = page_request.member
    prefetch_related_objects([user], "schools")
    found = members.visible_to(user)
    unused = only_unused(found, UNUSED_DAYS, page_request.now)
    is_filtered = "unused" in page_request.request.GET
    items = members.list_items(unused if is_filtered else found)
    context = {
        "staff": [(item, changes.may_manage(user, item.member)) for item in items],
        "INVITED": MemberState.INVITED,
        "is_filtered": is_filtered,
        "unused_count": unused.count(),
        "unused_days": UNUSED_DAYS,
        "may_see_tokens": page_request.may(Permission.MANAGE_SETTINGS),
        "new_networks": new_network.recent(page_request.district, found, page_request.now),
        "new_network_days": new_network.RECENT.days,
    }
    return page_request.render("staff/index.html", context)


@member_page(Permission.MANAGE_STAFF, methods=FORM)
@confirmed
def invite(page_request: PageRequest) -> HttpResponse:
    """Invite a staff member, who gets an email with a link to set a password."""
    form = Invitation(
        roles.assignable(page_request.member),
        _assignable_schools(page_request),
        page_request.form_data,
    )
    if form.is_valid():
        with form.collect_reasons():
            member = members.invite(
                page_request.district,
                **form.values,
                inviter=page_request.member,
                now=page_request.now,
            )
            page_request.audit("invite", "ok", f"member {member.pk}, {member.role}")
            page_request.success(f"Invitation sent to {member.email}.")
            return page_request.redirect("staff")
    return page_request.render_form("staff/invite.html", form)


@member_page(Permission.MANAGE_STAFF, methods=POST)
def invite_again(page_request: PageRequest, key: int) -> HttpResponse:
    """Send the invitation again."""

    def send(member: Member) -> None:
        members.invite_again(member, page_request.member, page_request.now)
        page_request.success(f"Invitation sent to {member.email}.")

    return _change_and_redirect(
        page_request, key, "invite again", send, "The invitation wasn’t sent"
    )


@member_page(Permission.MANAGE_STAFF, methods=FORM)
def staff_file(page_request: PageRequest) -> HttpResponse:
    """Show the form that uploads a staff file, and the format of the file.

    It needs a recent proof of who the member is, because the file can't be kept while asking.
    """
    return ask_for_proof(page_request) or _render_import(page_request)


@csrf_exempt  # handle_upload() reads the form itself and then checks its CSRF token
@member_page(Permission.MANAGE_STAFF, methods=POST)
def import_file(page_request: PageRequest) -> HttpResponse:
    """Invite everyone in the uploaded file who can be invited, and list the other lines."""
    if not sessions.has_recent_proof(page_request.request, page_request.now):
        page_request.audit("import staff", "not taken", "confirmation needed")
        page_request.error("Nobody was invited. Confirm it’s you, then choose the file again.")
        return page_request.redirect("staff-import")
    try:
        return uploads.handle_upload(page_request.request, lambda form: _import(page_request, form))
    except ApiError as error:
        page_request.audit("import staff", "not taken", error.code)
        return _render_import(page_request, error.status, uploads.user_message(error))


@sensitive_post_parameters("password")
@member_page(Permission.MANAGE_STAFF, methods=FORM)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    """Show a staff member that the user can manage, and change them."""
    member = members.find_member(page_request.member, key)
    if member is None:
        page_request.audit("member", "not found", f"member {key}")
        return errors.not_found(page_request.request, page_request)
    if not changes.may_manage(page_request.member, member):
        page_request.audit("member", "not allowed", f"member {key}")
        return errors.not_found(page_request.request, page_request)
    form = ChangedMembership(
        roles.assignable(page_request.member),
        _assignable_schools(page_request),
        page_request.form_data,
        initial=_initial(member),
    )
    if (
        form.is_valid()
        and _is_proved(page_request, member, form)
        and _save_changes(page_request, member, form)
    ):
        return page_request.redirect("staff")
    context = {
        "member": member,
        "state": members.state_of(member),
        "INVITED": MemberState.INVITED,
        "token_count": api_tokens.active_tokens(member, page_request.now).count(),
    }
    return page_request.render_form("staff/detail.html", form, context)


@member_page(Permission.MANAGE_STAFF, methods=POST)
def deactivate(page_request: PageRequest, key: int) -> HttpResponse:
    """Deactivate a staff member, so that they can't sign in."""

    def deactivate_member(member: Member) -> None:
        changes.deactivate(member, page_request.member)
        page_request.success(
            f"{member.name} was deactivated. They’re signed out and can’t sign in."
        )

    return _change_and_redirect(
        page_request,
        key,
        "deactivate member",
        deactivate_member,
        "No one was deactivated",
        questions.deactivate,
    )


@member_page(Permission.MANAGE_STAFF, methods=POST)
def reactivate(page_request: PageRequest, key: int) -> HttpResponse:
    """Reactivate a staff member, so that they can sign in with their old password."""

    def reactivate_member(member: Member) -> None:
        changes.reactivate(member, page_request.member)
        page_request.success(f"{member.name} was reactivated and can sign in again.")

    return _change_and_redirect(
        page_request, key, "reactivate member", reactivate_member, "No one was reactivated"
    )


@member_page(Permission.MANAGE_STAFF, methods=POST)
@confirmed
def revoke_tokens(page_request: PageRequest, key: int) -> HttpResponse:
    """Revoke all tokens of a staff member."""

    def revoke(member: Member) -> None:
        revoked = changes.revoke_tokens(member, page_request.member)
        page_request.success(
            f"{count_of(revoked, 'token')} of {member.name} revoked. Scripts can no longer use "
            "them."
        )

    return _change_and_redirect(
        page_request,
        key,
        "revoke all tokens",
        revoke,
        "No token was revoked",
        questions.revoke_tokens,
    )


@member_page(Permission.MANAGE_STAFF, methods=POST)
@confirmed
def second_factor_off(page_request: PageRequest, key: int) -> HttpResponse:
    """Turn off two-step verification for a staff member who lost access to it."""

    def turn_off(member: Member) -> None:
        changes.turn_off_second_factor(member, page_request.member, page_request.now)
        page_request.success(
            f"Two-step verification was turned off for {member.name}. We’ve emailed them."
        )

    return _change_and_redirect(
        page_request,
        key,
        "two-step verification off",
        turn_off,
        "Two-step verification wasn’t turned off",
        questions.turn_off_second_factor,
    )


def _render_import(page_request: PageRequest, status: int = 200, error: str = "") -> HttpResponse:
    context = {
        "columns": ",".join(COLUMNS),
        "roles": roles.assignable(page_request.member),
        "max_rows": MAX_ROWS,
        "error": error,
    }
    return page_request.render("staff/import.html", context, status)


def _import(page_request: PageRequest, form: Form) -> HttpResponse:
    """Import the staff file of a form whose CSRF token has been checked."""
    try:
        file = uploads.small_file(form, MAX_FILE_BYTES)
        result = import_staff(file, page_request.member, page_request.now)
    except CsvRejected as error:
        page_request.audit("import staff", "refused", error.code)
        return _render_import(page_request, 422, f"No one was invited: {error}.")
    counts = (
        f"{len(result.invited)} invited, {result.existing_count} already members,"
        f" {len(result.problems)} problems"
    )
    page_request.audit("import staff", "ok", counts)
    return page_request.render("staff/imported.html", {"result": result})


def _assignable_schools(page_request: PageRequest) -> list[School]:
    """Return the schools that the user can assign to staff members."""
    schools = School.objects.filter(district=page_request.district)
    if not page_request.member.role.is_district_wide:
        schools = schools.filter(member=page_request.member)
    return list(schools.order_by("name", "organization_id"))


def _initial(member: Member) -> dict[str, object]:
    return {
        "first_name": member.first_name,
        "last_name": member.last_name,
        "email": member.email,
        "role": member.role.name,
        "schools": list(member.schools.values_list("organization_id", flat=True)),
    }


def _is_proved(page_request: PageRequest, member: Member, form: ChangedMembership) -> bool:
    """Return whether the user may save the form: after a recent proof, or with their own password.

    A new email always requires the password.

    Otherwise an error is added to the form.

    Raises:
        RateLimited: If there have been too many wrong passwords.
    """
    keeps_email = fold_login(form.cleaned_data["email"]) == member.email
    if keeps_email and sessions.has_recent_proof(page_request.request, page_request.now):
        return True
    if not form.cleaned_data["password"]:
        what = "save this" if keeps_email else "change the email"
        form.add_error("password", f"To {what}, enter your own password too.")
        return False
    if not knows_password(page_request, form):
        return False
    sessions.record_proof(page_request.request, page_request.now)
    return True


def _save_changes(page_request: PageRequest, before: Member, form: ChangedMembership) -> bool:
    """Save the changes of a valid form; if that isn't possible, add the reasons to the form."""
    draft = form.values
    del draft["password"]
    unchanged = based_on(
        form.base_version,
        page_request.district,
        lambda _: _initial(Member.objects.get(pk=before.pk)),
    )
    with form.collect_reasons(), unchanged:
        member = changes.change(before, page_request.member, page_request.now, **draft)
        page_request.audit("change member", "ok", f"member {member.pk}, {member.role}")
        page_request.success(f"Changes saved for {member.name}.{_email_notice(before, member)}")
        return True
    page_request.audit("change member", "refused", f"member {before.pk}")
    return False


def _email_notice(before: Member, after: Member) -> str:
    if before.email == after.email:
        return ""
    return f" The login is now {after.email}; {before.email} no longer works."


def _change_and_redirect(
    page_request: PageRequest,
    key: int,
    action: str,
    change: Callable[[Member], None],
    failure: str,
    question: Callable[[Member], Question] | None = None,
) -> HttpResponse:
    """Call ``change`` with the member, and redirect to the list with a message about the result.

    If there is a question about the member, it must be answered first.
    """
    member = page_request.require(
        members.find_member(page_request.member, key), action, f"member {key}"
    )
    if question and (page := ask(page_request, question(member))):
        return page
    try:
        change(member)
    except InvalidMember as error:
        page_request.audit(action, "refused", f"member {key}")
        page_request.error(f"{failure}: {error}.")
    else:
        page_request.audit(action, "ok", f"member {key}")
    return page_request.redirect("staff")
