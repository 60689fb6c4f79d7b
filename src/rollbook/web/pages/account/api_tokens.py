"""The tokens of who is signed in: which there are, making one, which is shown once, and revoking one."""

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.auth import api_tokens
from rollbook.accounts.models import Token
from rollbook.accounts.permissions import Permission
from rollbook.web.pages.account.forms import NewToken
from rollbook.web.pages.account.reauthentication import knows_password
from rollbook.web.pages.automation.scripts import commands_url
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page


@member_page(Permission.UPDATE_STUDENTS)
def index(page_request: PageRequest) -> HttpResponse:
    made = [
        (token, _state(page_request, token)) for token in api_tokens.tokens_of(page_request.member)
    ]
    return page_request.render("account/tokens.html", {"tokens": made})


@sensitive_post_parameters("password")
@member_page(Permission.UPDATE_STUDENTS, methods=FORM)
def new(page_request: PageRequest) -> HttpResponse:
    """The answer to the form is the only page that ever shows the token."""
    form = NewToken(page_request.form_data)
    if form.is_valid() and (made := _made(page_request, form)):
        token, secret = made
        return page_request.render(
            "account/token_created.html", {"token": token, "secret": secret, "address": commands_url()}
        )
    return page_request.render_form("account/token_new.html", form)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def revoke(page_request: PageRequest, key: int) -> HttpResponse:
    """Only one's own."""
    if not api_tokens.tokens_of(page_request.member).filter(pk=key).exists():
        return page_request.not_found("revoke token", f"token {key}")
    revoked = api_tokens.revoke(page_request.member, key, page_request.now)
    if revoked:
        page_request.audit("revoke token", "ok", str(revoked))
        page_request.success(
            f"{revoked.name} is revoked: a script that still sends it is turned away."
        )
    else:
        page_request.error("That token was not good any more.")
    return page_request.redirect("tokens")


def _made(page_request: PageRequest, form: NewToken) -> tuple[Token, str] | None:
    """The token and its secret; None: the form says why there is none. Raises Throttled."""
    if not knows_password(page_request, form):
        return None
    with form.collect_reasons():
        token, secret = api_tokens.create(
            page_request.member,
            form.cleaned_data["name"],
            form.chosen,
            page_request.now,
            form.good_for,
        )
        page_request.audit("make token", "ok", f"{token}: {', '.join(token.scopes)}")
        return token, secret
    return None


def _state(page_request: PageRequest, token: Token) -> str:
    if token.revoked_at:
        return "revoked"
    return "good" if token.expires_at > page_request.now else "expired"
