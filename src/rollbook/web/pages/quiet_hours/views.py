"""Show and set the quiet hours of a district."""

from django.http import HttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.districts import quiet_hours
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
        if quiet_hours.save(district, form.windows()):
            quiet.reschedule(district, page_request.now)
            wanted = quiet_hours.of_district(district)
            page_request.audit("set quiet hours", "ok", str(wanted))
            page_request.success("Quiet hours saved.")
        else:
            page_request.success("Nothing was changed.")
        return page_request.redirect("quiet-hours")
    context = {"form": form, "until": current.end_after(page_request.now)}
    return page_request.render_form("quiet_hours/index.html", form, context)
