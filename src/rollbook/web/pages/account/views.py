"""Your account: profile, password, and sessions."""

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.auth import api_tokens, second_factor, sessions
from rollbook.accounts.auth.password_changes import change_password
from rollbook.accounts.auth.sign_in import SignInFailed
from rollbook.accounts.members import email_choices
from rollbook.accounts.permissions import Permission
from rollbook.text import count_of
from rollbook.web.http.client import address_of, agent_of
from rollbook.web.pages.account.forms import EMAIL_CHOICES, ChangedPassword, UpdateEmails
from rollbook.web.pages.account.reauthentication import REAUTHENTICATION_FAILED
from rollbook.web.pages.account.user_agents import program_of
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.sign_in.views import begin_session
from rollbook.web.pages.sign_in.views import end_session as end_this_session


@member_page()
def account(page_request: PageRequest) -> HttpResponse:
    """Show the member's profile, how they sign in, and their sessions."""
    member = page_request.member
    active_sessions = sessions.active_sessions(member, page_request.request)
    context = {
        "is_district_wide": member.role.is_district_wide,
        "schools": member.schools.order_by("name", "organization_id"),
        "sessions": [(session, program_of(session.agent)) for session in active_sessions],
        "has_others": len(active_sessions) > 1,
        "codes_left": second_factor.recovery_codes_left(member),
        "tokens": api_tokens.active_tokens(member, page_request.now).count(),
        "emails": EMAIL_CHOICES[member.update_emails],
        "can_create_tokens": page_request.may(Permission.UPDATE_STUDENTS),
    }
    return page_request.render("account/index.html", context)


@member_page(methods=FORM)
def emails(page_request: PageRequest) -> HttpResponse:
    """Choose which emails about updates the member gets."""
    member = page_request.member
    form = UpdateEmails(page_request.form_data, initial={"choice": member.update_emails})
    if form.is_valid():
        email_choices.choose(member, form.chosen, page_request.now)
        page_request.audit("choose emails", "ok", form.chosen)
        page_request.success("Your choice of emails was saved.")
        return page_request.redirect("account")
    return page_request.render_form("account/emails.html", form)


@sensitive_post_parameters("old", "new", "again")
@member_page(methods=FORM)
def password(page_request: PageRequest) -> HttpResponse:
    """Change the password; this ends every session and starts a new one in this browser."""
    form = ChangedPassword(page_request.form_data)
    if form.is_valid() and _change_password(page_request, form):
        page_request.success("Password changed. You’ve been signed out everywhere else.")
        return page_request.redirect("account")
    return page_request.render_form("account/password.html", form)


@member_page(methods=POST)
def end_session(page_request: PageRequest, handle: str) -> HttpResponse:
    """End one of the member's sessions.

    The handle of another member's session is treated like that of a session that has ended.
    """
    active_sessions = {
        session.handle: session
        for session in sessions.active_sessions(page_request.member, page_request.request)
    }
    if handle not in active_sessions or not sessions.end_one(page_request.member, handle):
        page_request.error("That session had already ended.")
        return page_request.redirect("account")
    page_request.audit("end session", "ok", "chosen from the list")
    if active_sessions[handle].is_this:
        return end_this_session(page_request.request)
    page_request.success("Session ended. That browser has to sign in again.")
    return page_request.redirect("account")


@member_page(methods=POST)
def end_other_sessions(page_request: PageRequest) -> HttpResponse:
    """End all sessions of the member except this one."""
    ended = sessions.end_others(page_request.request, page_request.member)
    page_request.audit("end session", "ok", f"all others: {ended}")
    page_request.success(
        f"{count_of(ended, 'other session')} ended. You’re only signed in here now."
    )
    return page_request.redirect("account")


def _change_password(page_request: PageRequest, form: ChangedPassword) -> bool:
    """Change the password of a valid form; if that isn't possible, add the reasons to the form.

    Raises:
        RateLimited: If there have been too many wrong passwords.
    """
    request, fields = page_request.request, form.cleaned_data
    try:
        with form.collect_reasons("new"):
            member = change_password(
                page_request.member,
                fields["old"],
                fields["new"],
                address_of(request),
                page_request.now,
                agent_of(request),
            )
            begin_session(request, member)
    except SignInFailed:
        form.add_error("old", REAUTHENTICATION_FAILED)
    return not form.errors
