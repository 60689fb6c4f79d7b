"""Parse the parts of an .xlsx workbook: its list of sheets, its number formats, and a sheet."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers.expat import XMLParserType
from zipfile import ZipFile

from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading.conversion.number_formats import NumberFormat
from rollbook.studentfile.reading.conversion.sheet_facts import (
    MAX_COLUMNS,
    UNKNOWN_ERROR,
    Names,
    SheetFacts,
    StartHandler,
    WorkbookRefused,
    parse_xml,
)
from rollbook.studentfile.values.text_checks import is_spreadsheet_error

_TRUE = ("1", "true")


@dataclass
class _Workbook:
    """What the workbook part contains.

    Attributes:
        sheets: Name, visibility and ID of the relation of each sheet.
        is_calculated: Whether formulas have results; some programs write none or 0.
    """

    sheets: list[tuple[str, bool, str]]
    is_calculated: bool = True


def read_sheets(archive: ZipFile, parts: Mapping[str, str]) -> list[SheetFacts]:
    """Return the facts of all sheets, but only those of the first one with values are complete.

    Visible sheets come first.

    Args:
        archive: The workbook.
        parts: The names of its parts by their names in lower case.

    Raises:
        WorkbookRefused: It is damaged, or that sheet would need too much memory.
    """
    workbook = _read_workbook(archive, parts)
    targets = _read_relations(archive, parts)
    formats = _read_formats(archive, parts)
    sheets: list[SheetFacts] = []
    is_found = False
    order = sorted(enumerate(workbook.sheets), key=lambda sheet: not sheet[1][1])
    for index, (name, is_visible, relation) in order:
        facts = SheetFacts(index, name, is_visible=is_visible)
        part = _existing_part(parts, targets.get(relation, ""))
        if _has_values(archive, part):
            if not is_found:
                parser = _SheetParser(facts, formats, is_calculated=workbook.is_calculated)
                parser.parse(archive, part)
                if parser.uses_shared_strings:
                    _existing_part(parts, "xl/sharedStrings.xml")
            facts.has_values = is_found = True
        sheets.append(facts)
    return sheets


def _existing_part(parts: Mapping[str, str], name: str) -> str:
    part = parts.get(name.lower())
    if part is None:
        raise WorkbookRefused(Problem("workbook_damaged"))
    return part


def _has_values(archive: ZipFile, part: str) -> bool:
    names, is_found = Names(), False

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal is_found
        is_found = is_found or names[name] in ("v", "is", "f")

    with archive.open(part) as file:
        return any(is_found for _ in parse_xml(file, start)) or is_found


def _read_workbook(archive: ZipFile, parts: Mapping[str, str]) -> _Workbook:
    workbook = _Workbook([])

    def start(name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "sheet":
            relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            is_visible = attributes.get("state", "visible") == "visible"
            workbook.sheets.append((attributes.get("name", ""), is_visible, relation))
        elif local == "calcPr":
            workbook.is_calculated = attributes.get("fullCalcOnLoad") not in _TRUE

    _parse_part(archive, parts, "xl/workbook.xml", start)
    return workbook


def _read_relations(archive: ZipFile, parts: Mapping[str, str]) -> dict[str, str]:
    """Return the parts to which the workbook refers, by the IDs of the relations."""
    targets: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "Relationship":
            target = posixpath.join("/xl", attributes.get("Target", "").replace("\\", "/"))
            targets[attributes.get("Id", "")] = posixpath.normpath(target).lstrip("/")

    _parse_part(archive, parts, "xl/_rels/workbook.xml.rels", start)
    return targets


def _read_formats(archive: ZipFile, parts: Mapping[str, str]) -> dict[str, NumberFormat]:
    """Return the number format of each cell style that adds zeros or characters to numbers."""
    codes: dict[str, str] = {}
    styles: list[str] = []
    is_cell_style = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal is_cell_style
        local = name.rpartition(":")[2]
        if local == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif local in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            is_cell_style = local == "cellXfs"
        elif local == "xf" and is_cell_style:
            styles.append(attributes.get("numFmtId", ""))

    if "xl/styles.xml" in parts:
        _parse_part(archive, parts, "xl/styles.xml", start)
    formats: dict[str, NumberFormat] = {}
    for index, key in enumerate(styles):
        number_format = NumberFormat.parse(codes.get(key, ""))
        if number_format:
            formats[str(index)] = number_format
    return formats


def _parse_part(archive: ZipFile, parts: Mapping[str, str], name: str, start: StartHandler) -> None:
    with archive.open(_existing_part(parts, name)) as file:
        for _ in parse_xml(file, start):
            pass


class _SheetParser:
    """Collects the facts of one sheet from its XML."""

    def __init__(
        self, facts: SheetFacts, formats: Mapping[str, NumberFormat], *, is_calculated: bool
    ) -> None:
        self.facts = facts
        self.uses_shared_strings = False
        self._formats = formats
        self._is_calculated = is_calculated
        self._names = Names()
        self._columns: dict[str, int] = {}
        self._row, self._column = -1, -1
        self._is_row_hidden = False
        self._type = self._style = ""
        self._has_formula = False
        self._text: list[str] | None = None  # of the cell's value, if it is needed
        self._parser: XMLParserType | None = None

    def parse(self, archive: ZipFile, part: str) -> None:
        """Parse the sheet."""
        with archive.open(part) as file:
            for parser in parse_xml(file, self._start):
                self._parser = parser
        self._end_cell()
        self.facts.finish()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = self._names[name]
        if local == "c":
            self._end_cell()
            self._begin_cell(attributes)
        elif local in ("v", "is"):
            self._begin_value()
        elif local == "f":
            self._has_formula = True
            self.facts.add_value(self._row, self._column)
        elif local == "row":
            self._end_cell()
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
            self._is_row_hidden = attributes.get("hidden") in _TRUE
        elif local == "col" and attributes.get("hidden") in _TRUE:
            self.facts.hide_columns(range(int(attributes["min"]) - 1, int(attributes["max"])))
        elif local == "mergeCell":
            first, _, last = attributes.get("ref", "").partition(":")
            if last:
                self.facts.add_merged(
                    self._parse_reference(first)[0], self._parse_reference(last)[0]
                )

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
        else:
            self._row, self._column = self._parse_reference(reference)
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "0")

    def _begin_value(self) -> None:
        facts, row, column = self.facts, self._row, self._column
        facts.add_value(row, column)
        if self._is_row_hidden:
            facts.has_hidden_cells = True
        if self._type == "s":
            self.uses_shared_strings = True
        elif self._type == "n" and self._style in self._formats:
            facts.overrides.add(row, column, self._formats[self._style])
        if (self._has_formula or self._type == "e") and self._parser:
            self._text = []
            self._parser.CharacterDataHandler = self._text.append

    def _end_cell(self) -> None:
        """Record an error or a formula without a result in the cell that ends."""
        if not self._has_formula and self._text is None:
            return
        text = "".join(self._text or ()).strip()
        if self._has_formula and not (
            self._is_calculated and (text or (self._type == "str" and self._text is not None))
        ):
            self.facts.add_not_calculated(self._row, self._column)
        elif self._type == "e":
            error = text if is_spreadsheet_error(text) else UNKNOWN_ERROR
            self.facts.overrides.add(self._row, self._column, error)
        self._has_formula, self._text = False, None
        if self._parser:
            self._parser.CharacterDataHandler = None

    def _parse_reference(self, reference: str) -> tuple[int, int]:
        """Return row and column of a reference such as B3, both counted from 0."""
        letters = reference.rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = _parse_letters(letters)
        return int(reference[len(letters) :]) - 1, column


def _parse_letters(letters: str) -> int:
    """Return the index of a column, of which A has 0."""
    index = 0
    for letter in letters.upper():
        digit = ord(letter) - 64
        index = index * 26 + digit
        if not 0 < digit <= 26 or index > MAX_COLUMNS:
            raise WorkbookRefused(Problem("workbook_damaged"))
    return index - 1
