"""In and out: a login and a password become a session, and end as one."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.doors.pages import errors
from rollbook.doors.pages.forms import SignIn
from rollbook.doors.pages.visit import POST, SAFE, Visit, open_page
from rollbook.doors.studentupdate.asking import note
from rollbook.doors.studentupdate.client import address_of, agent_of
from rollbook.staff import sessions, signing_in
from rollbook.staff.models import Member
from rollbook.staff.throttle import Throttled
from rollbook.updates.wording import duration

# Whichever it was, and whether there is such a member at all: one text.
NOT_SIGNED_IN = "The e-mail or the password is not right."


@open_page(methods=SAFE)
def slc(request: HttpRequest) -> HttpResponse:
    """Where the sign-in was before Rollbook."""
    return redirect("sign-in")


@sensitive_post_parameters("password")
@open_page()
def sign_in(request: HttpRequest) -> HttpResponse:
    """Whoever is signed in already is led on; sending the form signs in anew, as whom it names."""
    form = SignIn(request.POST if request.method == "POST" else None)
    if not form.is_bound and sessions.member_of(request):
        return redirect(_onward(request))
    if not form.is_valid():
        return _shown(request, form, 422 if form.is_bound else 200)
    now = timezone.now()
    try:
        member = signing_in.sign_in(**form.cleaned_data, address=address_of(request), now=now, agent=agent_of(request))
    except signing_in.SignInFailed:
        form.add_error(None, NOT_SIGNED_IN)
        return _shown(request, form, 403)
    except Throttled as throttled:
        return too_often(request, throttled)
    begin(request, member)
    return redirect(_onward(request))


@open_page(methods=POST)
def sign_out(request: HttpRequest) -> HttpResponse:
    member = sessions.member_of(request)
    if member:
        note(request, "end session", "ok", timezone.now(), member=member)
    return leave(request)


def leave(request: HttpRequest) -> HttpResponse:
    """Nobody is signed in here any more."""
    sessions.end(request)
    messages.success(request, "You are signed out.")
    return redirect("sign-in")


def begin(request: HttpRequest, member: Member) -> None:
    """The member has just proven to be it: this browser is signed in from now on."""
    sessions.begin(request, member, address_of(request), agent_of(request), timezone.now())


def too_often(request: HttpRequest, throttled: Throttled, visit: Visit | None = None) -> HttpResponse:
    """It has to wait, and until when."""
    wait = duration(timedelta(seconds=throttled.retry_after))
    text = f"There were too many tries. Nothing was looked at this time. Try again in {wait}."
    answer = errors.shown(request, 429, "Wait a moment", text, visit)
    answer.headers["Retry-After"] = str(throttled.retry_after)
    return answer


def _shown(request: HttpRequest, form: SignIn, status: int) -> HttpResponse:
    return render(request, "pages/sign_in.html", {"form": form}, status=status)


def _onward(request: HttpRequest) -> str:
    """Where the visit was going, if that is a place of ours; never to another server."""
    wanted = request.GET.get("next", "")
    local = wanted.startswith("/") and wanted.isprintable()  # browsers leave out what is not: "/\t/evil.example"
    return wanted if local and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else resolve_url("home")
