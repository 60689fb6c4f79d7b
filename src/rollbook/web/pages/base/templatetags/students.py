"""The student file in templates: its columns in the words of people, and documentation with `code` in it."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from rollbook.web.pages.base import column_labels

register = template.Library()
register.filter("label", column_labels.label)
register.filter("shown", column_labels.shown)


@register.filter
def code(text: str) -> SafeString:
    """What stands between backticks as code."""
    parts = text.split("`")
    pairs = zip(parts[::2], [*parts[1::2], ""], strict=False)
    return format_html_join(
        "",
        "{}{}",
        ((plain, format_html("<code>{}</code>", word) if word else "") for plain, word in pairs),
    )
