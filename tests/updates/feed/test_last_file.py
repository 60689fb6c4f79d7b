"""With which file a file is compared, and what a part of one is."""

from array import array
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollbook.districts.models import District
from rollbook.updates.checking import check_range
from rollbook.updates.models import CheckedRange, UpdateJob
from tests.updates.night import a_class, complete, enroll, finish, run, send

SIZE = 120


@pytest.fixture
def sent(maple: District) -> District:
    enroll(maple, a_class(SIZE))
    return maple


def found(district: District, text: str) -> dict[str, bool]:
    """Return the codes and columns that are found about a file, and whether they hold it."""
    update = send(district, text, is_check=True)
    finish(update)
    return {
        f"{each['code']} {each['column']}".strip(): each["holds"] for each in update.findings or []
    }


def rows(*numbers: int, **columns: str) -> str:
    """Return the file with only these rows."""
    header, *lines = complete(a_class(SIZE, **columns)).splitlines()
    return "\n".join([header, *(lines[number] for number in numbers)])


def test_the_first_file_is_compared_with_nothing(maple: District) -> None:
    assert found(maple, a_class(SIZE)) == {}


def test_a_key_column_that_is_blank_in_half_the_rows_is_named(sent: District) -> None:
    lines = complete(a_class(SIZE)).splitlines()
    lines[2::2] = [line[line.index(",") :] for line in lines[2::2]]
    assert found(sent, "\n".join(lines)) == {"shape_changed STUDENT_ID": True}


def test_between_both_thresholds_a_column_is_only_reported(sent: District) -> None:
    lines = complete(a_class(SIZE)).splitlines()
    lines[1:25] = [line.replace("Lee", "LEE") for line in lines[1:25]]
    assert found(sent, "\n".join(lines)) == {"shape_changed LAST_NAME": False}


def test_a_part_is_nothing_unusual_unless_a_column_is_entirely_different(sent: District) -> None:
    part = range(1, SIZE, 3)
    assert found(sent, rows(*part)) == {}
    assert found(sent, rows(*part, LAST_NAME="LEE{0:03}")) == {}  # too few to compare


def test_a_part_that_is_large_enough_is_compared(maple: District) -> None:
    enroll(maple, a_class(3 * SIZE))
    header, *lines = complete(a_class(3 * SIZE, LAST_NAME="LEE{0:03}")).splitlines()
    assert found(maple, "\n".join([header, *lines[::3]])) == {"shape_changed LAST_NAME": True}


def test_the_beginning_of_the_last_file_is_no_part(sent: District) -> None:
    assert found(sent, rows(*range(30))) == {"fewer_rows": True}
    assert found(sent, rows(*range(90))) == {"fewer_rows": True}
    assert found(sent, rows(*range(100))) == {"fewer_rows": False}
    assert found(sent, rows(*range(10))) == {}


def test_files_whose_details_have_expired_or_are_damaged_are_compared_by_their_shape(
    sent: District,
) -> None:
    assert found(sent, OTHERS) == {"other_students": True, "shape_changed FIRST_NAME": True}
    update = UpdateJob.objects.order_by("number")[0]
    update.checkedrange_set.update(student_ids=b"123")
    assert found(sent, OTHERS) == {"shape_changed FIRST_NAME": True}
    update.checkedrange_set.all().delete()
    assert found(sent, OTHERS) == {"shape_changed FIRST_NAME": True}


def _other_students(packed: CheckedRange) -> None:
    packed.student_ids = array("i", range(10_000, 10_000 + 40)).tobytes()


def _odd_length(packed: CheckedRange) -> None:
    packed.student_ids = packed.student_ids[:-3]


def _shorter(packed: CheckedRange) -> None:
    packed.student_ids = packed.student_ids[: len(packed.student_ids) // 2]


def _wrong_size(packed: CheckedRange) -> None:
    packed.id_bytes = 5


def _other_fingerprints(packed: CheckedRange) -> None:
    packed.fingerprints = packed.fingerprints[::-1]


@pytest.fixture
def in_three_ranges(maple: District, monkeypatch: pytest.MonkeyPatch) -> District:
    """A district whose last file was checked in three batches."""
    monkeypatch.setattr(check_range, "MAX_UNKNOWN", 40)
    monkeypatch.setattr(check_range, "MAX_RECORDS", 40)
    enroll(maple, a_class(SIZE))
    assert CheckedRange.objects.count() == 3
    return maple


OTHERS = complete(a_class(SIZE, STUDENT_ID="t{0:03}", USERNAME="t{0:03}", FIRST_NAME="Bo{0:03}"))


@pytest.mark.parametrize("text", [complete(a_class(SIZE)), rows(*range(40, 90)), OTHERS])
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(
    "damage", [_other_students, _odd_length, _shorter, _wrong_size, _other_fingerprints, None]
)
def test_a_file_that_is_damaged_is_the_whole_one_or_none(
    in_three_ranges: District, damage: Callable[[CheckedRange], None] | None, at: int, text: str
) -> None:
    whole = found(in_three_ranges, text)
    packed = CheckedRange.objects.filter(update__state="completed").order_by("end_line")[at]
    if damage:
        damage(packed)
        packed.save()
    else:
        packed.delete()
    damaged = found(in_three_ranges, text)
    CheckedRange.objects.filter(update__state="completed").delete()
    assert damaged in (whole, found(in_three_ranges, text))


def test_an_older_file_without_some_of_its_rows_is_not_compared(in_three_ranges: District) -> None:
    assert run(in_three_ranges, complete(a_class(10))).unchanged == 10
    stored = CheckedRange.objects.filter(update__number=1).order_by("end_line")
    stored[0].delete()
    assert found(in_three_ranges, complete(a_class(SIZE))) == {}
    stored.update(student_ids=b"")
    assert found(in_three_ranges, OTHERS) == {"shape_changed FIRST_NAME": True}


def test_rows_that_were_always_unknown_are_not_counted(sent: District) -> None:
    strangers = a_class(2 * SIZE, STUDENT_ID="t{0:03}", USERNAME="t{0:03}", FIRST_NAME="Bob{0:03}")
    known = complete(a_class(SIZE)).splitlines()
    mixed = "\n".join([*known, *complete(strangers).splitlines()[1 : SIZE + 1]])
    assert found(sent, mixed) == {"more_rows": True}
    assert run(sent, mixed).rejected == SIZE
    assert found(sent, mixed) == {}


def test_files_with_other_columns_are_passed_over(sent: District) -> None:
    for number in range(8):
        assert run(sent, f"STUDENT_ID,ELL\ns{number:03},y\n").updated == 1
    assert found(sent, complete(a_class(SIZE, LAST_NAME="LEE{0:03}"))) == {
        "shape_changed LAST_NAME": True
    }


@pytest.mark.parametrize("name", ["Lee{0:03}", "LEE{0:03}"])
def test_more_files_than_the_last_one_are_read_only_for_a_file_that_looks_different(
    sent: District, name: str
) -> None:
    with CaptureQueriesContext(connection) as queries:
        is_different = bool(found(sent, complete(a_class(SIZE, LAST_NAME=name))))
    asked = any("OFFSET 1" in query["sql"] for query in queries.captured_queries)
    assert asked is is_different is (name == "LEE{0:03}")


def test_a_retry_of_rejected_rows_is_not_compared(sent: District) -> None:
    text = rows(*range(30))
    update = send(sent, text, is_check=True)
    UpdateJob.objects.filter(pk=update.pk).update(corrects=UpdateJob.objects.order_by("number")[0])
    finish(update)
    assert update.findings is None


def test_districts_do_not_see_each_other(sent: District, cedar: District) -> None:
    assert found(cedar, a_class(2)) == found(cedar, complete(a_class(SIZE, GRADE="pk"))) == {}
