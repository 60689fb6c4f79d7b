"""Who was on a line of an update, and what is kept of deleted students."""

from array import array

import pytest

from rollbook.accounts.district_keys import DistrictKeyLost
from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import leftovers, password_marks
from rollbook.updates.cancel import cancel
from rollbook.updates.manifest import fingerprints, manifest, ranges, student_arrays
from rollbook.updates.models import AddedStudents, CheckedRange, Manifest
from rollbook.updates.state_machine import Mode
from tests.updates.manifest.ten_students import NIGHT, pk_of, with_row
from tests.updates.night import (
    a_class,
    applying,
    enroll,
    finish,
    known,
    last,
    lift_limits,
    run,
    send,
    send_bytes,
    values_of,
)

# Who was on a line


def test_it_is_known_who_was_on_a_line(school: District) -> None:
    text = with_row("s003", "99") + "\n\nunknown,5"
    run(school, text)
    update = last(school)
    lines = {line: ranges.student_on_line(update, line) for line in range(1, 16)}
    assert lines == {
        **dict.fromkeys((1, 12, 13, 14, 15)),
        **{number + 2: pk_of(f"s{number:03}") for number in range(10)},
    }


def test_it_is_known_who_was_on_a_line_of_an_update_that_was_canceled(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollbook.updates.applying.apply.MIN_CHUNK_ROWS", 2)
    monkeypatch.setattr("rollbook.updates.applying.apply.MAX_CHUNK_ROWS", 2)
    monkeypatch.setattr(ranges, "FILLED_IN_AT_ONCE", 2)
    update = send(maple, a_class(6), Mode.ADD)
    applying(update, chunks=2)
    cancel(maple)
    expected = [*(pk_of(f"s{number:03}") for number in range(4)), None, None]
    assert [ranges.student_on_line(update, line) for line in range(2, 8)] == expected
    assert AddedStudents.objects.count() == 2
    while leftovers.remove_batch():
        assert [ranges.student_on_line(update, line) for line in range(2, 8)] == expected
    assert not AddedStudents.objects.exists()


def test_four_bytes_a_row_are_kept_of_each_update_but_the_last(maple: District) -> None:
    text = a_class(300, ADDITIONAL_INFO_1='"two\nlines"')
    enroll(maple, text)
    lift_limits(maple)
    run(maple, text)
    while leftovers.remove_batch():
        pass
    for number, fingerprints_size in ((1, 0), (2, 8 * 300)):
        [kept] = CheckedRange.objects.filter(update__number=number)
        assert len(kept.student_ids) == 4 * 300
        assert len(kept.fingerprints) == fingerprints_size
        assert 0 < len(kept.line_numbers) < 50  # compressed, because nearly all differ by 2


def test_students_with_large_ids_take_more() -> None:
    students = array("q", [1, -(2**40), 0])
    packed, id_bytes = student_arrays.pack(students)
    assert (len(packed), id_bytes) == (24, 8)
    assert student_arrays.unpack(packed, id_bytes) == students
    packed, id_bytes = student_arrays.pack(array("q", [1, -5, 0]))
    assert (len(packed), id_bytes) == (12, 4)


@pytest.mark.parametrize("last_row", ["s002,d\n", 's002,"d"'])
def test_lines_after_quoted_line_breaks_are_right(
    maple: District, manager: Member, last_row: str
) -> None:
    enroll(maple, a_class(3))
    text = 'STUDENT_ID,ADDITIONAL_INFO_1\ns000,"a\nb"\ns001,c\n\n' + last_row
    for _ in range(2):
        finish(send_bytes(maple, text.encode()).update)
        found = {line: ranges.student_on_line(last(maple), line) for line in range(2, 8)}
        assert found == {
            2: pk_of("s000"),
            4: pk_of("s001"),
            6: pk_of("s002"),
            3: None,
            5: None,
            7: None,
        }
    assert values_of(maple, "s001", "ADDITIONAL_INFO_1") == ("c",)


# Deleted students


def test_a_deleted_student_is_not_known_and_leaves_no_fingerprint(school: District) -> None:
    run(school, "\n".join(NIGHT.splitlines()[:4]))
    for key in ("s001", "s008"):  # of the file, and a carried one
        before = known(school)
        manifest.forget([pk_of(key)])
        assert known(school) == before - {key}
    secret = fingerprints.RowFingerprinter.of_update(last(school)).key
    records = manifest.read(Manifest.objects.get(district=school), secret)
    assert list(records.fingerprints).count(0) == 2


def test_without_the_key_all_fingerprints_are_forgotten(
    school: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key_for(*arguments: object) -> bytes:
        raise DistrictKeyLost("the mark key of maple-usd was destroyed")

    monkeypatch.setattr(password_marks, "key_for", key_for)
    manifest.forget([pk_of("s001")])
    assert not Manifest.objects.exists()
    assert not CheckedRange.objects.exclude(fingerprints=b"").exists()


def test_with_another_version_all_fingerprints_are_forgotten(
    school: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "__version__", "99")
    manifest.forget([pk_of("s001")])
    assert not Manifest.objects.exists()
    assert not CheckedRange.objects.exclude(fingerprints=b"").exists()
