"""Two-step verification: turn it on and off, and create recovery codes."""

import io
from collections.abc import Callable

import segno
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.auth import second_factor as factors
from rollbook.accounts.auth import sessions
from rollbook.accounts.auth.second_factor import AlreadyTurnedOn, CodeRejected, SecondFactorSetup
from rollbook.accounts.permissions import Permission
from rollbook.web.pages.account.forms import NewSecondFactor, Proof
from rollbook.web.pages.account.reauthentication import knows_password, knows_password_and_code
from rollbook.web.pages.automation.scripts import commands_url
from rollbook.web.pages.base.view import FORM, PageRequest, member_page
from rollbook.web.pages.sign_in.views import WRONG_CODE

QR_MODULE_UNITS = 5
"""The side of one square of the QR code in SVG units; the page sets the size of the image."""


@sensitive_post_parameters("code", "password")
@member_page(methods=FORM, allow_without_second_factor=True)
def second_factor(page_request: PageRequest) -> HttpResponse:
    """Show whether two-step verification is on; if it is off, turn it on."""
    if page_request.member.has_second_factor:
        codes_left = factors.recovery_codes_left(page_request.member)
        return page_request.render("account/two_step.html", {"codes_left": codes_left})
    form = NewSecondFactor(page_request.form_data)
    try:
        setup = _turn_on(page_request, form) if form.is_valid() else None
    except AlreadyTurnedOn:
        return page_request.redirect("second-factor")
    if setup:
        return _render_secrets(page_request, setup.recovery_codes, setup.token, is_first=True)
    context = {
        "secret": factors.secret_as_text(page_request.member, _pending_secret(page_request)),
        "needs_token": page_request.may(Permission.UPDATE_STUDENTS),
    }
    return page_request.render_form("account/two_step_new.html", form, context)


@member_page(allow_without_second_factor=True)
def qr(page_request: PageRequest) -> HttpResponse:
    """Return the QR code of the secret that is being set up, as SVG."""
    if page_request.member.has_second_factor:
        return page_request.redirect("second-factor")
    url = factors.otpauth_uri(page_request.member, _pending_secret(page_request))
    image = io.BytesIO()
    # White background in dark mode too: cameras don't recognize an inverted code.
    segno.make_qr(url, error="m").save(
        image, kind="svg", scale=QR_MODULE_UNITS, dark="#000", light="#fff"
    )
    return HttpResponse(image.getvalue(), content_type="image/svg+xml")


@sensitive_post_parameters("code", "password")
@member_page(methods=FORM)
def recovery_codes(page_request: PageRequest) -> HttpResponse:
    """Replace the recovery codes with ten new ones."""

    def replace(page_request: PageRequest) -> HttpResponse:
        codes = factors.new_recovery_codes(page_request.member)
        page_request.audit("recovery codes", "created")
        return _render_secrets(page_request, codes, None, is_first=False)

    return _after_reauthentication(page_request, "account/recovery_codes.html", replace)


@sensitive_post_parameters("code", "password")
@member_page(methods=FORM)
def turn_off_page(page_request: PageRequest) -> HttpResponse:
    """Turn off two-step verification."""

    def turn_off(page_request: PageRequest) -> HttpResponse:
        factors.turn_off(page_request.member, page_request.now)
        page_request.audit("two-step verification off", "ok")
        page_request.success(
            "Two-step verification was turned off. Your tokens keep working until you revoke them."
        )
        return page_request.redirect("account")

    return _after_reauthentication(page_request, "account/two_step_off.html", turn_off)


def _after_reauthentication(
    page_request: PageRequest, template: str, action: Callable[[PageRequest], HttpResponse]
) -> HttpResponse:
    """Ask for password and code, and run the action when both are right."""
    if not page_request.member.has_second_factor:
        page_request.error("Two-step verification is off.")
        return page_request.redirect("second-factor")
    form = Proof(page_request.form_data)
    if form.is_valid() and knows_password_and_code(page_request, form):
        return action(page_request)
    return page_request.render_form(template, form)


def _render_secrets(
    page_request: PageRequest, codes: tuple[str, ...], token: str | None, *, is_first: bool
) -> HttpResponse:
    """Render the page that shows recovery codes and token; nothing shows them again."""
    context = {"codes": codes, "token": token, "address": commands_url(), "is_first": is_first}
    return page_request.render("account/two_step_on.html", context)


def _turn_on(page_request: PageRequest, form: NewSecondFactor) -> SecondFactorSetup | None:
    """Turn on two-step verification, and return the recovery codes and the token.

    If password or code is wrong, add that to the form and return None.

    Raises:
        AlreadyTurnedOn: If it has been turned on in the meantime.
        RateLimited: If there have been too many wrong passwords.
    """
    if not knows_password(page_request, form):
        return None
    secret = _pending_secret(page_request)
    code = "".join(form.cleaned_data["code"].split())
    try:
        setup = factors.turn_on(page_request.member, secret, code, page_request.now)
    except CodeRejected:
        form.add_error("code", WRONG_CODE)
        return None
    sessions.clear_pending_totp_secret(page_request.request)
    sessions.end_others(page_request.request, page_request.member)
    detail = "with a token for scripts" if setup.token else ""
    page_request.audit("two-step verification on", "ok", detail)
    return setup


def _pending_secret(page_request: PageRequest) -> str:
    """Return the encrypted secret that is being set up in this session."""
    member, request = page_request.member, page_request.request

    def pending() -> str:
        return sessions.pending_totp_secret(request, lambda: factors.new_encrypted_secret(member))

    secret = pending()
    try:
        factors.secret_as_text(member, secret)
    except factors.SecretUnreadable:  # its key was lost meanwhile; the app gets another secret
        sessions.clear_pending_totp_secret(request)
        return pending()
    return secret
