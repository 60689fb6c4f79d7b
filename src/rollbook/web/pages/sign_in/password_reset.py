"""Password reset: set a first or forgotten password with an emailed link."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.auth import emailed_links
from rollbook.accounts.auth.password_changes import request_password_reset, set_password
from rollbook.accounts.models import AccountMailKind, Member
from rollbook.districts.suspension import require_not_suspended
from rollbook.web.http.client import address_of, agent_of
from rollbook.web.pages.base.view import public_page
from rollbook.web.pages.sign_in.forms import Forgotten, NewPassword, post_data
from rollbook.web.pages.sign_in.views import continue_sign_in


@public_page()
def forgotten(request: HttpRequest) -> HttpResponse:
    """Email a link to reset the password; the page doesn't reveal whether the login exists."""
    form = Forgotten(post_data(request))
    if not form.is_valid():
        return render(
            request, "sign_in/forgot_password.html", {"form": form}, status=form.page_status
        )
    login = form.cleaned_data["login"]
    request_password_reset(login, address_of(request), timezone.now(), agent_of(request))
    return render(request, "sign_in/reset_requested.html", {"login": login})


@sensitive_post_parameters("new", "again")
@public_page()
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Set a password with an emailed link, which works once, and sign the member in.

    Members with two-step verification still have to enter a code.
    """
    try:
        member, kind = emailed_links.read_token(token)
    except emailed_links.LinkExpired as error:
        return _link_expired(request, error)
    require_not_suspended(member.district)
    form = NewPassword(post_data(request))
    if form.is_valid() and _set_password(request, member, form):
        response = continue_sign_in(request, member, resolve_url("home"))
        messages.success(request, _success_message(member))
        return response
    context = {"form": form, "member": member, "is_invited": kind is AccountMailKind.INVITATION}
    return render(request, "sign_in/new_password.html", context, status=form.page_status)


def _set_password(request: HttpRequest, member: Member, form: NewPassword) -> bool:
    """Set the password of a valid form; if it violates the policy, add the reasons to the form."""
    new = form.cleaned_data["new"]
    with form.collect_reasons("new"):
        set_password(
            member, new, timezone.now(), address=address_of(request), agent=agent_of(request)
        )
    return not form.errors


def _success_message(member: Member) -> str:
    if member.has_second_factor:
        return "Password set."
    return f"Password set. You’re signed in as {member.email}."


def _link_expired(request: HttpRequest, error: emailed_links.LinkExpired) -> HttpResponse:
    """Render the page for an expired link, with status 410: it will never work again."""
    return render(request, "sign_in/link_expired.html", {"reason": str(error)}, status=410)
