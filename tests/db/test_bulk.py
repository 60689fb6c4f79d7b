"""Bulk writes: every text is stored unchanged, and no key is used twice."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from rollbook.db import bulk
from rollbook.districts.models import District, School
from rollbook.students.models import Change, Group, Student
from rollbook.updates.models import CheckedRange, StagedRow
from tests.updates.night import a_class, enroll, send

NASTY = [
    "",
    " ",
    "NULL",
    "null",
    "\\N",
    "\\.",
    "\\",
    "a\\tb",
    "a\tb",
    "two\nlines",
    "two\r\nlines\r",
    'it\'s "quoted"',
    "''",
    '{"a": [1, "b"]}',
    "{a,b}",
    "(a,b)",
    "%s %(name)s %%",
    "$1 $$ :name ?",
    "Zo\u00eb \u82b1\u5b50 \U0001f469\u200d\U0001f680",
    "e\u0301",
    "\u2028\ufeff\x01\x7f",
    "0012",
    "1e5",
    "true",
    "2012-02-29",
    "x" * 100_000,
]
COLUMNS = ("student_id", "field", "old", "new", "changed_at", "update_id", "member_id")
AT = datetime(2026, 9, 1, 3, 4, 5, 678_901, tzinfo=UTC)


@pytest.fixture
def ann(maple: District) -> int:
    """The ID of the only student."""
    enroll(maple, a_class(1))
    Change.objects.all().delete()
    return Student.objects.get().pk


@contextmanager
def another_connection() -> Iterator[ThreadPoolExecutor]:
    """A thread with its own connection, which is closed at the end."""
    with ThreadPoolExecutor(1) as thread:
        try:
            yield thread
        finally:
            thread.submit(lambda: connection.close()).result()


def entries(student: int, texts: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    at = connection.ops.adapt_datetimefield_value(AT)
    return (
        (student, f"F{number}", text, text[::-1], at, None, None)
        for number, text in enumerate(texts)
    )


@pytest.mark.statement("S34")
def test_every_text_is_inserted_unchanged(ann: int) -> None:
    bulk.insert("students_change", COLUMNS, entries(ann, NASTY))
    stored = Change.objects.order_by("pk").values_list(
        "field", "old", "new", "changed_at", "update", "member"
    )
    expected: list[tuple[Any, ...]] = [
        (f"F{n}", text, text[::-1], AT, None, None) for n, text in enumerate(NASTY)
    ]
    assert list(stored) == expected


@pytest.mark.parametrize("is_sorted", [True, False])
@pytest.mark.parametrize("number", [1, 99, 100, 101, 250])
def test_each_row_is_inserted_once_and_in_order(ann: int, number: int, is_sorted: bool) -> None:
    texts = [f"text {n}" for n in range(number)]
    bulk.insert("students_change", COLUMNS, entries(ann, texts), is_sorted=is_sorted)
    assert list(Change.objects.order_by("pk").values_list("old", flat=True)) == texts


def test_a_column_that_is_not_named_gets_its_default(maple: District) -> None:
    bulk.insert(
        "districts_school", ("district_id", "organization_id", "name"), [(maple.pk, "a'b", "c\\d")]
    )
    school = School.objects.get(organization_id="a'b")
    assert school.name == "c\\d"
    assert school.pk > 0


@pytest.mark.parametrize("none", [[], iter(())])
def test_no_rows_insert_and_change_nothing(ann: int, none: Any) -> None:
    bulk.insert("students_change", COLUMNS, none)
    bulk.update(Student, ("grade",), [])
    assert not Change.objects.exists()


@pytest.mark.parametrize("number", [0, 1, 3])
def test_rows_of_integers_are_inserted_in_their_order(maple: District, number: int) -> None:
    enroll(maple, a_class(3))
    Student.groups.through.objects.all().delete()
    group = Group.objects.create(pk=(1 << 62) + 1, school=School.objects.get(organization_id="100"))
    links = [(pk, group.pk) for pk in Student.objects.order_by("-pk").values_list("pk", flat=True)]
    bulk.insert_integers("students_student_groups", ("student_id", "group_id"), links[:number])
    stored = Student.groups.through.objects.order_by("pk").values_list("student_id", "group_id")
    assert list(stored) == links[:number]


def test_objects_with_bytes_are_inserted_unchanged(maple: District) -> None:
    update = send(maple, "STUDENT_ID\n1")
    packed = [b"", bytes(range(256)), b"\\x00", b"\0\r\n\\.\n\t" * 100_000]
    largest = (1 << 63) - 1
    bulk.insert_packed(
        CheckedRange,
        (
            CheckedRange(
                update=update,
                end_byte=largest,
                end_line=number,
                student_ids=data,
                line_numbers=b"",
                fingerprints=data[::-1],
            )
            for number, data in enumerate(packed)
        ),
    )
    stored = update.checkedrange_set.order_by("end_line").values_list(
        "end_byte", "end_line", "id_bytes", "student_ids", "fingerprints", "checksum"
    )
    found = [(*row[:3], *map(bytes, row[3:])) for row in stored]
    assert found == [
        (largest, number, 8, data, data[::-1], b"") for number, data in enumerate(packed)
    ]


def test_large_rows_are_read_in_their_order_without_those_that_are_deleted_meanwhile(
    maple: District,
) -> None:
    keys = ("902", "901", "903")
    School.objects.bulk_create(
        School(district=maple, organization_id=key, name=key) for key in keys
    )
    added = School.objects.filter(organization_id__in=keys).order_by("-organization_id")
    names = bulk.one_by_one(added.values_list("name", flat=True))
    assert next(names) == "903"
    added.filter(name="902").delete()
    assert list(names) == ["901"]


def test_a_row_may_need_a_query(maple: District) -> None:
    def rows() -> Iterator[tuple[object, ...]]:
        for name in ("a", "b"):
            yield School.objects.get(organization_id="100").pk, name, name

    bulk.insert("students_group", ("school_id", "name", "name_key"), rows())
    assert set(Group.objects.values_list("name", flat=True)) == {"a", "b"}


def test_none_dates_and_numbers_are_inserted(maple: District) -> None:
    update = send(maple, "STUDENT_ID,GRADE\n1,5")
    columns = (
        "update_id",
        "line",
        "student_id",
        "values_json",
        "apply_order",
        "outcome",
        "claims_dob",
        "fingerprint",
    )
    largest = (1 << 63) - 1
    bulk.insert(
        "updates_stagedrow",
        columns,
        [
            (update.pk, 2, None, "NULL", largest, None, "2012-02-29", -largest - 1),
            (update.pk, 3, None, "", 0, "rejected", None, None),
        ],
    )
    stored = StagedRow.objects.order_by("line").values_list(
        "values_json", "apply_order", "outcome", "claims_dob", "fingerprint"
    )
    assert list(stored) == [
        ("NULL", largest, None, date(2012, 2, 29), -largest - 1),
        ("", 0, "rejected", None, None),
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("row", "error"),
    [
        ((None, "b"), IntegrityError),  # no organization_id
        (("100", "duplicate"), IntegrityError),
        pytest.param(("x" * 65, "too long"), DataError, marks=pytest.mark.only_on("postgresql")),
    ],
)
def test_errors_are_django_errors_and_nothing_is_inserted(
    maple: District, row: tuple[str | None, str], error: type[Exception]
) -> None:
    columns = ("district_id", "organization_id", "name")
    with pytest.raises(error), transaction.atomic():
        bulk.insert("districts_school", columns, [(maple.pk, "a", "A"), (maple.pk, *row)])
    assert set(School.objects.values_list("organization_id", flat=True)) == {"100", "200"}


@pytest.mark.statement("S34")
def test_every_text_is_updated_unchanged_and_only_in_the_given_rows(
    maple: District, cedar: District
) -> None:
    texts = [text for text in NASTY if len(text) <= 100]
    enroll(maple, a_class(len(texts) + 1))
    enroll(cedar, a_class(1))
    before = Student.objects.order_by("pk").values()
    other, *updated = list(before.filter(district=maple))
    cedars = before.get(district=cedar)
    rows = [
        (text, text[::-1], f"2011-01-{number + 1:02}", None, student["id"])
        for number, (text, student) in enumerate(zip(texts, updated, strict=True))
    ]
    bulk.update(Student, ("additional_info_1", "last_name", "dob", "student_id"), rows)
    after = {student["id"]: student for student in Student.objects.values()}
    assert after.pop(other["id"]) == other
    assert after.pop(cedars["id"]) == cedars
    assert list(after.values()) == [
        student
        | {
            "additional_info_1": text,
            "last_name": text[::-1],
            "dob": date(2011, 1, number + 1),
            "student_id": None,
        }
        for number, (text, student) in enumerate(zip(texts, updated, strict=True))
    ]


def test_an_update_of_an_unknown_id_changes_nothing(maple: District, ann: int) -> None:
    before = Student.objects.values().get()
    bulk.update(Student, ("grade",), [("9", ann + 1)])
    assert Student.objects.values().get() == before


def test_the_requested_number_of_new_keys_is_reserved(maple: District) -> None:
    columns = ("id", "district_id", "organization_id", "name")
    known = set(School.objects.values_list("pk", flat=True))
    for number in (0, 1, 3, 1000):
        keys = bulk.new_keys("districts_school", number)
        assert len(set(keys)) == number
        assert known.isdisjoint(keys)
        bulk.insert("districts_school", columns, [(key, maple.pk, f"s{key}", "") for key in keys])
        known.update(keys)
    assert set(School.objects.values_list("pk", flat=True)) == known


def test_a_row_without_a_key_does_not_get_a_reserved_one(maple: District) -> None:
    keys = bulk.new_keys("districts_school", 5)
    columns = ("id", "district_id", "organization_id", "name")
    bulk.insert("districts_school", columns, [(key, maple.pk, f"s{key}", "") for key in keys])
    assert School.objects.create(district=maple, organization_id="new", name="").pk not in keys


def test_the_key_of_a_deleted_row_is_not_reserved_again(maple: District) -> None:
    last = School.objects.create(district=maple, organization_id="last", name="")
    deleted_key = last.pk
    last.delete()
    assert deleted_key not in bulk.new_keys("districts_school", 3)


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_two_connections_never_get_the_same_key(maple: District) -> None:
    ours: list[int] = []
    theirs: list[int] = []
    with another_connection() as other, transaction.atomic():
        for _ in range(20):
            future = other.submit(bulk.new_keys, "districts_school", 50)
            ours += bulk.new_keys("districts_school", 50)
            theirs += future.result()
        transaction.set_rollback(True)
    again = bulk.new_keys("districts_school", 50)
    assert len({*ours, *theirs, *again}) == 20 * 50 * 2 + 50


@pytest.mark.only_on("sqlite")
@pytest.mark.django_db(transaction=True)
def test_keys_cannot_be_reserved_while_another_transaction_uses_its_own(maple: District) -> None:
    columns = ("id", "district_id", "organization_id", "name")

    def add() -> list[int]:
        with transaction.atomic():
            keys = bulk.new_keys("districts_school", 10)
            bulk.insert(
                "districts_school", columns, [(key, maple.pk, f"s{key}", "") for key in keys]
            )
        return keys

    with another_connection() as other:
        with transaction.atomic():
            keys = bulk.new_keys("districts_school", 10)
            future = other.submit(add)
            bulk.insert(
                "districts_school", columns, [(key, maple.pk, f"s{key}", "") for key in keys]
            )
            assert not future.done()
        assert set(future.result()).isdisjoint(keys)


def test_columns_can_be_cleared_in_the_given_rows_only(maple: District) -> None:
    update = send(maple, a_class(1))
    for line in (2, 3):
        StagedRow.objects.create(
            update=update, line=line, apply_order=line, values_json="{}", claims_username="ann"
        )
    pk = StagedRow.objects.get(line=2).pk
    bulk.update(StagedRow, ("outcome",), [("added", pk)], ("values_json", "claims_username"))
    rows = StagedRow.objects.order_by("line")
    assert list(rows.values_list("outcome", "values_json", "claims_username")) == [
        ("added", "", None),
        (None, "{}", "ann"),
    ]
