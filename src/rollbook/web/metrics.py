"""``/metrics`` for Prometheus, with a token, from certain networks, or not at all."""

import ipaddress

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from rollbook.operations.monitoring import metrics as monitoring_metrics
from rollbook.operations.monitoring.cached import StillComputing
from rollbook.web.http.client import address_of
from rollbook.web.http.responses import TEXT


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Respond with all metrics.

    Without a token or networks in the settings, and from any other network, there is nothing at
    this address.
    """
    if not _is_from_network(request):
        raise Http404
    if not _has_token(request):
        return _error(401, "metrics_token", "send the token of ROLLBOOK_METRICS_TOKEN as Bearer")
    try:
        snapshot = monitoring_metrics.current()
    except StillComputing:
        return _error(503, "slow", "the metrics take too long; see the server log")
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(snapshot), content_type=content_type)


def _is_from_network(request: HttpRequest) -> bool:
    """Return whether the settings allow requests from the client's network."""
    if not settings.METRICS_NETWORKS:
        return bool(settings.METRICS_TOKEN)
    address = ipaddress.ip_address(address_of(request))
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in settings.METRICS_NETWORKS)


def _has_token(request: HttpRequest) -> bool:
    if not settings.METRICS_TOKEN:
        return True
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(
        token.strip(), settings.METRICS_TOKEN
    )


def _error(status: int, code: str, text: str) -> HttpResponse:
    response = HttpResponse(f"ERROR {code}: {text}\n", status=status, content_type=TEXT)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Rollbook metrics"'
    return response
