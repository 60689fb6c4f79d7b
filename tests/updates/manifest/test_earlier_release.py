"""What a release without a manifest has checked during an upgrade; see decision 45."""

from array import array

import pytest

from rollbook.districts.models import District
from rollbook.updates import runner
from rollbook.updates.checking import check_range
from rollbook.updates.manifest import ranges
from rollbook.updates.models import CheckedRange, Manifest, UpdateJob
from tests.updates.manifest.ten_students import ALL, NIGHT, pk_of, with_row
from tests.updates.night import (
    applying,
    counts,
    finish,
    known,
    report_of,
    run,
    send,
)


def of_earlier_release(update: UpdateJob) -> None:
    """Store the update's ranges as a release without a manifest does."""
    for checked in update.checkedrange_set.all():
        students, lines = ranges.students_in(checked), ranges.lines_of(checked)
        rows = [(abs(pk), line) for pk, line in zip(students, lines, strict=True) if pk]
        CheckedRange.objects.filter(pk=checked.pk).update(
            first_line=0,
            matched_rows=0,
            id_bytes=8,
            student_ids=array("q", (pk for pk, _ in rows)).tobytes(),
            line_numbers=array("q", (line for _, line in rows)).tobytes(),
            fingerprints=b"",
            checksum=b"",
        )


def test_what_an_earlier_release_checked_is_never_in_a_manifest(
    school: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_range, "MAX_RECORDS", 4)
    monkeypatch.setattr(check_range, "MAX_UNKNOWN", 4)
    text = with_row("s001", "6") + "\n" + NIGHT.splitlines()[9].replace("4", "8")
    update, before = send(school, text), Manifest.objects.get().update_id
    steps = runner.run_steps(update.pk)
    next(steps)
    of_earlier_release(update)
    for _ in steps:
        pass
    assert counts(report_of(update)) == {"updated": 1, "unchanged": 8, "rejected": 2}
    assert Manifest.objects.get().update_id == before
    assert known(school) == ALL - {"s001", "s008"}
    assert ranges.student_on_line(update, 3) == pk_of("s001")
    assert counts(run(school, NIGHT)) == {"updated": 1, "unchanged": 9}
    assert known(school) == ALL


def test_an_update_whose_ranges_an_earlier_release_removed_makes_no_manifest(
    school: District,
) -> None:
    update, before = send(school, with_row("s001", "6")), Manifest.objects.get().update_id
    applying(update)
    update.checkedrange_set.all().delete()
    assert counts(finish(update)) == {"updated": 1, "unchanged": 9}
    assert Manifest.objects.get().update_id == before
    assert known(school) == ALL - {"s001"}
