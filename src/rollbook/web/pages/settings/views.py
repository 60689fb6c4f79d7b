"""Settings: what a district settles for itself."""

from django.db import transaction
from django.http import HttpResponse

from rollbook.web.pages.settings.forms import SettingsForm, initial
from rollbook.web.pages.base.view import FORM, PageRequest, member_page
from rollbook.accounts import district_settings
from rollbook.accounts.district_settings import InvalidSettings, SettingChange
from rollbook.accounts.permissions import Permission


@member_page(Permission.MANAGE_SETTINGS, methods=FORM)
def settings(visit: PageRequest) -> HttpResponse:
    form = SettingsForm(visit.district, visit.form_data, initial=initial(district_settings.load_settings(visit.district)))
    if form.is_valid() and (changed := _changed(visit, form)) is not None:
        told = ", ".join(each.what for each in changed)
        visit.success(f"Saved: {told}." if changed else "Nothing was changed: all of it was so already.")
        return visit.redirect("settings")
    return visit.render_form("settings/index.html", form)


def _changed(visit: PageRequest, form: SettingsForm) -> list[SettingChange] | None:
    """What is otherwise now, each of which the audit tells; None if it could not be, and then the form says why."""
    try:
        with transaction.atomic():
            changed = district_settings.change(visit.district, form.wanted())
            for each in changed:
                visit.audit("change settings", "ok", str(each))
    except InvalidSettings as refused:
        visit.audit("change settings", "refused", ", ".join(refused.reasons))
        for field, reason in refused.reasons.items():
            form.add_reasons(field, [reason])
        return None
    return changed
