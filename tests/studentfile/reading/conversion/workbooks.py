"""Write small workbooks, as spreadsheet programs would, for tests."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
DATE_STYLE = 1  # of the cell styles that xlsx() writes; further ones are of custom formats
MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"

Cell = str | int | float | bool | date | None


@dataclass(frozen=True)
class Raw:
    """A cell given as XML, in which {at} is its attribute r."""

    xml: str


@dataclass
class Sheet:
    """A sheet: its rows, and what stands around them in its XML."""

    rows: Sequence[Sequence[Cell | Raw]]
    name: str = "Students"
    state: str = "visible"
    before: str = ""
    after: str = ""
    row_attributes: Mapping[int, str] = field(default_factory=dict)


def xlsx(
    *sheets: Sheet | Sequence[Sequence[Cell | Raw]],
    formats: Sequence[str] = (),
    workbook: str = "",
    extra: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """Return an .xlsx workbook.

    Args:
        sheets: Its sheets, or their rows.
        formats: Number formats; the first is of the cell style 2.
        workbook: XML in the workbook part, after the sheets.
        extra: Other parts by name, which replace those of the same name.
    """
    all_sheets = [sheet if isinstance(sheet, Sheet) else Sheet(sheet) for sheet in sheets]
    strings: dict[str, int] = {}
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": _content_types(len(all_sheets)),
        "_rels/.rels": _relations({"rId1": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": _workbook(all_sheets, workbook),
        "xl/_rels/workbook.xml.rels": _relations(
            {
                f"rId{number}": ("worksheet", f"worksheets/sheet{number}.xml")
                for number in range(1, len(all_sheets) + 1)
            }
            | {"rId90": ("styles", "styles.xml"), "rId91": ("sharedStrings", "sharedStrings.xml")}
        ),
        "xl/styles.xml": _styles(formats),
    }
    for number, sheet in enumerate(all_sheets, start=1):
        parts[f"xl/worksheets/sheet{number}.xml"] = _sheet(sheet, strings)
    items = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in strings)
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{items}</sst>'
    return zipped(parts | dict(extra or {}))


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """Return a zip file with these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def column_name(index: int) -> str:
    """Return the letters of a column, of which A has the index 0."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def serial(day: date) -> int:
    """Return the number by which spreadsheets store a date."""
    return (day - date(1899, 12, 30)).days


def _sheet(sheet: Sheet, strings: dict[str, int]) -> str:
    rows = []
    for number, cells in enumerate(sheet.rows, start=1):
        written = "".join(
            _cell(cell, f"{column_name(index)}{number}", strings)
            for index, cell in enumerate(cells)
        )
        rows.append(f'<row r="{number}" {sheet.row_attributes.get(number, "")}>{written}</row>')
    data = "".join(rows)
    return (
        f'<worksheet xmlns="{MAIN}">{sheet.before}<sheetData>{data}</sheetData>{sheet.after}'
        "</worksheet>"
    )


def _cell(cell: Cell | Raw, at: str, strings: dict[str, int]) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Raw):
        return cell.xml.replace("{at}", at)
    if isinstance(cell, bool):
        return f'<c r="{at}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, date):
        return f'<c r="{at}" s="{DATE_STYLE}"><v>{serial(cell)}</v></c>'
    if isinstance(cell, str):
        return f'<c r="{at}" t="s"><v>{strings.setdefault(cell, len(strings))}</v></c>'
    return f'<c r="{at}"><v>{cell!r}</v></c>'


def _styles(formats: Sequence[str]) -> str:
    custom = "".join(
        f'<numFmt numFmtId="{164 + index}" formatCode={quoteattr(code)}/>'
        for index, code in enumerate(formats)
    )
    used = "".join(f'<xf numFmtId="{164 + index}"/>' for index in range(len(formats)))
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts count="{len(formats)}">{custom}</numFmts>'
        f'<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>{used}</cellXfs></styleSheet>'
    )


def _workbook(sheets: Sequence[Sheet], more: str) -> str:
    listed = "".join(
        f'<sheet name={quoteattr(sheet.name)} sheetId="{number}" state="{sheet.state}" '
        f'r:id="rId{number}"/>'
        for number, sheet in enumerate(sheets, start=1)
    )
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{listed}</sheets>{more}</workbook>'
    )


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="{key}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{PACKAGE}">{listed}</Relationships>'


def _content_types(sheets: int) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" '
        f'ContentType="{kind}.worksheet+xml"/>'
        for number in range(1, sheets + 1)
    )
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f"{overrides}</Types>"
    )


ODS_NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        ("office", "office"),
        ("table", "table"),
        ("text", "text"),
        ("style", "style"),
        ("number", "datastyle"),
    )
)


@dataclass
class Table:
    """A sheet of an .ods workbook: its rows, or their XML."""

    rows: Sequence[Sequence[Cell | Raw]] = ()
    name: str = "Students"
    xml: str = ""
    style: str = ""


def ods(
    *tables: Table | Sequence[Sequence[Cell | Raw]],
    styles: str = "",
    extra: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """Return an .ods workbook with these sheets."""
    written = "".join(
        _table(table if isinstance(table, Table) else Table(table)) for table in tables
    )
    content = (
        f"<office:document-content {ODS_NAMESPACES}>"
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{written}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    manifest = (
        "<manifest:manifest xmlns:manifest='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'/>"
    )
    parts = {"mimetype": MIMETYPE, "content.xml": content, "META-INF/manifest.xml": manifest}
    return zipped(parts | dict(extra or {}))


def _table(table: Table) -> str:
    rows = table.xml or "".join(
        f"<table:table-row>{''.join(map(_ods_cell, cells))}</table:table-row>"
        for cells in table.rows
    )
    style = f' table:style-name="{table.style}"' if table.style else ""
    return f"<table:table table:name={quoteattr(table.name)}{style}>{rows}</table:table>"


def _ods_cell(cell: Cell | Raw) -> str:
    if isinstance(cell, Raw):
        return cell.xml
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, bool):
        kind = f'boolean" office:boolean-value="{str(cell).lower()}'
    elif isinstance(cell, date):
        kind = f'date" office:date-value="{cell.isoformat()}'
    elif isinstance(cell, str):
        kind = "string"
    else:
        kind = f'float" office:value="{cell!r}'
    lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in _shown(cell))
    return f'<table:table-cell office:value-type="{kind}">{lines}</table:table-cell>'


def _shown(cell: Cell) -> Iterable[str]:
    if isinstance(cell, bool):
        return [str(cell).upper()]
    if isinstance(cell, date):
        return [cell.strftime("%m/%d/%Y")]
    return str(cell).split("\n")
