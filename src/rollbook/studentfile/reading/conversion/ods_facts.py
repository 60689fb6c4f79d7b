"""Parse the sheets of an .ods workbook."""

import re
from collections.abc import Mapping
from itertools import product
from typing import IO
from xml.parsers.expat import XMLParserType

from rollbook.studentfile.reading.conversion.number_formats import NumberFormat, plain_number
from rollbook.studentfile.reading.conversion.sheet_facts import (
    MAX_CELLS,
    UNKNOWN_ERROR,
    SheetFacts,
    parse_xml,
)
from rollbook.studentfile.values.text_checks import is_spreadsheet_error

_CELLS = ("table:table-cell", "table:covered-table-cell")
_SKIPPED = ("office:annotation", "table:shapes", "table:tracked-changes")
_NUMBER_WITH_ADDITIONS = re.compile(r"[A-Za-z0-9() -]+")
_MAX_SPACES = 1000
_HIDDEN = ("collapse", "filter")


def read_sheets(content: IO[bytes]) -> list[SheetFacts]:
    """Parse all sheets, because the workbook reader reads all of them, and return their facts.

    Args:
        content: The part content.xml.

    Raises:
        WorkbookRefused: The sheets would need too much memory.
    """
    parser = _ContentParser()
    parser.parse(content)
    return parser.sheets


class _ContentParser:
    """Collects the facts of all sheets. Prefixes are those that the workbook reader expects."""

    def __init__(self) -> None:
        self.sheets: list[SheetFacts] = []
        self._parser: XMLParserType | None = None
        self._style_name = ""
        self._hidden_styles: set[str] = set()
        self._skipped = 0  # open elements whose cells and texts are not those of the sheet
        self._row = self._column = 0
        self._rows = self._columns = 1  # how often the row and the cell are repeated
        self._is_row_hidden = False
        self._cell: dict[str, str] | None = None
        self._text: list[str] = []
        self._paragraphs = 0
        self._has_breaks = False

    def parse(self, content: IO[bytes]) -> None:
        """Parse the part."""
        for parser in parse_xml(content, self._start, self._end):
            self._parser = parser
        for sheet in self.sheets:
            sheet.finish()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _SKIPPED:
            self._skipped += 1
        elif self._skipped:
            pass
        elif name in _CELLS:
            self._cell = attributes
            self._columns = _repetitions(attributes, "table:number-columns-repeated")
            self._text, self._paragraphs, self._has_breaks = [], 0, False
        elif name.startswith("text:"):
            self._start_text(name, attributes)
        elif name == "table:table-row":
            self._column = 0
            self._rows = _repetitions(attributes, "table:number-rows-repeated")
            self._is_row_hidden = attributes.get("table:visibility") in _HIDDEN
        else:
            self._start_other(name, attributes)

    def _start_text(self, name: str, attributes: dict[str, str]) -> None:
        if name == "text:p":
            self._paragraphs += 1
            if self._paragraphs > 1:
                self._text.append("\n")
            if self._cell is not None and self._parser:
                self._parser.CharacterDataHandler = self._text.append
        elif name == "text:s":
            self._text.append(" " * min(_repetitions(attributes, "text:c"), _MAX_SPACES))
        elif name in ("text:line-break", "text:tab"):
            self._text.append("\n" if name == "text:line-break" else "\t")
            self._has_breaks = True

    def _start_other(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            is_visible = attributes.get("table:style-name") not in self._hidden_styles
            title = attributes.get("table:name", "")
            cells = sum(sheet.rows * sheet.columns for sheet in self.sheets)
            facts = SheetFacts(
                len(self.sheets), title, is_visible=is_visible, max_cells=MAX_CELLS - cells
            )
            self.sheets.append(facts)
            self._row = self._column = 0
        elif name == "table:table-column" and self.sheets:
            columns = _repetitions(attributes, "table:number-columns-repeated")
            if attributes.get("table:visibility") in _HIDDEN:
                self.sheets[-1].hide_columns(range(self._column, self._column + columns))
            self._column += columns
        elif name == "style:style":
            self._style_name = attributes.get("style:name", "")
        elif name == "style:table-properties" and attributes.get("table:display") == "false":
            self._hidden_styles.add(self._style_name)

    def _end(self, name: str) -> None:
        if name in _SKIPPED:
            self._skipped -= 1
        elif self._skipped:
            pass
        elif name in _CELLS:
            self._end_cell()
        elif name == "text:p" and self._parser:
            self._parser.CharacterDataHandler = None
        elif name == "table:table-row":
            self._row += self._rows

    def _end_cell(self) -> None:
        cell, text = self._cell, "".join(self._text)
        self._cell = None
        if cell is not None and self.sheets and self._has_value(cell, text):
            self._add_value(self.sheets[-1], cell, text)
        self._column += self._columns

    def _has_value(self, cell: Mapping[str, str], text: str) -> bool:
        kind = cell.get("office:value-type", "string")
        return bool(kind != "string" or text or _is_not_calculated(cell, text)) or bool(
            cell.get("office:string-value")
        )

    def _add_value(self, facts: SheetFacts, cell: Mapping[str, str], text: str) -> None:
        facts.add_value(self._row, self._column, (self._rows, self._columns))
        if self._is_row_hidden:
            facts.has_hidden_cells = True
        spanned_rows = _repetitions(cell, "table:number-rows-spanned")
        if spanned_rows > 1 or _repetitions(cell, "table:number-columns-spanned") > 1:
            facts.add_merged(self._row, self._row + spanned_rows - 1)
        override = _override(cell, text, has_breaks=self._has_breaks)
        is_calculated = not _is_not_calculated(cell, text)
        if override is None and is_calculated:
            return
        for row, column in product(range(self._rows), range(self._columns)):
            if is_calculated and override is not None:
                facts.overrides.add(self._row + row, self._column + column, override)
            else:
                facts.add_not_calculated(self._row + row, self._column + column)


def _is_not_calculated(cell: Mapping[str, str], text: str) -> bool:
    return "table:formula" in cell and "office:value-type" not in cell and not text


def _override(cell: Mapping[str, str], text: str, *, has_breaks: bool) -> str | NumberFormat | None:
    """Return the text of a cell if the workbook reader doesn't return it.

    Args:
        cell: The attributes of the cell.
        text: Its text as shown.
        has_breaks: Whether the text contains line breaks or tabs inside a paragraph.
    """
    kind = cell.get("office:value-type")
    if cell.get("calcext:value-type") == "error":
        return text if is_spreadsheet_error(text) else UNKNOWN_ERROR
    if kind is None or (kind == "string" and cell.get("office:string-value") == ""):
        return text or None
    if kind == "string" and has_breaks and "office:string-value" not in cell:
        return text
    return _number_as_shown(cell, text) if kind == "float" else None


def _number_as_shown(cell: Mapping[str, str], text: str) -> str | NumberFormat | None:
    """Return a whole number to which its format adds zeros or characters, as it is shown."""
    value = float(cell.get("office:value", "nan"))
    digits = "".join(filter(str.isdecimal, text))
    if not digits.isascii() or not _NUMBER_WITH_ADDITIONS.fullmatch(text):
        return None
    if not digits or float(digits) != value or text == plain_number(value):
        return None
    if text != digits:
        return text
    return NumberFormat.zeros(len(text)) if text.startswith("0") else None


def _repetitions(attributes: Mapping[str, str], name: str) -> int:
    return max(1, int(attributes.get(name, "1")))
