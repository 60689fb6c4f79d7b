"""The second factor of who is signed in: switching it on and off, and recovery codes."""

import io
from collections.abc import Callable

import segno
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.web.pages.account.forms import NewSecondFactor, Proof
from rollbook.web.pages.account.reauthentication import is_proven, knows_password
from rollbook.web.pages.automation.scripts import address
from rollbook.web.pages.sign_in.views import WRONG_CODE
from rollbook.web.pages.base.view import FORM, PageRequest, member_page
from rollbook.accounts.auth import second_factor as factors
from rollbook.accounts.auth import sessions
from rollbook.accounts.permissions import Permission
from rollbook.accounts.auth.second_factor import AlreadyOn, CodeFailed, SecondFactorSetup

QR_SIDE = 5
"""Units of one square; the page says how large the whole is."""


@sensitive_post_parameters("code", "password")
@member_page(methods=FORM, setting_up=True)
def second_factor(visit: PageRequest) -> HttpResponse:
    """How it stands; while it is off, how it is switched on."""
    if visit.member.has_second_factor:
        left = factors.recovery_codes_left(visit.member)
        return visit.render("account/two_step.html", {"codes_left": left})
    form = NewSecondFactor(visit.form_data)
    try:
        made = _switched_on(visit, form) if form.is_valid() else None
    except AlreadyOn:
        return visit.redirect("second-factor")
    if made:
        return _shown_once(visit, made.recovery_codes, made.token, is_first=True)
    facts = {
        "secret": factors.in_letters(visit.member, _draft(visit)),
        "needs_token": visit.may(Permission.UPDATE_STUDENTS),
    }
    return visit.render_form("account/two_step_new.html", form, facts)


@member_page(setting_up=True)
def qr(visit: PageRequest) -> HttpResponse:
    """The secret that is about to be one, for the camera of a phone."""
    if visit.member.has_second_factor:
        return visit.redirect("second-factor")
    code = segno.make_qr(factors.address(visit.member, _draft(visit)), error="m")
    picture = io.BytesIO()
    # On white in the dark too: cameras know it no other way.
    code.save(picture, kind="svg", scale=QR_SIDE, dark="#000", light="#fff")
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


@sensitive_post_parameters("code", "password")
@member_page(methods=FORM)
def recovery_codes(visit: PageRequest) -> HttpResponse:
    """Ten new ones instead of those before."""

    def anew(visit: PageRequest) -> HttpResponse:
        codes = factors.new_recovery_codes(visit.member)
        visit.audit("recovery codes", "made")
        return _shown_once(visit, codes, None, is_first=False)

    return _once_proven(visit, "account/recovery_codes.html", anew)


@sensitive_post_parameters("code", "password")
@member_page(methods=FORM)
def switch_off(visit: PageRequest) -> HttpResponse:
    """The password alone is enough again."""

    def off(visit: PageRequest) -> HttpResponse:
        factors.switch_off(visit.member, visit.now)
        visit.audit("second factor off", "ok")
        visit.success("Your second factor is switched off. Tokens stay good until they are revoked.")
        return visit.redirect("account")

    return _once_proven(visit, "account/two_step_off.html", off)


def _once_proven(visit: PageRequest, template: str, do: Callable[[PageRequest], HttpResponse]) -> HttpResponse:
    """Ask for password and code, and do it when both are right; of who has no second factor there is nothing to ask."""
    if not visit.member.has_second_factor:
        visit.error("Your second factor is off.")
        return visit.redirect("second-factor")
    form = Proof(visit.form_data)
    if form.is_valid() and is_proven(visit, form):
        return do(visit)
    return visit.render_form(template, form)


def _shown_once(visit: PageRequest, codes: tuple[str, ...], token: str | None, *, is_first: bool) -> HttpResponse:
    facts = {"codes": codes, "token": token, "address": address(), "is_first": is_first}
    return visit.render("account/two_step_on.html", facts)


def _switched_on(visit: PageRequest, form: NewSecondFactor) -> SecondFactorSetup | None:
    """What is told once; None: the form says why it stays off. Raises Throttled and AlreadyOn."""
    if not knows_password(visit, form):
        return None
    code = "".join(form.cleaned_data["code"].split())
    try:
        made = factors.switch_on(visit.member, _draft(visit), code, visit.now)
    except CodeFailed:
        form.add_error("code", WRONG_CODE)
        return None
    sessions.clear_pending_totp_secret(visit.request)
    sessions.end_others(visit.request, visit.member)
    visit.audit("second factor on", "ok", "with a token for scripts" if made.token else "")
    return made


def _draft(visit: PageRequest) -> str:
    return sessions.pending_totp_secret(visit.request, lambda: factors.new_encrypted_secret(visit.member))
