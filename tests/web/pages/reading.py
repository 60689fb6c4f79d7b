"""Parse a page into headings, text, links, tables and forms; its HTML must be well-formed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder

VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}
UNSENT = {"submit", "button", "file"}


class _Tree(HTMLParser):
    """A strict parser: elements that are closed in the wrong place, or never, fail the test."""

    def __init__(self) -> None:
        super().__init__()
        self.builder = TreeBuilder()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len({name for name, _ in attrs}), (
            f"<{tag}> has an attribute twice: {attrs}"
        )
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self.builder.end(tag)
        else:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Handle an element like ``<path/>`` in a chart."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, (
            f"</{tag}> where <{self.open[-1]}> is open, line {self.getpos()[0]}"
        )
        self.open.pop()
        self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.builder.data(data)

    def whole(self) -> Element:
        assert not self.open, f"never closed: {self.open}"
        return self.builder.close()


def tree(response: Any) -> Element:
    """Return the elements of a response, which may be a part of a page for htmx."""
    parser = _Tree()
    text = response.content.decode()
    parser.feed(text if "<html" in text else f"<html>{text}</html>")
    parser.close()
    return parser.whole()


def text_of(element: Element | None) -> str:
    """Return the text of an element, with single spaces; empty if there is no element."""
    return "" if element is None else " ".join("".join(element.itertext()).split())


@dataclass(frozen=True)
class Page:
    """A parsed response."""

    response: Any
    root: Element

    @property
    def main(self) -> Element:
        """The content, without the header and footer that all pages have."""
        main = self.root.find(".//main")
        return self.root if main is None else main

    @property
    def text(self) -> str:
        """The text of the content."""
        return text_of(self.main)

    @property
    def title(self) -> str:
        return text_of(self.root.find(".//title"))

    @property
    def heading(self) -> str:
        """The page's one h1."""
        (heading,) = self.root.iter("h1")
        return text_of(heading)

    @property
    def messages(self) -> list[str]:
        """The messages above the content: what was done, or why not."""
        return [text_of(notice) for notice in self.main.iterfind("./p[@role='status']")]

    @property
    def problems(self) -> list[str]:
        """The summary of what is wrong with a form; its links must lead to fields."""
        (summary,) = (each for each in self.main.iter("div") if each.get("role") == "alert")
        ids = {each.get("id") for each in self.main.iter()}
        for link in summary.iter("a"):
            assert link.attrib["href"].removeprefix("#") in ids
        assert "autofocus" in summary.attrib
        assert self.title.startswith("Error: ")
        return [text_of(item) for item in summary.iter("li")]

    @property
    def links(self) -> dict[str, str]:
        """The addresses of the content's links, by their text."""
        return {text_of(link): link.attrib["href"] for link in self.main.iter("a")}

    @property
    def navigation(self) -> list[str]:
        """The entries of the navigation."""
        return [text_of(link) for link in self.root.iterfind(".//nav[@class='navigation']//a")]

    @property
    def rows(self) -> list[list[str]]:
        """The text of the cells of all table rows of the content, without the headings."""
        return [
            [text_of(cell) for cell in row if cell.tag in {"td", "th"}]
            for row in self.main.iterfind(".//tbody/tr")
        ]

    def form(self, action: str = "") -> "Form":
        """Return the form with this action; without one, the only form of the content."""
        (form,) = (
            form for form in self.main.iter("form") if not action or form.get("action") == action
        )
        return Form(form)

    def form_with(self, field: str) -> "Form":
        """Return the form that has this field."""
        (form,) = (form for form in map(Form, self.main.iter("form")) if field in form.fields)
        return form

    @property
    def actions(self) -> list[str]:
        """The actions of the content's forms, in their order."""
        return [form.get("action", "") for form in self.main.iter("form")]

    def described(self, name: str) -> str:
        """Return the hint and error of a field, which its aria-describedby must refer to."""
        field = next(
            field for field in self.main.iter() if field.get("name") == name and _is_field(field)
        )
        names = field.get("aria-describedby", "").split()
        return " ".join(text_of(self._named(name)) for name in names)

    def _named(self, name: str) -> Element:
        (element,) = (element for element in self.root.iter() if element.get("id") == name)
        return element


@dataclass(frozen=True)
class Form:
    """A form with the values it would submit, and its buttons."""

    root: Element

    @property
    def values(self) -> dict[str, list[str]]:
        """The values that would be submitted without changing anything."""
        values: dict[str, list[str]] = {}
        for field in filter(_is_field, self.root.iter()):
            for value in _values(field):
                values.setdefault(field.attrib["name"], []).append(value)
        return values

    @property
    def fields(self) -> dict[str, dict[str, str]]:
        """The attributes of each field, by its name."""
        return {
            field.attrib["name"]: dict(field.attrib)
            for field in self.root.iter()
            if _is_field(field)
        }

    @property
    def buttons(self) -> list[str]:
        return [text_of(button) for button in self.root.iter("button")]


def read(response: Any) -> Page:
    """Parse a response of any status."""
    return Page(response, tree(response))


def _is_field(element: Element) -> bool:
    return element.tag in {"input", "select", "textarea"} and "name" in element.attrib


def _values(field: Element) -> Iterator[str]:
    kind = field.get("type", "text")
    if field.tag == "textarea":
        yield re.sub(r"\A\n", "", "".join(field.itertext()))
    elif field.tag == "select":
        options = list(field.iter("option"))
        chosen = [option for option in options if "selected" in option.attrib] or options[:1]
        yield from (option.get("value", text_of(option)) for option in chosen)
    elif kind in {"checkbox", "radio"}:
        if "checked" in field.attrib:
            yield field.get("value", "on")
    elif kind not in UNSENT:
        yield field.get("value", "")
