"""The filters of emails: texts of users, which must not become links, numbers and code."""

import re

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from rollbook.text import format_number

register = template.Library()

_SLASHES = re.compile(r"[:：]?[/\\⁄∕／＼]{2,}")
_DOT = re.compile(r"([.．。｡:：])(?=\S)")
_CODE = re.compile(r"`([^`]+)`")
_AT = re.compile(r"[@＠]")


@register.filter
def plain(text: object) -> str:
    """Return a name or another text of a user in a form that no email program makes a link of.

    Double slashes become spaces, and periods are followed by one: ``https://evil.example/x``
    becomes ``https evil. example/x``, and ``J.R. Smith`` ``J. R. Smith``.
    """
    without_slashes = _SLASHES.sub(" ", str(text))
    return " ".join(_DOT.sub(r"\1 ", _AT.sub(" at ", without_slashes)).split())


@register.filter
def code(text: str) -> SafeString:
    """Return a text as HTML, with what is between backquotes as code."""
    parts = _CODE.split(text)
    shown = format_html("{}", parts[0])
    for inside, after in zip(parts[1::2], parts[2::2], strict=True):
        shown = format_html("{}<code>{}</code>{}", shown, inside, after)
    return shown


@register.filter
def number(count: int) -> str:
    """Return a number with separators, such as ``4,812``."""
    return format_number(count)
