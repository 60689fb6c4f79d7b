"""Tokens of the district's staff: list those that work, and revoke all of them."""

from django.http import HttpResponse
from django.shortcuts import resolve_url

from rollbook.accounts.auth import api_tokens
from rollbook.accounts.permissions import Permission
from rollbook.text import count_of
from rollbook.web.pages.account.api_tokens import limits_of
from rollbook.web.pages.account.confirmation import confirmed
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import POST, PageRequest, member_page


@member_page(Permission.MANAGE_SETTINGS)
def index(page_request: PageRequest) -> HttpResponse:
    """List the active tokens of the district."""
    tokens = api_tokens.active_in(page_request.district, page_request.now)
    context = {"tokens": [(token, limits_of(token)) for token in tokens]}
    return page_request.render("staff/tokens.html", context)


@member_page(Permission.MANAGE_SETTINGS, methods=POST)
@confirmed
def revoke_all(page_request: PageRequest) -> HttpResponse:
    """Revoke all tokens of the district, such as after a script's machine was stolen."""
    count = api_tokens.active_in(page_request.district, page_request.now).count()
    question = Question(
        f"Revoke {count_of(count, 'token')}?",
        (
            "Every script of the district that uses a token stops working right away, including "
            "the nightly one. This can’t be undone; create other tokens for the scripts.",
        ),
        f"Revoke {count_of(count, 'token')}",
        resolve_url("staff-tokens"),
    )
    if page := ask(page_request, question):
        return page
    revoked = api_tokens.revoke_all_in(page_request.district, page_request.member)
    page_request.audit("revoke token", "ok", f"all of the district: {revoked}")
    page_request.success(f"{count_of(revoked, 'token')} revoked. Scripts can no longer use them.")
    return page_request.redirect("staff-tokens")
