"""Who is signed in proves once more to be it, before anything is changed by which the member is known."""

from rollbook.web.pages.account.forms import Password, Proof
from rollbook.web.pages.sign_in.views import WRONG_CODE
from rollbook.web.pages.base.view import PageRequest
from rollbook.web.http.client import address_of, agent_of
from rollbook.accounts.auth import second_factor
from rollbook.accounts.auth.sign_in import SignInFailed, verify_password


def knows_password(visit: PageRequest, form: Password) -> bool:
    """Whether the form's password is the member's; if not, the form says so. Raises Throttled: a guess is one."""
    request = visit.request
    try:
        verify_password(visit.member.email, form.cleaned_data["password"], address_of(request), visit.now, agent_of(request))
    except SignInFailed:
        form.add_error("password", "This is not your password. Type it again.")
    return not form.errors


def is_proven(visit: PageRequest, form: Proof) -> bool:
    """Whether password and code are the member's; if not, the form says so, and no code is used up by a wrong password.

    Raises Throttled.
    """
    if not knows_password(visit, form):
        return False
    request = visit.request
    try:
        second_factor.verify_code(visit.member, form.cleaned_data["code"], address_of(request), visit.now, agent_of(request))
    except second_factor.CodeFailed:
        form.add_error("code", WRONG_CODE)
    return not form.errors
