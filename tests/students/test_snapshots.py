"""Students as plain values, loaded in bulk."""

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.students import snapshots
from rollbook.students.name_keys import loose_key
from tests.updates.night import a_class, enroll


def test_students_are_ordered_by_student_id_those_without_one_last(maple: District) -> None:
    enroll(
        maple,
        """
        STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB
        ,zoe,Zoe,Lee,2012-05-13
        20,bob,Bob,Lee,2012-05-13
        10,ann,Ann,Lee,2012-05-13
        ,cleo,Cleo,Lee,2012-05-13
        """,
    )
    pages = list(snapshots.iter_students(snapshots.list_district(maple.pk), size=3))
    assert [[student.values["USERNAME"] for student in page] for page in pages] == [
        ["ann", "bob", "zoe"],
        ["cleo"],
    ]


@pytest.mark.statement("S37")
def test_each_has_all_columns_except_the_password(maple: District, manager: Member) -> None:
    enroll(maple, a_class(1, GROUPS="Chess&band", STAFF="ops@maple.example", PASSWORD="secret"))
    [[student]] = snapshots.iter_students(snapshots.list_district(maple.pk))
    assert "PASSWORD" not in student.values
    assert (student.values["GROUPS"], student.values["STAFF"]) == (
        "band&Chess",
        "ops@maple.example",
    )
    assert (student.values["DOB"], student.values["SCHOOL_ID"]) == ("2012-05-13", "100")


def test_students_of_other_districts_are_not_loaded(maple: District, cedar: District) -> None:
    enroll(maple, a_class(2))
    enroll(cedar, a_class(3))
    assert set(snapshots.load_by_column(maple.pk, "USERNAME", ["u000", "u001", "u002"])) == {
        "u000",
        "u001",
    }
    assert set(snapshots.load_by_column(maple.pk, "STUDENT_ID", ["s001", "s002"])) == {"s001"}
    keys = {
        loose_key({"FIRST_NAME": f"Ann00{n}", "LAST_NAME": f"Lee00{n}", "DOB": "2012-05-13"})
        for n in range(3)
    }
    assert len(snapshots.load_by_loose_key(maple.pk, keys)) == 2
    assert len(snapshots.load_by_loose_key(cedar.pk, keys)) == 3
    assert [len(page) for page in snapshots.iter_students(snapshots.list_district(maple.pk))] == [2]


def test_key_holders_of_other_districts_are_not_found(maple: District, cedar: District) -> None:
    enroll(maple, a_class(1))
    enroll(cedar, a_class(2))
    [[ann]] = snapshots.iter_students(snapshots.list_district(maple.pk))
    assert snapshots.find_key_holders(maple.pk, "USERNAME", ["u000", "u001"]) == {"u000": ann.pk}
    assert snapshots.find_key_holders(maple.pk, "STUDENT_ID", ["s000", "s001"]) == {"s000": ann.pk}


def test_no_keys_find_no_students(maple: District) -> None:
    enroll(maple, a_class(1))
    assert snapshots.load_by_id([]) == {}
    assert snapshots.load_by_column(maple.pk, "USERNAME", []) == {}
    assert snapshots.load_by_loose_key(maple.pk, []) == []
    assert snapshots.find_key_holders(maple.pk, "USERNAME", []) == {}


@pytest.mark.statement("S34")
def test_special_characters_find_their_student_and_no_others(maple: District) -> None:
    enroll(
        maple,
        'USERNAME,FIRST_NAME,LAST_NAME,DOB\na"b\\%_,Ann,Lee,2012-05-13\n\U0001f600\u00e9,Bob,Lee,2012-05-13',
    )
    assert set(
        snapshots.load_by_column(
            maple.pk, "USERNAME", ['a"b\\%_', "\U0001f600\u00e9", "a%", "[1]", "null"]
        )
    ) == {
        'a"b\\%_',
        "\U0001f600\u00e9",
    }
