"""The templates' view of ``wording.py``."""

from collections.abc import Mapping, Sequence

from django import template

from rollbook.updates import wording

register = template.Library()
register.filter("thousands", wording.format_number)
register.filter("duration", wording.duration)
register.filter("line_list", wording.line_list)


@register.filter
def at(lists: Mapping[str, Sequence[int]], key: str) -> Sequence[int]:
    """What stands under this key."""
    return lists.get(key, ())
