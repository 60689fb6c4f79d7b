"""The page of limits, which all its forms share."""

from collections.abc import Mapping

from django.http import HttpResponse

from rollbook.districts.local_dates import local_date
from rollbook.updates.planning import expectations, limit_sets
from rollbook.updates.planning.limit_sets import CurrentLimits
from rollbook.web.pages.base.view import PageRequest
from rollbook.web.pages.limits.forms import ExpectForm, LimitsForm, initial

VERSIONS_SHOWN = 10


def render_index(
    page_request: PageRequest,
    current: CurrentLimits,
    form: LimitsForm | ExpectForm,
    more: Mapping[str, object] | None = None,
    status: int | None = None,
) -> HttpResponse:
    """Return the page of limits.

    Args:
        page_request: The request.
        current: The limits of the district.
        form: The form that was submitted, or the form of limits.
        more: More of the template's context.
        status: The HTTP status; None: by the form.
    """
    district, now = page_request.district, page_request.now
    _, applying = current.document.limits_on(local_date(district, now))
    active = limit_sets.find_expectations(district.pk, now)
    context = {
        "form": form,
        "limits": LimitsForm(initial=initial(current.document, current.version)),
        "expecting": ExpectForm(district, now),
        "current": current,
        "applying": applying,
        "expectations": [(each, expectations.describe(each)) for each in active],
        "versions": limit_sets.latest_versions(district.pk, VERSIONS_SHOWN),
        **(more or {}),
    }
    context["expecting" if isinstance(form, ExpectForm) else "limits"] = form
    return page_request.render("limits/index.html", context, status or form.page_status)
