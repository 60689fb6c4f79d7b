"""Automation: the commands and scripts of this district, ready to copy."""

import shlex
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse

from rollbook.web.pages.automation import scripts
from rollbook.web.pages.base import errors
from rollbook.web.pages.automation.scripts import AT, FOLDER, SCRIPTS, Values
from rollbook.web.pages.base.view import PageRequest, member_page
from rollbook.accounts.permissions import Permission


@member_page(Permission.UPDATE_STUDENTS)
def automation(visit: PageRequest) -> HttpResponse:
    values = _values(visit)
    server = urlsplit(settings.URL)
    facts = {
        "server": server.netloc,
        "host": server.hostname,
        "port": server.port or 443,
        "address": values.address,
        "login": shlex.quote(f"login={values.login}"),
        "plain_login": values.login,
        "scripts": {name.replace(".", "_").replace("-", "_"): scripts.script(name, values) for name in SCRIPTS},
        "folder": FOLDER,
        "at": AT,
    }
    return visit.render("automation/index.html", facts)


@member_page(Permission.UPDATE_STUDENTS)
def script(visit: PageRequest, name: str) -> HttpResponse:
    """One of them as a file."""
    if name not in SCRIPTS:
        return errors.not_found(visit.request, visit)
    file = SCRIPTS[name].as_file(scripts.script(name, _values(visit)))
    answer = HttpResponse(file, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _values(visit: PageRequest) -> Values:
    district = visit.district
    return Values(scripts.address(), visit.member.email, district.name, district.time_zone)
