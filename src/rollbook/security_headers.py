"""The headers of every response, also of those that the application never sees."""

from collections.abc import Mapping
from types import MappingProxyType

HSTS_SECONDS = 365 * 24 * 3600

_UNUSED_FEATURES = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)

SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in _UNUSED_FEATURES),
    }
)
HSTS = "Strict-Transport-Security", f"max-age={HSTS_SECONDS}"
"""The header of responses over HTTPS."""
