"""Automation: the upload commands and nightly scripts of this district, ready to copy."""

import shlex
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.web.pages.automation import scripts
from rollbook.web.pages.automation.scripts import FOLDER, RUN_AT, SCRIPTS, Values
from rollbook.web.pages.base import errors
from rollbook.web.pages.base.view import PageRequest, member_page


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
    }
    return page_request.render("automation/index.html", context)


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
