"""Automation: the upload commands and nightly scripts of this district, ready to copy.

A wizard makes one download for a platform, with everything filled in, and waits for its first call.
"""

import base64
import shlex
from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from rollbook.accounts.auth import api_tokens
from rollbook.accounts.permissions import Permission
from rollbook.web.pages.account.api_tokens import create_token
from rollbook.web.pages.automation import scripts
from rollbook.web.pages.automation.forms import Setup
from rollbook.web.pages.automation.scripts import FOLDER, RUN_AT, SCRIPTS, Values
from rollbook.web.pages.automation.setup import PLATFORMS, steps, zip_file
from rollbook.web.pages.base import errors
from rollbook.web.pages.base.view import FORM, PageRequest, is_htmx, member_page


@member_page(Permission.UPDATE_STUDENTS)
def automation(page_request: PageRequest) -> HttpResponse:
    """Show the upload commands and the nightly scripts."""
    values = _values(page_request)
    server = urlsplit(settings.URL)
    context = {
        "server": server.netloc,
        "host": server.hostname,
        "port": server.port or 443,
        "address": values.address,
        "login": shlex.quote(f"login={values.login}"),
        "plain_login": values.login,
        "scripts": {_template_name(name): scripts.script(name, values) for name in SCRIPTS},
        "folder": FOLDER,
        "run_at": RUN_AT,
        "platforms": PLATFORMS.items(),
    }
    return page_request.render("automation/index.html", context)


@sensitive_post_parameters("password")
@member_page(Permission.UPDATE_STUDENTS, methods=FORM)
def setup(page_request: PageRequest, platform: str) -> HttpResponse:
    """Create a token and the download with it; the response is the only page that has them."""
    if platform not in PLATFORMS:
        return errors.not_found(page_request.request, page_request)
    form = Setup(page_request.form_data)
    context = {"platform": PLATFORMS[platform]}
    if form.is_valid() and (created := create_token(page_request, form)):
        token, secret = created
        fails = form.cleaned_data["fails_on_rejected"]
        values = replace(_values(page_request), fails_on_rejected=fails)
        download = base64.b64encode(zip_file(platform, values, secret)).decode()
        ready = {"token": token, "download": download, "steps": steps(platform).splitlines()}
        return page_request.render("automation/ready.html", {**context, **ready})
    return page_request.render_form("automation/setup.html", form, context)


@member_page(Permission.UPDATE_STUDENTS, background_poll=True)
def first_call(page_request: PageRequest, key: int) -> HttpResponse:
    """Show whether the token has been used; for htmx only that."""
    found = api_tokens.tokens_of(page_request.member).filter(pk=key).first()
    token = page_request.require(found, "first call", f"token {key}")
    part = is_htmx(page_request.request)
    template = "automation/parts/first_call.html" if part else "automation/first_call.html"
    return page_request.render(template, {"token": token})


@member_page(Permission.UPDATE_STUDENTS)
def script(page_request: PageRequest, name: str) -> HttpResponse:
    """Download one of the scripts."""
    if name not in SCRIPTS:
        return errors.not_found(page_request.request, page_request)
    file = SCRIPTS[name].as_file(scripts.script(name, _values(page_request)))
    response = HttpResponse(file, content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _template_name(name: str) -> str:
    """Return the name of a script as templates can use it: ``nightly_sh``."""
    return name.replace(".", "_").replace("-", "_")


def _values(page_request: PageRequest) -> Values:
    district = page_request.district
    return Values(
        scripts.commands_url(), page_request.member.email, district.name, district.time_zone
    )
