"""Template filters for numbers, durations and lists of lines."""

from collections.abc import Mapping, Sequence

from django import template

from rollbook import text

register = template.Library()
register.filter("thousands", text.format_number)
register.filter("duration", text.format_duration)
register.filter("line_list", text.line_list)


@register.filter
def at(lists: Mapping[str, Sequence[int]], key: str) -> Sequence[int]:
    """Return the sequence with this key, or an empty one."""
    return lists.get(key, ())
