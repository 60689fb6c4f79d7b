"""Confirmation: ask for the password or a code again before something sensitive.

It is asked for if the member last proved who they are more than ``sessions.PROOF_LIFETIME`` ago.
A submitted form is kept in the page that asks, and handled after that.
"""

from functools import wraps
from typing import ParamSpec

from django import forms
from django.http import HttpResponse, HttpResponseBase

from rollbook.accounts.auth import second_factor, sessions
from rollbook.accounts.auth.sign_in import SignInFailed, verify_password
from rollbook.web.http.client import address_of, agent_of
from rollbook.web.pages.account.reauthentication import REAUTHENTICATION_FAILED
from rollbook.web.pages.base.forms import FormWithReasons
from rollbook.web.pages.base.questions import CONFIRMATION, NEVER_KEPT
from rollbook.web.pages.base.view import SAFE, MemberView, PageRequest
from rollbook.web.pages.sign_in.forms import CODE, OLD_PASSWORD
from rollbook.web.pages.sign_in.views import WRONG_CODE

P = ParamSpec("P")


class Confirmation(FormWithReasons):
    """The member's password; a code if they use two-step verification."""

    confirmation = forms.CharField(strip=False)

    def __init__(self, page_request: PageRequest) -> None:
        is_sent = CONFIRMATION in page_request.request.POST
        super().__init__(page_request.request.POST if is_sent else None)
        field = self.fields[CONFIRMATION]
        if page_request.member.has_second_factor:
            field.label, field.widget = "Code", forms.TextInput(CODE)
            field.help_text = "The six-digit code from your authenticator app, or a recovery code."
        else:
            field.label, field.widget = "Your password", forms.PasswordInput(OLD_PASSWORD)


def confirmed(view: MemberView[P]) -> MemberView[P]:
    """Return the view, which handles a form only after a recent proof; pages are just shown."""

    @wraps(view)
    def checked(
        page_request: PageRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if page_request.request.method in SAFE:
            return view(page_request, *args, **kwargs)
        return ask_for_proof(page_request) or view(page_request, *args, **kwargs)

    return checked


def ask_for_proof(page_request: PageRequest) -> HttpResponse | None:
    """Return the page that asks for the password or a code; None if there is a recent proof.

    Raises:
        RateLimited: If there have been too many wrong passwords or codes.
    """
    request = page_request.request
    if sessions.has_recent_proof(request, page_request.now):
        return None
    form = Confirmation(page_request)
    if form.is_valid() and _is_right(page_request, form):
        sessions.record_proof(request, page_request.now)
        return None
    kept = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in NEVER_KEPT
    ]
    context = {"form": form, "kept": kept, "action": request.get_full_path()}
    return page_request.render("account/confirm.html", context, status=403)


def _is_right(page_request: PageRequest, form: Confirmation) -> bool:
    """Return whether the password or code is the member's; if not, add an error to the form."""
    member, request = page_request.member, page_request.request
    client = address_of(request), page_request.now, agent_of(request)
    typed = form.cleaned_data[CONFIRMATION]
    try:
        if member.has_second_factor:
            second_factor.verify_code(member, typed, *client)
        else:
            verify_password(member.email, typed, *client)
    except second_factor.CodeRejected:
        form.add_error(CONFIRMATION, WRONG_CODE)
    except SignInFailed:
        form.add_error(CONFIRMATION, REAUTHENTICATION_FAILED)
    return not form.errors
