"""My account: who I am, my password, and where I am signed in."""

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.auth import api_tokens, second_factor, sessions
from rollbook.accounts.auth.password_changes import change_password
from rollbook.accounts.auth.sign_in import SignInFailed
from rollbook.accounts.permissions import Permission
from rollbook.text import count_of
from rollbook.web.http.client import address_of, agent_of
from rollbook.web.pages.account.forms import ChangedPassword
from rollbook.web.pages.account.user_agents import program_of
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.sign_in.views import begin, leave


@member_page()
def account(page_request: PageRequest) -> HttpResponse:
    member = page_request.member
    living = [
        (session, program_of(session.agent))
        for session in sessions.active_sessions(member, page_request.request)
    ]
    facts = {
        "is_district_wide": member.role.is_district_wide,
        "schools": member.schools.order_by("name", "organization_id"),
        "living": living,
        "others": len(living) - 1,
        "codes_left": second_factor.recovery_codes_left(member),
        "tokens": api_tokens.active_tokens(member, page_request.now).count(),
        "makes_tokens": page_request.may(Permission.UPDATE_STUDENTS),
    }
    return page_request.render("account/index.html", facts)


@sensitive_post_parameters("old", "new", "again")
@member_page(methods=FORM)
def password(page_request: PageRequest) -> HttpResponse:
    """Another password, for who knows the one there is. Every session ends with that; here a new one begins."""
    form = ChangedPassword(page_request.form_data)
    if form.is_valid() and _change(page_request, form):
        page_request.success(
            "Your password is changed. Wherever else you were signed in, that has ended."
        )
        return page_request.redirect("account")
    return page_request.render_form("account/password.html", form)


@member_page(methods=POST)
def end_session(page_request: PageRequest, handle: str) -> HttpResponse:
    """A handle of somebody else's session is one of none: it may just as well have ended by itself."""
    living = {
        session.handle: session
        for session in sessions.active_sessions(page_request.member, page_request.request)
    }
    if handle not in living or not sessions.end_one(page_request.member, handle):
        page_request.error("That session had ended already.")
        return page_request.redirect("account")
    page_request.audit("end session", "ok", "chosen from the list")
    if living[handle].is_this:
        return leave(page_request.request)
    page_request.success("The session is ended: that browser is asked for the password now.")
    return page_request.redirect("account")


@member_page(methods=POST)
def end_other_sessions(page_request: PageRequest) -> HttpResponse:
    ended = sessions.end_others(page_request.request, page_request.member)
    page_request.audit("end session", "ok", f"all others: {ended}")
    page_request.success(f"{count_of(ended, 'other session')} ended. You are signed in here only.")
    return page_request.redirect("account")


def _change(page_request: PageRequest, form: ChangedPassword) -> bool:
    """Whether the password is changed; if not, the form says why. Raises Throttled."""
    request, said = page_request.request, form.cleaned_data
    try:
        with form.collect_reasons("new"):
            known = change_password(
                page_request.member,
                said["old"],
                said["new"],
                address_of(request),
                page_request.now,
                agent_of(request),
            )
            begin(request, known)
    except SignInFailed:
        form.add_error("old", "That isn’t your password. Try again.")
    return not form.errors
