"""Who is signed in proves once more to be it, before anything is changed by which the member is known."""

from rollbook.accounts.auth import second_factor
from rollbook.accounts.auth.sign_in import SignInFailed, verify_password
from rollbook.web.http.client import address_of, agent_of
from rollbook.web.pages.account.forms import Password, Proof
from rollbook.web.pages.base.view import PageRequest
from rollbook.web.pages.sign_in.views import WRONG_CODE


def knows_password(page_request: PageRequest, form: Password) -> bool:
    """Whether the form's password is the member's; if not, the form says so. Raises Throttled: a guess is one."""
    request = page_request.request
    try:
        verify_password(
            page_request.member.email,
            form.cleaned_data["password"],
            address_of(request),
            page_request.now,
            agent_of(request),
        )
    except SignInFailed:
        form.add_error("password", "That isn’t your password. Try again.")
    return not form.errors


def is_proven(page_request: PageRequest, form: Proof) -> bool:
    """Whether password and code are the member's; if not, the form says so, and no code is used up by a wrong password.

    Raises Throttled.
    """
    if not knows_password(page_request, form):
        return False
    request = page_request.request
    try:
        second_factor.verify_code(
            page_request.member,
            form.cleaned_data["code"],
            address_of(request),
            page_request.now,
            agent_of(request),
        )
    except second_factor.CodeFailed:
        form.add_error("code", WRONG_CODE)
    return not form.errors
