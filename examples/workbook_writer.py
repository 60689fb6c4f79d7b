"""Write a small .xlsx workbook without a library: a zip file with a few parts in XML."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

Cell = str | int | date | None

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DATE, _FIVE_DIGITS = 1, 2  # cell styles
_FIRST_DAY = date(1899, 12, 30)  # spreadsheets store dates as the number of days since then

_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="Fall" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        "</Relationships>"
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}">'
        '<numFmts count="1"><numFmt numFmtId="164" formatCode="00000"/></numFmts>'
        "<fonts><font/></fonts><fills><fill/></fills><borders><border/></borders>"
        "<cellStyleXfs><xf/></cellStyleXfs>"
        '<cellXfs count="3"><xf/><xf numFmtId="14" applyNumberFormat="1"/>'
        '<xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>'
    ),
}


@dataclass(frozen=True)
class FiveDigits:
    """A number that the sheet shows with five digits, such as 123 as 00123."""

    number: int


def write(path: Path, rows: Sequence[Sequence[Cell | FiveDigits]], merged: str = "") -> None:
    """Write a workbook with one sheet.

    Args:
        path: The file.
        rows: The cells of each row.
        merged: Cells to merge, such as A1:C1.
    """
    lines = "".join(
        f'<row r="{number}">{_cells(number, cells)}</row>'
        for number, cells in enumerate(rows, start=1)
    )
    areas = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData>{areas}</worksheet>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**_PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
            archive.writestr(name, content)


def _cells(row: int, cells: Sequence[Cell | FiveDigits]) -> str:
    return "".join(_cell(f"{chr(65 + index)}{row}", cell) for index, cell in enumerate(cells))


def _cell(reference: str, cell: Cell | FiveDigits) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        text = f'<is><t xml:space="preserve">{escape(cell)}</t></is>'
        return f'<c r="{reference}" t="inlineStr">{text}</c>'
    style, number = 0, cell
    if isinstance(cell, FiveDigits):
        style, number = _FIVE_DIGITS, cell.number
    elif isinstance(cell, date):
        style, number = _DATE, (cell - _FIRST_DAY).days
    return f'<c r="{reference}" s="{style}"><v>{number}</v></c>'
