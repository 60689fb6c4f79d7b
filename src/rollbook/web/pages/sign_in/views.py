"""Sign-in and sign-out: a password, and a code with two-step verification, start a session."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.auth import second_factor, sessions
from rollbook.accounts.auth import sign_in as auth_sign_in
from rollbook.accounts.models import Member
from rollbook.districts.suspension import require_not_suspended
from rollbook.web.http.authentication import audit_request
from rollbook.web.http.client import address_of, agent_of
from rollbook.web.pages.base.view import POST, SAFE, public_page
from rollbook.web.pages.sign_in.forms import Code, SignIn, post_data

# One message for every reason, so that it doesn't reveal whether the login exists.
SIGN_IN_FAILED = "Sign-in failed. Check your email and password."

WRONG_CODE = (
    "That code isn’t right. Each code works once, so wait for the next one in your app. "
    "If no code works, check the clock of your phone."
)


@public_page(methods=SAFE)
def slc(request: HttpRequest) -> HttpResponse:
    """Redirect from the address that the sign-in page had before Rollbook."""
    return redirect("sign-in")


@sensitive_post_parameters("password")
@public_page()
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with email and password; redirect members who are already signed in."""
    form = SignIn(post_data(request))
    if not form.is_bound and sessions.member_of(request):
        return redirect(_next_url(request))
    if not form.is_valid():
        return _render_sign_in(request, form, form.page_status)
    address, agent, now = address_of(request), agent_of(request), timezone.now()
    try:
        member = auth_sign_in.verify_password(
            **form.cleaned_data, address=address, now=now, agent=agent
        )
    except auth_sign_in.SignInFailed:
        form.add_error(None, SIGN_IN_FAILED)
        return _render_sign_in(request, form, 403)
    auth_sign_in.refuse_if_suspended(member, address, agent, now)
    if not member.has_second_factor:
        auth_sign_in.record_sign_in(member, address, agent, now)
    return continue_sign_in(request, member, _next_url(request))


@sensitive_post_parameters("code")
@public_page()
def code(request: HttpRequest) -> HttpResponse:
    """Complete a sign-in with a code, in the browser in which the password was entered.

    The page shows nothing about the member until the code is right.
    """
    now = timezone.now()
    member = sessions.pending_member(request, now)
    if member is None:
        return _restart_sign_in(request)
    require_not_suspended(member.district)
    form = Code(post_data(request))
    if not form.is_valid():
        return _render_code(request, form, form.page_status)
    try:
        codes_left = second_factor.verify_code(
            member, form.cleaned_data["code"], address_of(request), now, agent_of(request)
        )
    except second_factor.CodeRejected:
        form.add_error("code", WRONG_CODE)
        return _render_code(request, form, 403)
    auth_sign_in.record_sign_in(member, address_of(request), agent_of(request), now)
    begin_session(request, member)
    if codes_left is not None:
        messages.warning(request, _recovery_code_warning(codes_left))
    return redirect(_next_url(request))


@public_page(methods=POST)
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out."""
    member = sessions.member_of(request)
    if member:
        audit_request(request, "end session", "ok", timezone.now(), member=member)
    return end_session(request)


def end_session(request: HttpRequest) -> HttpResponse:
    """End the session of this browser, and redirect to the sign-in page."""
    sessions.end(request)
    messages.success(request, "You’re signed out.")
    return redirect("sign-in")


def continue_sign_in(request: HttpRequest, member: Member, next_url: str) -> HttpResponse:
    """Ask for a code if the member uses two-step verification; otherwise start the session.

    Args:
        request: The request of the browser.
        member: The member, whose password or emailed link has just been verified.
        next_url: The address to redirect to after the sign-in.
    """
    if member.has_second_factor:
        audit_request(request, "sign in", "code required", timezone.now(), member=member)
        sessions.begin_pending(request, member, timezone.now())
        query = "" if next_url == resolve_url("home") else "?" + urlencode({"next": next_url})
        return redirect(resolve_url("sign-in-code") + query)
    begin_session(request, member)
    return redirect(next_url)


def begin_session(request: HttpRequest, member: Member) -> None:
    """Start a session in this browser for a member whose sign-in is complete."""
    sessions.begin(request, member, address_of(request), agent_of(request), timezone.now())


def _render_sign_in(request: HttpRequest, form: SignIn, status: int) -> HttpResponse:
    context = {
        "form": form,
        "lost_form": request.GET.get("ended") == "form",
        "is_unused": not Member.objects.exists(),
    }
    return render(request, "sign_in/sign_in.html", context, status=status)


def _render_code(request: HttpRequest, form: Code, status: int) -> HttpResponse:
    return render(request, "sign_in/code.html", {"form": form}, status=status)


def _restart_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in page: no sign-in is waiting for a code in this browser."""
    if request.method == "POST":
        messages.error(
            request, "More than five minutes have passed. Sign in again and enter a new code."
        )
    return redirect("sign-in")


def _recovery_code_warning(codes_left: int) -> str:
    return (
        f"You used a recovery code. Recovery codes left: {codes_left}. "
        "You can create new ones under Your account."
    )


def _next_url(request: HttpRequest) -> str:
    """Return the address to redirect to after the sign-in, never one on another server."""
    url = request.GET.get("next", "")
    # Browsers ignore characters that aren't printable: "/\t/evil.example".
    is_local = url.startswith("/") and url.isprintable()
    if is_local and url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        return url
    return resolve_url("home")
