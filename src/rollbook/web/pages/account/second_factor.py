"""The second factor of who is signed in: switching it on and off, and recovery codes."""

import io
from collections.abc import Callable

import segno
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.auth import second_factor as factors
from rollbook.accounts.auth import sessions
from rollbook.accounts.auth.second_factor import AlreadyOn, CodeFailed, SecondFactorSetup
from rollbook.accounts.permissions import Permission
from rollbook.web.pages.account.forms import NewSecondFactor, Proof
from rollbook.web.pages.account.reauthentication import is_proven, knows_password
from rollbook.web.pages.automation.scripts import commands_url
from rollbook.web.pages.base.view import FORM, PageRequest, member_page
from rollbook.web.pages.sign_in.views import WRONG_CODE

QR_SIDE = 5
"""Units of one square; the page says how large the whole is."""


@sensitive_post_parameters("code", "password")
@member_page(methods=FORM, setting_up=True)
def second_factor(page_request: PageRequest) -> HttpResponse:
    """How it stands; while it is off, how it is switched on."""
    if page_request.member.has_second_factor:
        left = factors.recovery_codes_left(page_request.member)
        return page_request.render("account/two_step.html", {"codes_left": left})
    form = NewSecondFactor(page_request.form_data)
    try:
        made = _switched_on(page_request, form) if form.is_valid() else None
    except AlreadyOn:
        return page_request.redirect("second-factor")
    if made:
        return _shown_once(page_request, made.recovery_codes, made.token, is_first=True)
    facts = {
        "secret": factors.in_letters(page_request.member, _draft(page_request)),
        "needs_token": page_request.may(Permission.UPDATE_STUDENTS),
    }
    return page_request.render_form("account/two_step_new.html", form, facts)


@member_page(setting_up=True)
def qr(page_request: PageRequest) -> HttpResponse:
    """The secret that is about to be one, for the camera of a phone."""
    if page_request.member.has_second_factor:
        return page_request.redirect("second-factor")
    code = segno.make_qr(factors.address(page_request.member, _draft(page_request)), error="m")
    picture = io.BytesIO()
    # On white in the dark too: cameras know it no other way.
    code.save(picture, kind="svg", scale=QR_SIDE, dark="#000", light="#fff")
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


@sensitive_post_parameters("code", "password")
@member_page(methods=FORM)
def recovery_codes(page_request: PageRequest) -> HttpResponse:
    """Ten new ones instead of those before."""

    def anew(page_request: PageRequest) -> HttpResponse:
        codes = factors.new_recovery_codes(page_request.member)
        page_request.audit("recovery codes", "made")
        return _shown_once(page_request, codes, None, is_first=False)

    return _once_proven(page_request, "account/recovery_codes.html", anew)


@sensitive_post_parameters("code", "password")
@member_page(methods=FORM)
def switch_off(page_request: PageRequest) -> HttpResponse:
    """The password alone is enough again."""

    def off(page_request: PageRequest) -> HttpResponse:
        factors.switch_off(page_request.member, page_request.now)
        page_request.audit("second factor off", "ok")
        page_request.success(
            "Your second factor is switched off. Tokens stay good until they are revoked."
        )
        return page_request.redirect("account")

    return _once_proven(page_request, "account/two_step_off.html", off)


def _once_proven(
    page_request: PageRequest, template: str, do: Callable[[PageRequest], HttpResponse]
) -> HttpResponse:
    """Ask for password and code, and do it when both are right; of who has no second factor there is nothing to ask."""
    if not page_request.member.has_second_factor:
        page_request.error("Your second factor is off.")
        return page_request.redirect("second-factor")
    form = Proof(page_request.form_data)
    if form.is_valid() and is_proven(page_request, form):
        return do(page_request)
    return page_request.render_form(template, form)


def _shown_once(
    page_request: PageRequest, codes: tuple[str, ...], token: str | None, *, is_first: bool
) -> HttpResponse:
    facts = {"codes": codes, "token": token, "address": commands_url(), "is_first": is_first}
    return page_request.render("account/two_step_on.html", facts)


def _switched_on(page_request: PageRequest, form: NewSecondFactor) -> SecondFactorSetup | None:
    """What is told once; None: the form says why it stays off. Raises Throttled and AlreadyOn."""
    if not knows_password(page_request, form):
        return None
    code = "".join(form.cleaned_data["code"].split())
    try:
        made = factors.switch_on(page_request.member, _draft(page_request), code, page_request.now)
    except CodeFailed:
        form.add_error("code", WRONG_CODE)
        return None
    sessions.clear_pending_totp_secret(page_request.request)
    sessions.end_others(page_request.request, page_request.member)
    page_request.audit("second factor on", "ok", "with a token for scripts" if made.token else "")
    return made


def _draft(page_request: PageRequest) -> str:
    return sessions.pending_totp_secret(
        page_request.request, lambda: factors.new_encrypted_secret(page_request.member)
    )
