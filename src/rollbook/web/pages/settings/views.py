"""Settings: show and change the settings of a district."""

from django.db import transaction
from django.http import HttpResponse

from rollbook.accounts import district_settings, notices
from rollbook.accounts.district_settings import (
    SENSITIVE_SETTINGS,
    SETTING_LABELS,
    InvalidSettings,
    SettingChange,
    Settings,
)
from rollbook.accounts.models import Member
from rollbook.accounts.notices import Notice
from rollbook.accounts.permissions import Permission
from rollbook.web.pages.account.confirmation import confirmed
from rollbook.web.pages.base.view import FORM, PageRequest, member_page
from rollbook.web.pages.settings.forms import SettingsForm, initial


@member_page(Permission.MANAGE_SETTINGS, methods=FORM)
@confirmed
def settings(page_request: PageRequest) -> HttpResponse:
    """Show the settings, and change them."""
    form = SettingsForm(
        page_request.district,
        page_request.form_data,
        initial=initial(district_settings.load_settings(page_request.district)),
    )
    if form.is_valid() and (changes := _save(page_request, form)) is not None:
        page_request.success(_message(changes))
        return page_request.redirect("settings")
    return page_request.render_form("settings/index.html", form)


def _message(changes: list[SettingChange]) -> str:
    if not changes:
        return "No settings were changed."
    names = ", ".join(change.setting for change in changes)
    return f"Settings saved: {names}."


def _notify(
    page_request: PageRequest, before: Settings, after: Settings, changes: list[SettingChange]
) -> None:
    """Notify the other managers of sensitive settings, and members of their result emails."""
    now, district, by = page_request.now, page_request.district, page_request.member
    sensitive = {SETTING_LABELS[name] for name in SENSITIVE_SETTINGS}
    changed = [str(change) for change in changes if change.setting in sensitive]
    if changed:
        detail = "; ".join(changed)
        notices.notify_managers(Notice.SETTINGS_CHANGED, now, district, by=by, detail=detail)
    if before.receivers == after.receivers:
        return
    added, removed = after.receivers - before.receivers, before.receivers - after.receivers
    detail = f"{len(added)} added, {len(removed)} removed"
    notices.notify_managers(Notice.RECIPIENTS_CHANGED, now, district, by=by, detail=detail)
    for member in Member.objects.filter(district=district, pk__in=added | removed):
        detail = "get them now" if member.pk in added else "no longer get them"
        notices.notify(Notice.RECIPIENT_CHANGED, now, member, by=by, detail=detail)


def _save(page_request: PageRequest, form: SettingsForm) -> list[SettingChange] | None:
    """Save the settings and return the changes, each of which is recorded in the audit.

    If they can't be saved, add the reasons to the form and return None.
    """
    try:
        with transaction.atomic():
            before = district_settings.load_settings(page_request.district)
            changes = district_settings.change(page_request.district, form.settings())
            for change in changes:
                page_request.audit("change settings", "ok", str(change))
            _notify(page_request, before, form.settings(), changes)
    except InvalidSettings as error:
        page_request.audit("change settings", "refused", ", ".join(error.reasons))
        for field, reason in error.reasons.items():
            form.add_reasons(field, [reason])
        return None
    return changes
