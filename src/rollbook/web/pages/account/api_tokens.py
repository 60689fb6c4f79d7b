"""Tokens: list, create and revoke the tokens of the signed-in member."""

from django.http import HttpResponse
from django.shortcuts import resolve_url
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.token_limits import TokenLimits
from rollbook.accounts.models import Token
from rollbook.accounts.permissions import Permission
from rollbook.web.pages.account.forms import NewToken, TokenForm
from rollbook.web.pages.account.reauthentication import knows_password
from rollbook.web.pages.automation.scripts import commands_url
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page


@member_page(Permission.UPDATE_STUDENTS)
def index(page_request: PageRequest) -> HttpResponse:
    """List the member's tokens."""
    tokens = api_tokens.tokens_of(page_request.member)
    rows = [(token, _state(page_request, token), limits_of(token)) for token in tokens]
    context = {"tokens": rows}
    return page_request.render("account/tokens.html", context)


@sensitive_post_parameters("password")
@member_page(Permission.UPDATE_STUDENTS, methods=FORM)
def new(page_request: PageRequest) -> HttpResponse:
    """Create a token; the response is the only page that shows it."""
    form = NewToken(page_request.form_data)
    if form.is_valid() and (created := create_token(page_request, form)):
        token, secret = created
        context = {
            "token": token,
            "limits": limits_of(token),
            "secret": secret,
            "address": commands_url(),
        }
        return page_request.render("account/token_created.html", context)
    return page_request.render_form("account/token_new.html", form)


@member_page(Permission.UPDATE_STUDENTS, methods=POST)
def revoke(page_request: PageRequest, key: int) -> HttpResponse:
    """Revoke one of the member's own tokens."""
    own = api_tokens.tokens_of(page_request.member).filter(pk=key).first()
    asked_about = page_request.require(own, "revoke token", f"token {key}")
    question = Question(
        f"Revoke {asked_about.name}?",
        (
            f"Scripts that use the token rb_{asked_about.key}… stop working right away. This can’t "
            "be undone, but you can create another token.",
        ),
        "Revoke token",
        resolve_url("tokens"),
    )
    if page := ask(page_request, question):
        return page
    token = api_tokens.revoke(page_request.member, key, page_request.now)
    if token:
        page_request.audit("revoke token", "ok", str(token))
        page_request.success(f"Token revoked: {token.name}. Scripts can no longer use it.")
    else:
        page_request.error("That token had already expired or been revoked.")
    return page_request.redirect("tokens")


def limits_of(token: Token) -> list[str]:
    """Return a sentence for each limit of a token, without its period."""
    return list(TokenLimits.of(token).sentences())


def create_token(page_request: PageRequest, form: TokenForm) -> tuple[Token, str] | None:
    """Create the token of a valid form, and return it with its secret.

    If it can't be created, add the reasons to the form and return None.

    Raises:
        RateLimited: If there have been too many wrong passwords.
    """
    if not knows_password(page_request, form):
        return None
    with form.collect_reasons(form.reasons_at):
        token, secret = api_tokens.create(
            page_request.member,
            form.cleaned_data["name"],
            form.chosen_scopes,
            page_request.now,
            form.lifetime,
            form.limits,
        )
        page_request.audit("create token", "ok", f"{token}: {', '.join(token.scopes)}")
        return token, secret
    return None


def _state(page_request: PageRequest, token: Token) -> str:
    if token.revoked_at:
        return "revoked"
    return "active" if token.expires_at > page_request.now else "expired"
