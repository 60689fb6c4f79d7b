"""The content of an email, from which both its HTML and its text are written.

Each kind of email is a function that returns a ``Content``. There is one template for all of them,
``templates/mail/page.html``, and ``as_text`` writes the same in plain text, so that the two parts
of an email never differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rollbook.text import format_number

MAX_SUBJECT_LENGTH = 78  # characters; what every email program shows, and what a header line holds
MIN_NAME_LENGTH = 12


@dataclass(frozen=True)
class Link:
    """A link to a page of this server."""

    label: str
    url: str


@dataclass(frozen=True)
class Item:
    """One thing in a section: a title, and what is to be said about it.

    Attributes:
        title: What it is.
        lines: Further lines, such as how to fix it.
    """

    title: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """Several items below a heading, such as the errors of a file.

    Attributes:
        heading: May be empty.
        items: The items.
        intro: What applies to all of them.
        more: What is to be said of those that are not listed.
    """

    heading: str
    items: tuple[Item, ...]
    intro: str = ""
    more: str = ""


@dataclass(frozen=True)
class Counts:
    """A table of numbers, with what they count."""

    heading: str
    rows: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Content:
    """What an email says.

    Attributes:
        outcome: What has happened, in a few words. It is the heading, and begins the subject.
        district: The name of the district, or ``Rollbook``; it ends the subject.
        sentence: The outcome in a sentence, and what to do.
        paragraphs: What else to know before the button.
        counts: The numbers.
        sections: Such as the errors, with how to fix each.
        code: A line to keep or to enter as it is.
        button: The one thing to do.
        notes: What to know after the button.
        facts: Details in small print, by their names.
        links: Further pages, in small print.
        about: What follows the district's name in the subject, such as ``update 4``.
    """

    outcome: str
    district: str
    sentence: str
    paragraphs: tuple[str, ...] = ()
    counts: tuple[Counts, ...] = ()
    sections: tuple[Section, ...] = ()
    code: str = ""
    button: Link | None = None
    notes: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    links: tuple[Link, ...] = ()
    about: str = ""

    @property
    def place(self) -> str:
        """The district, and the update if it is about one: ``Maple USD update 4``."""
        return f"{self.district} {self.about}".strip()

    @property
    def subject(self) -> str:
        """The subject, with the district's name shortened if it would be too long otherwise."""
        whole = _on_one_line(f"{self.outcome} · {self.place}")
        excess = len(whole) - MAX_SUBJECT_LENGTH
        if excess <= 0 or len(self.district) <= MIN_NAME_LENGTH:
            return whole
        length = max(MIN_NAME_LENGTH, len(self.district) - excess)
        name = f"{self.district[: length - 1].rstrip()}…"
        return _on_one_line(f"{self.outcome} · {name} {self.about}".rstrip())


def as_text(content: Content) -> str:
    """Return the email in plain text, with everything that its HTML contains."""
    return "\n\n".join(_blocks(content)) + "\n"


def _blocks(content: Content) -> Iterator[str]:
    yield content.outcome
    yield content.sentence
    yield from content.paragraphs
    for counts in content.counts:
        yield counts.heading
        numbers = [(label, format_number(number)) for label, number in counts.rows]
        yield _aligned(numbers)
    for section in content.sections:
        yield from _section(section)
    if content.code:
        yield f"    {content.code}"
    if content.button:
        yield _link(content.button)
    yield from content.notes
    if content.facts:
        yield _aligned(content.facts)
    if content.links:
        yield "\n".join(map(_link, content.links))


def _section(section: Section) -> Iterator[str]:
    if section.heading:
        yield section.heading
    if section.intro:
        yield section.intro
    gap = "\n"
    if any(item.lines for item in section.items):
        gap = "\n\n"
    yield gap.join(map(_item, section.items))
    if section.more:
        yield section.more


def _item(item: Item) -> str:
    return "\n".join((f"* {item.title}", *(f"  {line}" for line in item.lines)))


def _link(link: Link) -> str:
    return f"{link.label}: {link.url}"


def _aligned(rows: "tuple[tuple[str, str], ...] | list[tuple[str, str]]") -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)


def _on_one_line(text: str) -> str:
    """Return a text without line breaks and invisible characters, which could add headers."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())
