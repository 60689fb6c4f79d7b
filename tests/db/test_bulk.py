"""Many rows at once: whatever a text holds arrives as it was, and no key is given twice."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from rollbook.db import bulk
from rollbook.districts.models import District, School
from rollbook.students.models import Change, Student
from rollbook.updates.models import StagedRow
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
    """The key of the only student."""
    enroll(maple, a_class(1))
    Change.objects.all().delete()
    return Student.objects.get().pk


@contextmanager
def another_connection() -> Iterator[ThreadPoolExecutor]:
    """A thread that has one of its own, and closes it."""
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


def test_every_text_is_inserted_as_it_was(ann: int) -> None:
    bulk.insert("students_change", COLUMNS, entries(ann, NASTY))
    kept = Change.objects.order_by("pk").values_list(
        "field", "old", "new", "changed_at", "update", "member"
    )
    wanted: list[tuple[Any, ...]] = [
        (f"F{n}", text, text[::-1], AT, None, None) for n, text in enumerate(NASTY)
    ]
    assert list(kept) == wanted


def test_a_column_that_is_not_named_takes_the_databases_own_value(maple: District) -> None:
    bulk.insert(
        "districts_school", ("district_id", "organization_id", "name"), [(maple.pk, "a'b", "c\\d")]
    )
    school = School.objects.get(organization_id="a'b")
    assert school.name == "c\\d"
    assert school.pk > 0


@pytest.mark.parametrize("none", [[], iter(())])
def test_no_rows_at_all_are_none_inserted_and_none_changed(ann: int, none: Any) -> None:
    bulk.insert("students_change", COLUMNS, none)
    bulk.update(Student, ("grade",), [])
    assert not Change.objects.exists()


def test_none_a_date_and_a_number_are_inserted_as_what_they_are(maple: District) -> None:
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
    kept = StagedRow.objects.order_by("line").values_list(
        "values_json", "apply_order", "outcome", "claims_dob", "fingerprint"
    )
    assert list(kept) == [
        ("NULL", largest, None, date(2012, 2, 29), -largest - 1),
        ("", 0, "rejected", None, None),
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("row", "refusal"),
    [
        ((None, "b"), IntegrityError),  # no organization_id
        (("100", "there is one already"), IntegrityError),
        pytest.param(("x" * 65, "too long"), DataError, marks=pytest.mark.only_on("postgresql")),
    ],
)
def test_what_the_database_refuses_is_djangos_error_and_nothing_is_kept(
    maple: District, row: tuple[str | None, str], refusal: type[Exception]
) -> None:
    columns = ("district_id", "organization_id", "name")
    with pytest.raises(refusal), transaction.atomic():
        bulk.insert("districts_school", columns, [(maple.pk, "a", "A"), (maple.pk, *row)])
    assert set(School.objects.values_list("organization_id", flat=True)) == {"100", "200"}


def test_every_text_is_updated_as_it_was_and_only_where_it_was_meant(
    maple: District, cedar: District
) -> None:
    texts = [text for text in NASTY if len(text) <= 100]
    enroll(maple, a_class(len(texts) + 1))
    enroll(cedar, a_class(1))
    before = Student.objects.order_by("pk").values()
    other, *meant = list(before.filter(district=maple))
    stranger = before.get(district=cedar)
    rows = [
        (text, text[::-1], f"2011-01-{number + 1:02}", None, student["id"])
        for number, (text, student) in enumerate(zip(texts, meant, strict=True))
    ]
    bulk.update(Student, ("additional_info_1", "last_name", "dob", "student_id"), rows)
    after = {student["id"]: student for student in Student.objects.values()}
    assert after.pop(other["id"]) == other
    assert after.pop(stranger["id"]) == stranger
    assert list(after.values()) == [
        student
        | {
            "additional_info_1": text,
            "last_name": text[::-1],
            "dob": date(2011, 1, number + 1),
            "student_id": None,
        }
        for number, (text, student) in enumerate(zip(texts, meant, strict=True))
    ]


def test_an_update_of_nobody_changes_nobody(maple: District, ann: int) -> None:
    before = Student.objects.values().get()
    bulk.update(Student, ("grade",), [("9", ann + 1)])
    assert Student.objects.values().get() == before


def test_new_keys_are_as_many_as_asked_for_and_nobody_has_them(maple: District) -> None:
    columns = ("id", "district_id", "organization_id", "name")
    known = set(School.objects.values_list("pk", flat=True))
    for number in (0, 1, 3, 1000):
        keys = bulk.new_keys("districts_school", number)
        assert len(set(keys)) == number
        assert known.isdisjoint(keys)
        bulk.insert("districts_school", columns, [(key, maple.pk, f"s{key}", "") for key in keys])
        known.update(keys)
    assert set(School.objects.values_list("pk", flat=True)) == known


def test_a_row_that_is_inserted_without_a_key_gets_none_that_was_given(maple: District) -> None:
    keys = bulk.new_keys("districts_school", 5)
    columns = ("id", "district_id", "organization_id", "name")
    bulk.insert("districts_school", columns, [(key, maple.pk, f"s{key}", "") for key in keys])
    assert School.objects.create(district=maple, organization_id="new", name="").pk not in keys


def test_the_key_of_a_row_that_has_gone_is_not_given_again(maple: District) -> None:
    last = School.objects.create(district=maple, organization_id="last", name="")
    gone = last.pk
    last.delete()
    assert gone not in bulk.new_keys("districts_school", 3)


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_two_connections_never_get_the_same_key(maple: District) -> None:
    ours: list[int] = []
    theirs: list[int] = []
    with another_connection() as other, transaction.atomic():
        for _ in range(20):
            asked = other.submit(bulk.new_keys, "districts_school", 50)
            ours += bulk.new_keys("districts_school", 50)
            theirs += asked.result()
        transaction.set_rollback(True)
    again = bulk.new_keys("districts_school", 50)
    assert len({*ours, *theirs, *again}) == 20 * 50 * 2 + 50


@pytest.mark.only_on("sqlite")
@pytest.mark.django_db(transaction=True)
def test_while_keys_are_given_and_used_nobody_else_can_ask_for_some(maple: District) -> None:
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
            asked = other.submit(add)
            bulk.insert(
                "districts_school", columns, [(key, maple.pk, f"s{key}", "") for key in keys]
            )
            assert not asked.done()
        assert set(asked.result()).isdisjoint(keys)
