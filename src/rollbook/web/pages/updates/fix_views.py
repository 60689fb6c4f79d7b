"""Edit the cells of rejected rows in the browser, and apply these rows again."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpResponse, QueryDict

from rollbook.accounts.permissions import Permission
from rollbook.districts.modes import ModeNotAllowed
from rollbook.studentfile.problems.problem import Problem
from rollbook.text import count_of
from rollbook.updates.exports.edited_rows import RejectedRows, as_input
from rollbook.updates.exports.original_rows import NotEnded, RemovedByRetention
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.files import FileMissing
from rollbook.updates.receiving.kept_bytes import QuotaExceeded
from rollbook.updates.receiving.receive import QueueFull
from rollbook.updates.reporting import rows as row_table
from rollbook.updates.reporting.report import find
from rollbook.updates.reporting.rows import RowView
from rollbook.updates.state_machine import Outcome
from rollbook.web.pages.base.column_labels import label
from rollbook.web.pages.base.page_number import page_number
from rollbook.web.pages.base.view import FORM, PageRequest, member_page

MIN_PAGE_SIZE, MAX_PAGE_SIZE = 4, 25
MAX_CELLS_ON_PAGE = 100
"""With more cells, the page would be larger than 100 KB."""

MAX_LINE_DIGITS, MAX_INDEX_DIGITS = 9, 4
UNAVAILABLE = (NotEnded, RemovedByRetention, FileMissing)

_WHY_NOT: Mapping[type[Exception], str] = {
    QueueFull: "Nothing was started: too many updates are waiting. Try again when one has ended.",
    ModeNotAllowed: "Nothing was started: your district no longer allows this use of a file here.",
    QuotaExceeded: "Nothing was started: your district keeps too many files.",
}


@dataclass(frozen=True)
class Cell:
    """A cell to edit: its field, its column for people, its text, and whether it is wrong."""

    name: str
    label: str
    text: str
    is_wrong: bool


@dataclass(frozen=True)
class Row:
    """A rejected row: what is wrong with it, the cells it is about, and the other ones."""

    view: RowView
    problems: tuple[Problem, ...]
    cells: list[Cell]
    others: list[Cell]


@member_page(Permission.UPDATE_STUDENTS, methods=FORM)
def fix(page_request: PageRequest, number: int) -> HttpResponse:
    """Render rejected rows with fields for their cells; apply those that were edited."""
    found = find(page_request.district, number)
    update = page_request.require(found, "fix rows", f"update {number}")
    data = page_request.form_data
    edits = _edits(data) if data else {}
    listed = page_number(page_request)
    size = _page_size(len(update.header))
    page = row_table.rows_of(update, Outcome.REJECTED, page=listed, size=size)
    try:
        rejected = RejectedRows(update, list(edits) or [row.number for row in page.items])
    except UNAVAILABLE:
        page_request.audit("fix rows", "not available", f"update {number}")
        page_request.error(f"The rejected rows of update {number} can’t be edited here.")
        return page_request.redirect("update", number)
    if data:
        return _apply(page_request, update, rejected, edits)
    is_open = page_request.may(Permission.SEE_CONFIDENTIAL)
    shown = rejected.students | row_table.students_shown(update, page.items)
    page_request.audit("fix rows", "seen", f"update {number}", shown)
    if is_open and shown:
        page_request.audit_confidential("opened", f"rejected rows of update {number}", shown)
    rows = [_row(view, rejected, is_open=is_open) for view in page.items]
    context = {"update": update, "page": page, "rows": rows, "is_open": is_open}
    return page_request.render("updates/fix.html", context)


def _apply(
    page_request: PageRequest,
    update: UpdateJob,
    rejected: RejectedRows,
    edits: Mapping[int, Mapping[int, str]],
) -> HttpResponse:
    edits = _allowed(edits, rejected, is_open=page_request.may(Permission.SEE_CONFIDENTIAL))
    edited = rejected.edited(edits)
    if not edited:
        page_request.error("Nothing was started: no cell was changed. Edit a cell first.")
        return page_request.redirect("update-fix", update.number)
    try:
        receipt = rejected.apply(edited, page_request.member, page_request.now)
    except (QueueFull, ModeNotAllowed, QuotaExceeded) as refused:
        page_request.audit("fix rows", "not started", f"update {update.number}")
        page_request.error(_WHY_NOT[type(refused)])
        return page_request.redirect("update-fix", update.number)
    started = receipt.update.number
    detail = f"update {update.number} as update {started}, {count_of(len(edited), 'row')}"
    page_request.audit("fix rows", "started", detail, rejected.students)
    page_request.success(
        f"Update {started} started with {count_of(len(edited), 'edited row')} of "
        f"update {update.number}."
    )
    return page_request.redirect("update", started)


def _page_size(columns: int) -> int:
    fitting = MAX_CELLS_ON_PAGE // max(1, columns)
    return min(MAX_PAGE_SIZE, max(MIN_PAGE_SIZE, fitting))


def _edits(data: QueryDict) -> dict[int, dict[int, str]]:
    """Return the submitted texts by line and index of the column, without other fields."""
    edits: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for name in data:
        line, _, index = name.partition(".")
        if _is_number(line, MAX_LINE_DIGITS) and _is_number(index, MAX_INDEX_DIGITS):
            edits[int(line)][int(index)] = str(data[name]).replace("\0", "")
    return dict(edits)


def _is_number(text: str, max_digits: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= max_digits


def _allowed(
    edits: Mapping[int, Mapping[int, str]], rejected: RejectedRows, *, is_open: bool
) -> dict[int, dict[int, str]]:
    """Return the edits without those of columns that the member doesn't see."""
    if is_open:
        return {line: dict(cells) for line, cells in edits.items()}
    allowed: dict[int, dict[int, str]] = {}
    columns = rejected.columns
    for line, cells in edits.items():
        seen = (index for index in cells if index < len(columns) and columns[index].is_open())
        allowed[line] = {index: cells[index] for index in seen}
    return allowed


def _row(view: RowView, rejected: RejectedRows, *, is_open: bool) -> Row:
    shown = view if is_open else view.without_confidential()
    wrong = {problem.column for problem in view.problems if problem.column}
    cells: list[Cell] = []
    others: list[Cell] = []
    texts = rejected.cells.get(view.number, [])
    for index, (column, text) in enumerate(zip(rejected.columns, texts, strict=False)):
        if not is_open and not column.is_open():
            continue
        is_wrong = bool(wrong & {column.name, column.known})
        name = f"{view.number}.{index}"
        caption = label(column.known) if column.known else column.name
        cell = Cell(name, caption, as_input(text), is_wrong)
        (cells if is_wrong else others).append(cell)
    if not cells:
        cells, others = others, []
    return Row(shown, shown.problems, cells, others)
