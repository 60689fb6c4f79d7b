"""Template filters for student data: names of columns and values, and code in documentation."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from rollbook.web.pages.base import column_labels

register = template.Library()
register.filter("label", column_labels.label)
register.filter("shown", column_labels.display_value)


@register.filter
def code(text: str) -> SafeString:
    """Return the text as HTML, with everything between backticks as code."""
    parts = []
    for index, part in enumerate(text.split("`")):
        is_code = index % 2 == 1
        parts.append((format_html("<code>{}</code>", part) if is_code and part else part,))
    return format_html_join("", "{}", parts)
