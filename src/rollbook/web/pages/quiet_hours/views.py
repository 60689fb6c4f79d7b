"""Show and set the quiet hours of a district."""

from django.http import HttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.districts import quiet_hours
from rollbook.districts.concurrent_edits import based_on
from rollbook.districts.models import District
from rollbook.updates.planning import quiet
from rollbook.web.pages.base.view import FORM, PageRequest, member_page
from rollbook.web.pages.quiet_hours.forms import QuietHoursForm, initial


@member_page(Permission.MANAGE_SETTINGS, methods=FORM)
def index(page_request: PageRequest) -> HttpResponse:
    """Show the quiet hours, and change them."""
    district = page_request.district
    current = quiet_hours.of_district(district)
    form = QuietHoursForm(page_request.form_data, initial=initial(current))
    if form.is_valid():
        with form.collect_reasons(), based_on(form.base_version, district, _current):
            _save(page_request, form)
            return page_request.redirect("quiet-hours")
    context = {"form": form, "until": current.end_after(page_request.now)}
    return page_request.render_form("quiet_hours/index.html", form, context)


def _current(district: District) -> dict[str, object]:
    return initial(quiet_hours.of_district(district))


def _save(page_request: PageRequest, form: QuietHoursForm) -> None:
    """Save the quiet hours of a valid form."""
    district = page_request.district
    if not quiet_hours.save(district, form.by_weekday()):
        page_request.success("Nothing was changed.")
        return
    quiet.reschedule(district, page_request.now)
    page_request.audit("set quiet hours", "ok", str(quiet_hours.of_district(district)))
    page_request.success("Quiet hours saved.")
