"""What the result page of a file shows about its columns, and the form to map them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollbook.accounts.permissions import Permission
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.studentfile.mapping.sample import Sample, read_sample
from rollbook.studentfile.problems.problem import Problem
from rollbook.updates.mappings import store
from rollbook.updates.mappings.proposals import is_mappable, propose_for
from rollbook.updates.models import Draft, StudentFile, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.receiving.files import FileMissing
from rollbook.web.pages.base.view import PageRequest
from rollbook.web.pages.mapping.header_form import (
    DEFAULT_NAME,
    FileColumn,
    HeaderForm,
    file_columns,
    mapping_by_names,
)

Submitted = Mapping[str, Any] | None


@dataclass(frozen=True)
class ResultColumns:
    """The columns of a file, and how they are read.

    Attributes:
        columns: The columns that have a name.
        form: The form to map them; None if the member may not, or the file is gone.
        is_proposed: Whether the file isn't accepted, and the form has what is proposed for it.
        title: The system whose preset is proposed; empty if none is.
    """

    columns: Sequence[FileColumn]
    form: HeaderForm | None
    is_proposed: bool = False
    title: str = ""

    @property
    def ignored(self) -> list[FileColumn]:
        """The columns that aren't read."""
        return list(filter(lambda column: not column.sources, self.columns))

    @property
    def used(self) -> int:
        """How many columns are read."""
        return len(self.columns) - len(self.ignored)


def columns_of_update(
    page_request: PageRequest, update: UpdateJob, data: Submitted = None
) -> ResultColumns:
    """Return the columns of the file of a plan.

    Args:
        page_request: The request.
        update: The update.
        data: The form that was submitted; None: none was.
    """
    is_fixed = bool(update.file_removed_at or update.split_from_id)
    return _as_read(page_request, update, data, is_fixed=is_fixed)


def columns_of_draft(
    page_request: PageRequest, draft: Draft, refusal: Problem | None, data: Submitted = None
) -> ResultColumns:
    """Return the columns of a draft; of one that wasn't understood, with what is proposed.

    Args:
        page_request: The request.
        draft: The draft.
        refusal: Why it isn't accepted; None: it is.
        data: The form that was submitted; None: none was.
    """
    may_map = page_request.may(Permission.MANAGE_SETTINGS)
    sample = sample_of(draft) if may_map and is_mappable(refusal) else None
    if sample is None or not sample.rows:
        return _as_read(page_request, draft, data, is_fixed=refusal is not None)
    names, base, title = sample.names, draft.mapping_document, ""
    if base is None and (proposal := propose_for(page_request.district, sample)):
        base, title = proposal.mapping, proposal.title
    base = base or mapping_by_names(names)
    form = HeaderForm(names, base, data, is_saved=True)
    columns = file_columns(names, base)
    return ResultColumns(columns, form, is_proposed=True, title=title)


def sample_of(draft: Draft) -> Sample | None:
    """Return the header and the first rows of a draft; None without them, or without the file."""
    try:
        files.ensure_available(draft.spool_name, draft.spool_digest)
    except FileMissing:
        return None
    return read_sample(files.open_stored(draft.spool_name), draft.detected_encoding)


def name_to_save(name: str) -> str:
    """Return another name for the mapping of one file, which can't be saved under its own."""
    return DEFAULT_NAME if name == store.ONE_FILE else name


def _as_read(
    page_request: PageRequest, file: StudentFile, data: Submitted, *, is_fixed: bool
) -> ResultColumns:
    """Return the columns of a file as they are read now.

    Args:
        page_request: The request.
        file: The file.
        data: The form that was submitted; None: none was.
        is_fixed: Whether they can't be mapped.
    """
    current = file.mapping_document
    base = _to_change(file.header, current)
    form = None
    if not is_fixed and page_request.may(Permission.MANAGE_SETTINGS):
        is_saved = current is not None and current.name != store.ONE_FILE
        form = HeaderForm(file.header, base, data, is_saved=is_saved)
    return ResultColumns(file_columns(file.header, base), form)


def _to_change(names: Sequence[str], current: MappingDocument | None) -> MappingDocument:
    if current is None:
        return mapping_by_names(names)
    return current.as_version(0, name_to_save(current.name))
