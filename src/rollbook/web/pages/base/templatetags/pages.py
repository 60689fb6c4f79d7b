"""Template tags of the pages: badges of states, dates and times, navigation and paging."""

from datetime import datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from rollbook.text import format_datetime
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import state_words
from rollbook.updates.reporting.state_words import NOTHING_APPLIED, badge_words
from rollbook.web.pages.base.navigation import navigation_of
from rollbook.web.pages.base.view import PageRequest

register = template.Library()

# The sign and the tone of each state: neither color nor sign has to be understood alone.
BADGES = {
    **{words.word: (words.sign, words.tone) for words in (*state_words.ALL, NOTHING_APPLIED)},
    "active": ("✓", "good"),
    "invited": ("…", "waiting"),
    "inactive": ("■", "quiet"),
    "not active": ("■", "quiet"),
    "pending": ("…", "waiting"),
    "withdrawn": ("■", "quiet"),
    "sent": ("✓", "good"),
    "on": ("✓", "good"),
    "off": ("·", "quiet"),
    "two-step verification": ("✓", "good"),
    "good": ("✓", "good"),
    "revoked": ("■", "quiet"),
    "first call received": ("✓", "good"),
    "waiting for the first call": ("…", "waiting"),
    "expired": ("■", "quiet"),
    "over a limit": ("!", "warn"),
    "error": ("✕", "bad"),
    "warning": ("!", "warn"),
}


@register.inclusion_tag("parts/status_badge.html")
def badge(word: object) -> dict[str, str]:
    """Render the badge of a state: ``{% badge "completed" %}``."""
    text = str(word)
    sign, tone = BADGES.get(text, ("·", "quiet"))
    return {"word": text, "sign": sign, "tone": tone}


@register.inclusion_tag("parts/status_badge.html")
def update_badge(update: UpdateJob) -> dict[str, str]:
    """Render the badge of an update's state: ``{% update_badge update %}``."""
    return badge(badge_words(update).word)


@register.inclusion_tag("parts/navigation.html", takes_context=True)
def navigation(context: template.Context) -> dict[str, Any]:
    """Render the navigation: the entries that this member may open, the current one marked."""
    page_request: PageRequest = context["page_request"]
    return {
        "navigation": navigation_of(page_request),
        "path": page_request.request.path,
        "page_request": page_request,
        "csrf_token": context["csrf_token"],
    }


@register.filter
def local_time(at: datetime | None, time_zone: str) -> SafeString | str:
    """Return the date and time in the district's time zone, as a ``time`` element.

    In a template: ``{{ at|local_time:page_request.district.time_zone }}``.
    """
    if at is None:
        return ""
    text = format_datetime(at, time_zone)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), text)


@register.inclusion_tag("parts/pager.html", takes_context=True)
def pager(context: template.Context, page: Any, noun: str) -> dict[str, Any]:
    """Render links to the previous and next page of a list; filters in the address are kept.

    Args:
        context: the template's context.
        page: a ``rollbook.pagination.Page``.
        noun: what the list contains, in the plural.
    """
    return {"request": context["request"], "page": page, "noun": noun}
