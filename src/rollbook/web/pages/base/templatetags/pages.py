"""The templates' own words: how a state looks, when something was, where the navigation leads."""

from datetime import datetime
from typing import Any

from django import template
from django.urls import reverse

from rollbook.accounts.permissions import Permission
from rollbook.text import format_datetime
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import state_words
from rollbook.web.pages.base.view import PageRequest

register = template.Library()

# A sign and a tone for each state, so that neither colour nor sign is alone.
MARKS = {
    **{words.word: (words.sign, words.tone) for words in state_words.ALL},
    "active": ("✓", "good"),
    "invited": ("…", "waiting"),
    "inactive": ("■", "quiet"),
    "not active": ("■", "quiet"),
    "moved": ("✓", "good"),
    "withdrawn": ("■", "quiet"),
    "sent": ("✓", "good"),
    "on": ("✓", "good"),
    "off": ("·", "quiet"),
    "two-step verification": ("✓", "good"),
    "good": ("✓", "good"),
    "revoked": ("■", "quiet"),
    "expired": ("■", "quiet"),
    "error": ("✕", "bad"),
    "warning": ("!", "warn"),
}

NAVIGATION = (
    ("home", "Home", ()),
    ("students", "Students", (Permission.SEE_STUDENTS,)),
    ("groups", "Groups", (Permission.SEE_STUDENTS,)),
    ("updates", "Updates", (Permission.UPDATE_STUDENTS,)),
    ("automation", "Automation", (Permission.UPDATE_STUDENTS,)),
    ("schools", "Schools", (Permission.MANAGE_SCHOOLS,)),
    ("staff", "Staff", (Permission.MANAGE_STAFF,)),
    ("roles", "Roles", (Permission.MANAGE_ROLES,)),
    ("settings", "Settings", (Permission.MANAGE_SETTINGS,)),
    ("audit", "Audit", (Permission.SEE_AUDIT,)),
    ("help", "Help", ()),
)


@register.inclusion_tag("parts/status_badge.html")
def mark(word: object) -> dict[str, str]:
    """``{% mark "completed" %}``: the state's sign and word."""
    text = str(word)
    sign, tone = MARKS.get(text, ("·", "quiet"))
    return {"word": text, "sign": sign, "tone": tone}


@register.inclusion_tag("parts/status_badge.html")
def update_mark(update: UpdateJob) -> dict[str, str]:
    """``{% update_mark update %}``: the sign and word of the update's state."""
    return mark(state_words.words_of(update).word)


@register.inclusion_tag("parts/navigation.html", takes_context=True)
def navigation(context: template.Context) -> dict[str, Any]:
    """The rooms this member may enter, the one he is in marked."""
    page_request: PageRequest = context["page_request"]
    rooms = [
        (reverse(name), label) for name, label, any_of in NAVIGATION if page_request.may(*any_of)
    ]
    here = page_request.request.path
    return {
        "rooms": [(address, label, _is_inside(here, address)) for address, label in rooms],
        "page_request": page_request,
        "csrf_token": context["csrf_token"],
    }


@register.filter
def there(at: datetime | None, time_zone: str) -> str:
    """``{{ at|there:page_request.district.time_zone }}``: the moment in the district's time, with its date."""
    return format_datetime(at, time_zone)


@register.inclusion_tag("parts/pager.html", takes_context=True)
def pager(context: template.Context, page: Any, noun: str) -> dict[str, Any]:
    """Links to the pages before and after; ``page`` is a Page of paging.py. Other filters stay as they are."""
    return {"request": context["request"], "page": page, "noun": noun}


def _is_inside(path: str, address: str) -> bool:
    return path == address or (address != "/" and path.startswith(f"{address}/"))
