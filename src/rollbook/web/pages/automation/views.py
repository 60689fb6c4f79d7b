"""Automation: the commands and scripts of this district, ready to copy."""

import shlex
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.web.pages.automation import scripts
from rollbook.web.pages.automation.scripts import AT, FOLDER, SCRIPTS, Values
from rollbook.web.pages.base import errors
from rollbook.web.pages.base.view import PageRequest, member_page


@member_page(Permission.UPDATE_STUDENTS)
def automation(page_request: PageRequest) -> HttpResponse:
    values = _values(page_request)
    server = urlsplit(settings.URL)
    facts = {
        "server": server.netloc,
        "host": server.hostname,
        "port": server.port or 443,
        "address": values.address,
        "login": shlex.quote(f"login={values.login}"),
        "plain_login": values.login,
        "scripts": {
            name.replace(".", "_").replace("-", "_"): scripts.script(name, values)
            for name in SCRIPTS
        },
        "folder": FOLDER,
        "at": AT,
    }
    return page_request.render("automation/index.html", facts)


@member_page(Permission.UPDATE_STUDENTS)
def script(page_request: PageRequest, name: str) -> HttpResponse:
    """One of them as a file."""
    if name not in SCRIPTS:
        return errors.not_found(page_request.request, page_request)
    file = SCRIPTS[name].as_file(scripts.script(name, _values(page_request)))
    answer = HttpResponse(file, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _values(page_request: PageRequest) -> Values:
    district = page_request.district
    return Values(scripts.address(), page_request.member.email, district.name, district.time_zone)
