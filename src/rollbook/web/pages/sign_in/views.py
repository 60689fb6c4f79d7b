"""In and out: a login and a password, and where there is a second factor a code, become a session, and end as one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.auth import second_factor, sessions
from rollbook.accounts.auth import sign_in as auth_sign_in
from rollbook.accounts.models import Member
from rollbook.web.http.authentication import audit_request
from rollbook.web.http.client import address_of, agent_of
from rollbook.web.pages.base.view import POST, SAFE, public_page
from rollbook.web.pages.sign_in.forms import Code, SignIn

# Whichever it was, and whether there is such a member at all: one text.
NOT_SIGNED_IN = "The e-mail or the password is not right."

WRONG_CODE = (
    "This is not right. Each code is good once; wait for the app’s next one. "
    "If none is ever right, look at the clock of your phone."
)


@public_page(methods=SAFE)
def slc(request: HttpRequest) -> HttpResponse:
    """Where the sign-in was before Rollbook."""
    return redirect("sign-in")


@sensitive_post_parameters("password")
@public_page()
def sign_in(request: HttpRequest) -> HttpResponse:
    """Whoever is signed in already is led on; sending the form signs in anew, as whom it names."""
    form = SignIn(request.POST if request.method == "POST" else None)
    if not form.is_bound and sessions.member_of(request):
        return redirect(_onward(request))
    if not form.is_valid():
        return _shown(request, form, form.page_status)
    address, agent, now = address_of(request), agent_of(request), timezone.now()
    try:
        member = auth_sign_in.verify_password(
            **form.cleaned_data, address=address, now=now, agent=agent
        )
    except auth_sign_in.SignInFailed:
        form.add_error(None, NOT_SIGNED_IN)
        return _shown(request, form, 403)
    if not member.has_second_factor:
        auth_sign_in.record_sign_in(member, address, agent, now)
    return proven(request, member, _onward(request))


@sensitive_post_parameters("code")
@public_page()
def code(request: HttpRequest) -> HttpResponse:
    """The second half, in the browser that had the first. Until it is right nothing of the member is shown."""
    now = timezone.now()
    member = sessions.pending_member(request, now)
    if member is None:
        return _from_the_beginning(request)
    form = Code(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _shown_code(request, form, form.page_status)
    try:
        left = second_factor.verify_code(
            member, form.cleaned_data["code"], address_of(request), now, agent_of(request)
        )
    except second_factor.CodeFailed:
        form.add_error("code", WRONG_CODE)
        return _shown_code(request, form, 403)
    auth_sign_in.record_sign_in(member, address_of(request), agent_of(request), now)
    begin(request, member)
    _tell_of(request, left)
    return redirect(_onward(request))


@public_page(methods=POST)
def sign_out(request: HttpRequest) -> HttpResponse:
    member = sessions.member_of(request)
    if member:
        audit_request(request, "end session", "ok", timezone.now(), member=member)
    return leave(request)


def leave(request: HttpRequest) -> HttpResponse:
    """Nobody is signed in here any more."""
    sessions.end(request)
    messages.success(request, "You are signed out.")
    return redirect("sign-in")


def proven(request: HttpRequest, member: Member, onward: str) -> HttpResponse:
    """The member has just proven to know the password, or to read the mail: on to the code, or to where he wants."""
    if member.has_second_factor:
        audit_request(request, "sign in", "code asked for", timezone.now(), member=member)
        sessions.begin_pending(request, member, timezone.now())
        query = "" if onward == resolve_url("home") else "?" + urlencode({"next": onward})
        return redirect(resolve_url("sign-in-code") + query)
    begin(request, member)
    return redirect(onward)


def begin(request: HttpRequest, member: Member) -> None:
    """The member has just proven to be it, with all that takes: this browser is signed in from now on."""
    sessions.begin(request, member, address_of(request), agent_of(request), timezone.now())


def _shown(request: HttpRequest, form: SignIn, status: int) -> HttpResponse:
    return render(request, "sign_in/sign_in.html", {"form": form}, status=status)


def _shown_code(request: HttpRequest, form: Code, status: int) -> HttpResponse:
    return render(request, "sign_in/code.html", {"form": form}, status=status)


def _from_the_beginning(request: HttpRequest) -> HttpResponse:
    """Nobody is half way in this browser, any more."""
    if request.method == "POST":
        messages.error(
            request, "That took more than five minutes. Sign in again, then with a new code."
        )
    return redirect("sign-in")


def _tell_of(request: HttpRequest, left: int | None) -> None:
    """A recovery code was used, and so many are left."""
    if left is not None:
        text = f"That was a recovery code. Left: {left}. Make new ones under Your account before they are used up."
        messages.warning(request, text)


def _onward(request: HttpRequest) -> str:
    """Where the page_request was going, if that is a place of ours; never to another server."""
    wanted = request.GET.get("next", "")
    local = (
        wanted.startswith("/") and wanted.isprintable()
    )  # browsers leave out what is not: "/\t/evil.example"
    return (
        wanted
        if local and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
        else resolve_url("home")
    )
