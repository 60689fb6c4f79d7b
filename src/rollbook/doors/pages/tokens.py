"""The tokens of who is signed in: which there are, making one, which is shown once, and revoking one."""

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.doors.pages.proof_forms import NewToken
from rollbook.doors.pages.proving import knows_password
from rollbook.doors.pages.scripts import address
from rollbook.doors.pages.visit import FORM, POST, Visit, page
from rollbook.staff import tokens
from rollbook.staff.models import Token
from rollbook.staff.permissions import Permission


@page(Permission.UPDATE_STUDENTS)
def listed(visit: Visit) -> HttpResponse:
    made = [(token, _state(visit, token)) for token in tokens.of(visit.member)]
    return visit.render("pages/tokens.html", {"tokens": made})


@sensitive_post_parameters("password")
@page(Permission.UPDATE_STUDENTS, methods=FORM)
def new(visit: Visit) -> HttpResponse:
    """The answer to the form is the only page that ever shows the token."""
    form = NewToken(visit.sent)
    if form.is_valid() and (made := _made(visit, form)):
        token, secret = made
        return visit.render("pages/token_made.html", {"token": token, "secret": secret, "address": address()})
    return visit.render_form("pages/token_new.html", form)


@page(Permission.UPDATE_STUDENTS, methods=POST)
def revoke(visit: Visit, key: int) -> HttpResponse:
    """Only one's own."""
    if not tokens.of(visit.member).filter(pk=key).exists():
        return visit.not_found("revoke token", f"token {key}")
    revoked = tokens.revoke(visit.member, key, visit.now)
    if revoked:
        visit.note("revoke token", "ok", str(revoked))
        visit.say(f"{revoked.name} is revoked: a script that still sends it is turned away.")
    else:
        visit.complain("That token was not good any more.")
    return visit.redirect("tokens")


def _made(visit: Visit, form: NewToken) -> tuple[Token, str] | None:
    """The token and its secret; None: the form says why there is none. Raises Throttled."""
    if not knows_password(visit, form):
        return None
    with form.collect_reasons():
        token, secret = tokens.make(visit.member, form.cleaned_data["name"], form.chosen, visit.now, form.good_for)
        visit.note("make token", "ok", f"{token}: {', '.join(token.scopes)}")
        return token, secret
    return None


def _state(visit: Visit, token: Token) -> str:
    if token.revoked_at:
        return "revoked"
    return "good" if token.expires_at > visit.now else "expired"
