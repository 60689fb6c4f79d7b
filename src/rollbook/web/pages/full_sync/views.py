"""Show what full sync would have done, and turn it on."""

from django.http import HttpResponse

from rollbook.accounts import sync_settings
from rollbook.accounts.permissions import Permission
from rollbook.districts.concurrent_edits import based_on
from rollbook.districts.models import District
from rollbook.updates.absences import preview
from rollbook.web.pages.account.confirmation import confirmed
from rollbook.web.pages.base.view import FORM, PageRequest, member_page
from rollbook.web.pages.full_sync.forms import FullSyncForm, initial

MAX_SCHOOLS = 100


@member_page(Permission.MANAGE_SETTINGS, methods=FORM)
@confirmed
def index(page_request: PageRequest) -> HttpResponse:
    """Show what the last completed file would have done, and who may use which mode."""
    district = page_request.district
    before = sync_settings.settings_of(district)
    form = FullSyncForm(page_request.form_data, initial=_current(district))
    if form.is_valid():
        with form.collect_reasons(), based_on(form.base_version, district, _current):
            wanted = form.settings()
            is_changed = sync_settings.save(district, wanted, page_request.now, page_request.member)
            if is_changed:
                page_request.audit("set full sync", "ok", str(wanted))
            message = "Full sync settings saved." if is_changed else "Nothing was changed."
            page_request.success(message)
            return page_request.redirect("full-sync")
    found = preview.of_last_file(district)
    schools = found.schools if found else ()
    context = {
        "preview": found,
        "is_on": before.allows_sync,
        "schools": schools[:MAX_SCHOOLS],
        "more_schools": max(0, len(schools) - MAX_SCHOOLS),
    }
    return page_request.render_form("full_sync/index.html", form, context)


def _current(district: District) -> dict[str, object]:
    return initial(sync_settings.settings_of(district))
