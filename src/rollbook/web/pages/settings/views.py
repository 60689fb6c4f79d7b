"""Settings: what a district settles for itself."""

from django.db import transaction
from django.http import HttpResponse

from rollbook.accounts import district_settings
from rollbook.accounts.district_settings import InvalidSettings, SettingChange
from rollbook.accounts.permissions import Permission
from rollbook.web.pages.base.view import FORM, PageRequest, member_page
from rollbook.web.pages.settings.forms import SettingsForm, initial


@member_page(Permission.MANAGE_SETTINGS, methods=FORM)
def settings(page_request: PageRequest) -> HttpResponse:
    form = SettingsForm(
        page_request.district,
        page_request.form_data,
        initial=initial(district_settings.load_settings(page_request.district)),
    )
    if form.is_valid() and (changed := _changed(page_request, form)) is not None:
        told = ", ".join(each.what for each in changed)
        page_request.success(
            f"Saved: {told}." if changed else "Nothing was changed: all of it was so already."
        )
        return page_request.redirect("settings")
    return page_request.render_form("settings/index.html", form)


def _changed(page_request: PageRequest, form: SettingsForm) -> list[SettingChange] | None:
    """What is otherwise now, each of which the audit tells; None if it could not be, and then the form says why."""
    try:
        with transaction.atomic():
            changed = district_settings.change(page_request.district, form.wanted())
            for each in changed:
                page_request.audit("change settings", "ok", str(each))
    except InvalidSettings as refused:
        page_request.audit("change settings", "refused", ", ".join(refused.reasons))
        for field, reason in refused.reasons.items():
            form.add_reasons(field, [reason])
        return None
    return changed
