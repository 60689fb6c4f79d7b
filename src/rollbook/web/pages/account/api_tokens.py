"""The tokens of who is signed in: which there are, making one, which is shown once, and revoking one."""

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.web.pages.account.forms import NewToken
from rollbook.web.pages.account.reauthentication import knows_password
from rollbook.web.pages.automation.scripts import address
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.accounts.auth import api_tokens
from rollbook.accounts.models import Token
from rollbook.accounts.permissions import Permission


@member_page(Permission.UPDATE_STUDENTS)
def index(visit: PageRequest) -> HttpResponse:
    made = [(token, _state(visit, token)) for token in api_tokens.tokens_of(visit.member)]
    return visit.render("account/tokens.html", {"tokens": made})


@sensitive_post_parameters("password")
@member_page(Permission.UPDATE_STUDENTS, methods=FORM)
def new(visit: PageRequest) -> HttpResponse:
    """The answer to the form is the only page that ever shows the token."""
    form = NewToken(visit.form_data)
    if form.is_valid() and (made := _made(visit, form)):
        token, secret = made
        return visit.render("account/token_created.html", {"token": token, "secret": secret, "address": address()})
    return visit.render_form("account/token_new.html", form)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def revoke(visit: PageRequest, key: int) -> HttpResponse:
    """Only one's own."""
    if not api_tokens.tokens_of(visit.member).filter(pk=key).exists():
        return visit.not_found("revoke token", f"token {key}")
    revoked = api_tokens.revoke(visit.member, key, visit.now)
    if revoked:
        visit.audit("revoke token", "ok", str(revoked))
        visit.success(f"{revoked.name} is revoked: a script that still sends it is turned away.")
    else:
        visit.error("That token was not good any more.")
    return visit.redirect("tokens")


def _made(visit: PageRequest, form: NewToken) -> tuple[Token, str] | None:
    """The token and its secret; None: the form says why there is none. Raises Throttled."""
    if not knows_password(visit, form):
        return None
    with form.collect_reasons():
        token, secret = api_tokens.create(visit.member, form.cleaned_data["name"], form.chosen, visit.now, form.good_for)
        visit.audit("make token", "ok", f"{token}: {', '.join(token.scopes)}")
        return token, secret
    return None


def _state(visit: PageRequest, token: Token) -> str:
    if token.revoked_at:
        return "revoked"
    return "good" if token.expires_at > visit.now else "expired"
