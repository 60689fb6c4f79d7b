"""Reauthentication: verify the signed-in member again before a change of their credentials."""

from rollbook.accounts.auth import second_factor
from rollbook.accounts.auth.sign_in import SignInFailed, verify_password
from rollbook.web.http.client import address_of, agent_of
from rollbook.web.pages.account.forms import Password, Proof
from rollbook.web.pages.base.view import PageRequest
from rollbook.web.pages.sign_in.views import WRONG_CODE

REAUTHENTICATION_FAILED = "That isn’t your password. Try again."


def knows_password(page_request: PageRequest, form: Password) -> bool:
    """Return whether the form has the member's password; if not, add an error to the form.

    Raises:
        RateLimited: If there have been too many wrong passwords.
    """
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
        form.add_error("password", REAUTHENTICATION_FAILED)
    return not form.errors


def knows_password_and_code(page_request: PageRequest, form: Proof) -> bool:
    """Return whether password and code are the member's; if not, add an error to the form.

    The code is only verified, and used up, if the password is right.

    Raises:
        RateLimited: If there have been too many wrong passwords or codes.
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
    except second_factor.CodeRejected:
        form.add_error("code", WRONG_CODE)
    return not form.errors
