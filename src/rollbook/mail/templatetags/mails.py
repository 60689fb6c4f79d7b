"""The filter for texts of users in emails, which must not become links."""

import re

from django import template

register = template.Library()

_SLASHES = re.compile(r"[:：]?[/\\⁄∕／＼]{2,}")
_DOT = re.compile(r"([.．。｡:：])(?=\S)")
_AT = re.compile(r"[@＠]")


@register.filter
def plain(text: object) -> str:
    """Return a name or another text of a user in a form that no email program makes a link of.

    Double slashes become spaces, and periods are followed by one: ``https://evil.example/x``
    becomes ``https evil. example/x``, and ``J.R. Smith`` ``J. R. Smith``.
    """
    without_slashes = _SLASHES.sub(" ", str(text))
    return " ".join(_DOT.sub(r"\1 ", _AT.sub(" at ", without_slashes)).split())
