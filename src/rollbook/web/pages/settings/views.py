"""Settings: show and change the settings of a district."""

from django.http import HttpResponse
from django.views.decorators.gzip import gzip_page

from rollbook.accounts import district_settings
from rollbook.accounts.district_settings import InvalidSettings, SettingChange
from rollbook.accounts.permissions import Permission
from rollbook.districts.concurrent_edits import based_on
from rollbook.districts.models import District
from rollbook.web.pages.account.confirmation import confirmed
from rollbook.web.pages.base.questions import ask
from rollbook.web.pages.base.view import FORM, PageRequest, member_page
from rollbook.web.pages.settings.forms import SettingsForm, initial
from rollbook.web.pages.settings.questions import before_removing


@gzip_page
@member_page(Permission.MANAGE_SETTINGS, methods=FORM)
@confirmed
def settings(page_request: PageRequest) -> HttpResponse:
    """Show the settings, and change them."""
    form = SettingsForm(
        page_request.district,
        page_request.form_data,
        initial=_current(page_request.district),
    )
    if form.is_valid():
        question = before_removing(
            district_settings.load_settings(page_request.district), form.settings()
        )
        if question and not form.is_outdated and (page := ask(page_request, question)):
            return page
        if (changes := _save(page_request, form)) is not None:
            page_request.success(_message(changes))
            return page_request.redirect("settings")
    return page_request.render_form("settings/index.html", form)


def _message(changes: list[SettingChange]) -> str:
    if not changes:
        return "No settings were changed."
    names = ", ".join(change.setting for change in changes)
    return f"Settings saved: {names}."


def _save(page_request: PageRequest, form: SettingsForm) -> list[SettingChange] | None:
    """Save the settings and return the changes, each of which is recorded in the audit.

    If they can't be saved, add the reasons to the form and return None.
    """
    saved: list[SettingChange] | None = None
    try:
        with form.collect_reasons(), based_on(form.base_version, page_request.district, _current):
            by = page_request.member
            changes = district_settings.change(page_request.district, form.settings(), by)
            for change in changes:
                page_request.audit("change settings", "ok", str(change))
            saved = changes
    except InvalidSettings as error:
        page_request.audit("change settings", "refused", ", ".join(error.reasons))
        for field, reason in error.reasons.items():
            form.add_reasons(field, [reason])
    return saved


def _current(district: District) -> dict[str, object]:
    return initial(district_settings.load_settings(district))
