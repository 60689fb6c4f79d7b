"""The one layout of all emails: subject, text and HTML."""

import html
import re

import pytest
from django.template.loader import render_to_string

from rollbook.mail.content import (
    MAX_SUBJECT_LENGTH,
    Content,
    Counts,
    Item,
    Link,
    Section,
    as_text,
)

WHOLE = Content(
    outcome="252 rows rejected, 16 students changed",
    district="Maple USD",
    about="update 4",
    sentence="Student update 4 finished.",
    paragraphs=("The first paragraph.", "The second one."),
    counts=(Counts("4,812 students in the file", (("changed", 16), ("not processed", 1234))),),
    sections=(
        Section(
            "Errors", (Item("252 × A value.", ("Lines 2-3.", "Fix it.")),), "Not applied.", "1"
        ),
        Section("", (Item("Only a title"),)),
    ),
    code="rollbook doctor",
    button=Link("See update 4", "https://localhost:8443/updates/4"),
    notes=("A note after the button.",),
    facts=(("File", "103 bytes"), ("Sent by", "Ana")),
    links=(Link("Choose which emails you get", "https://localhost:8443/account"),),
)


def page_of(content: Content) -> str:
    return render_to_string("mail/page.html", {"content": content})


def words_of(page: str) -> list[str]:
    """Return the texts between the tags of a page."""
    body = re.sub(r"<!--.*?-->", "", page[page.index("<body") :], flags=re.DOTALL)
    texts = (html.unescape(text).strip() for text in re.split(r"<[^>]+>", body))
    return [text for text in texts if text]


def test_the_text_is_worded_like_this() -> None:
    assert as_text(WHOLE) == (
        "252 rows rejected, 16 students changed\n\n"
        "Student update 4 finished.\n\n"
        "The first paragraph.\n\n"
        "The second one.\n\n"
        "4,812 students in the file\n\n"
        "  changed        16\n"
        "  not processed  1,234\n\n"
        "Errors\n\n"
        "Not applied.\n\n"
        "* 252 × A value.\n"
        "  Lines 2-3.\n"
        "  Fix it.\n\n"
        "1\n\n"
        "* Only a title\n\n"
        "    rollbook doctor\n\n"
        "See update 4: https://localhost:8443/updates/4\n\n"
        "A note after the button.\n\n"
        "  File     103 bytes\n"
        "  Sent by  Ana\n\n"
        "Choose which emails you get: https://localhost:8443/account\n"
    )


def test_text_and_html_say_the_same_in_the_same_order() -> None:
    text, position = as_text(WHOLE), 0
    first, *words = words_of(page_of(WHOLE))
    assert first == "Maple USD update 4"
    for word in words:
        assert word in text[position:], word
        position = text.index(word, position) + len(word)
    rest = re.sub(r"https://\S+|[\s*:]", "", text)
    assert rest == re.sub(r"[\s*:]", "", "".join(words))
    urls = re.findall(r"https://\S+", text)
    assert urls == re.findall(r'href="([^"]+)"', page_of(WHOLE))


def test_a_short_email_has_no_empty_parts() -> None:
    short = Content(outcome="Done", district="Maple USD", sentence="It is done.")
    assert as_text(short) == "Done\n\nIt is done.\n"
    assert words_of(page_of(short)) == ["Maple USD", "Done", "It is done."]


@pytest.mark.statement("S40")
def test_the_html_loads_nothing_and_has_one_button() -> None:
    page = page_of(WHOLE)
    assert not re.search(r"<(?:img|script|link|iframe)|url\(|@import|http://", page)
    assert page.count('class="button"') == 1
    assert page.count("<h1") == 1


def test_every_layout_table_is_marked_as_one_for_screen_readers() -> None:
    page = re.sub(r"<!--.*?-->", "", page_of(WHOLE), flags=re.DOTALL)
    for table in re.findall(r"<table[^>]*>.*?(?=<table|</table>)", page, flags=re.DOTALL):
        assert ('role="presentation"' in table) != ('scope="row"' in table), table


def test_what_is_between_backquotes_is_code_and_everything_is_escaped() -> None:
    content = Content(outcome="<b>", district="<i>", sentence="Run `a <b>` now.")
    page = page_of(content)
    assert "Run <code>a &lt;b&gt;</code> now." in page
    assert "<b>" not in page
    assert "<i>" not in page


@pytest.mark.parametrize(
    ("district", "subject"),
    [
        ("Maple USD", "252 rows rejected, 16 students changed · Maple USD update 4"),
        (
            "Maple Valley Unified School District",
            "252 rows rejected, 16 students changed · Maple Valley Unified School… update 4",
        ),
        (
            "A\r\nBcc: eve@evil.example\x1b",
            "252 rows rejected, 16 students changed · A Bcc: eve@evil.example update 4",
        ),
    ],
)
def test_a_long_name_is_shortened_so_that_the_subject_fits(district: str, subject: str) -> None:
    content = Content(outcome=WHOLE.outcome, district=district, sentence="", about=WHOLE.about)
    assert content.subject == subject
    assert len(subject) <= MAX_SUBJECT_LENGTH


def test_an_outcome_that_is_too_long_keeps_the_beginning_of_the_name() -> None:
    content = Content(outcome="x" * 90, district="Maple Valley Unified", sentence="")
    assert content.subject == f"{'x' * 90} · Maple Valle…"
