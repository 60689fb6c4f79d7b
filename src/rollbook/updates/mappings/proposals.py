"""Propose a column mapping for a file of a district, whose students show which column has IDs."""

from collections.abc import Sequence

from rollbook.districts.models import District
from rollbook.studentfile.mapping.propose import Proposal, propose
from rollbook.studentfile.mapping.sample import Sample
from rollbook.studentfile.problems.problem import Problem
from rollbook.students.models import Student

MAPPABLE = frozenset(
    (
        "column_renamed",
        "competing_columns",
        "duplicate_column",
        "header_not_found",
        "key_column_renamed",
        "mapping_columns",
        "missing_column",
        "wrong_file_type",
    )
)
"""The problems of a refused file whose columns a mapping could name."""


def propose_for(district: District, sample: Sample) -> Proposal | None:
    """Return the mapping that fits a file best; None if nothing in it identifies students."""

    def count_known(ids: Sequence[str]) -> int:
        wanted = set(ids)
        return Student.objects.filter(district=district, student_id__in=wanted).count()

    return propose(sample.names, sample.cells, count_known)


def is_mappable(refusal: Problem | None) -> bool:
    """Return whether a column mapping could help a file that was refused for this problem."""
    return refusal is not None and refusal.code in MAPPABLE
