"""A first or a forgotten password, set by a mailed link."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.auth import emailed_links
from rollbook.accounts.auth.password_changes import request_password_reset, set_password
from rollbook.accounts.models import AccountMailKind, Member
from rollbook.web.http.client import address_of, agent_of
from rollbook.web.pages.base.view import public_page
from rollbook.web.pages.sign_in.forms import Forgotten, NewPassword
from rollbook.web.pages.sign_in.views import proven


@public_page()
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link. The answer is the same whether or not there is such a member."""
    form = Forgotten(request.POST if request.method == "POST" else None)
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
    """Set a password, by which the link is used up, and be signed in with it; by who has a second factor half-way."""
    try:
        member, kind = emailed_links.read(token)
    except emailed_links.LinkExpired as bad:
        return _bad_link(request, bad)
    form = NewPassword(request.POST if request.method == "POST" else None)
    if form.is_valid() and _set(request, member, form):
        answer = proven(request, member, resolve_url("home"))
        signed_in = "" if member.has_second_factor else f", and you are signed in as {member.email}"
        messages.success(request, f"Your password is set{signed_in}.")
        return answer
    facts = {"form": form, "member": member, "is_invited": kind is AccountMailKind.INVITATION}
    return render(request, "sign_in/new_password.html", facts, status=form.page_status)


def _set(request: HttpRequest, member: Member, form: NewPassword) -> bool:
    """Whether the password is set; if not, the form says why."""
    new = form.cleaned_data["new"]
    with form.collect_reasons("new"):
        set_password(
            member, new, timezone.now(), address=address_of(request), agent=agent_of(request)
        )
    return not form.errors


def _bad_link(request: HttpRequest, bad: emailed_links.LinkExpired) -> HttpResponse:
    """410 and not 404: whatever it was, it will never lead anywhere again, and nobody need ask once more."""
    return render(request, "sign_in/link_expired.html", {"reason": str(bad)}, status=410)
