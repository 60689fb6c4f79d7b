"""``/.well-known/security.txt``: where to report a vulnerability of this server (RFC 9116)."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.responses import TEXT, error_response

PATH = "/.well-known/security.txt"
VALID_FOR = timedelta(days=180)
"""RFC 9116 recommends less than a year."""


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Respond with the contacts of the settings; without any, there is nothing at this address."""
    if not request.is_secure():
        return error_response(request, ApiError("use_https"))
    if not settings.SECURITY_CONTACT:
        raise Http404
    return HttpResponse(_text(timezone.now()), content_type=TEXT)


def _text(now: datetime) -> str:
    """Return the file, which is the same all day and says that it is valid from then on."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return "".join(
        [
            *(f"Contact: {contact}\n" for contact in settings.SECURITY_CONTACT),
            f"Expires: {midnight + VALID_FOR:%Y-%m-%dT%H:%M:%SZ}\n",
            "Preferred-Languages: en\n",
            f"Canonical: {settings.URL}{PATH}\n",
        ]
    )
