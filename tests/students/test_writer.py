"""Changes of students and their history."""

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.students import snapshots, writer
from rollbook.students.models import Change, Group, Student
from rollbook.students.passwords import verify
from rollbook.students.writer import ChangeAuthor, StudentChange
from rollbook.updates.models import StagedRow
from rollbook.updates.state_machine import Mode
from tests.conftest import make_member
from tests.updates.night import (
    a_class,
    applying,
    column_of,
    counts,
    dump,
    enroll,
    history,
    last,
    lift_limits,
    password_of,
    problems,
    run,
    send,
    students,
    values_of,
)

FULL = {
    "STUDENT_ID": "1",
    "USERNAME": "ann",
    "PASSWORD": "secret",
    "FIRST_NAME": "Ann",
    "LAST_NAME": "Lee",
    "MIDDLE_INITIAL": "Q",
    "DOB": "2012-05-13",
    "GENDER": "f",
    "GRADE": "4",
    "SCHOOL_ID": "100",
    "ELL": "y",
    "SPECIAL_ED": "y",
    "TITLE_1": "y",
    "MIGRANT": "y",
    "RACE": "WH",
    "CLASSIFICATIONS": "Autism&Dyslexia",
    "PARENT_EMAIL_1": "p1@home.example",
    "PARENT_EMAIL_2": "p2@home.example",
    "ADDITIONAL_INFO_1": "bus 4",
    "ADDITIONAL_INFO_2": "left-handed",
    "ADDITIONAL_INFO_3": "x",
    "GROUPS": "Band&Chess",
    "STAFF": "ops@maple.example",
    "STATUS": "active",
}
CLEARABLE = [
    "MIDDLE_INITIAL",
    "TITLE_1",
    "MIGRANT",
    "RACE",
    "CLASSIFICATIONS",
    "PARENT_EMAIL_1",
    "PARENT_EMAIL_2",
    "ADDITIONAL_INFO_1",
    "ADDITIONAL_INFO_2",
    "ADDITIONAL_INFO_3",
    "GROUPS",
    "STAFF",
]
NEW = {
    "USERNAME": "annie",
    "FIRST_NAME": "Anna",
    "LAST_NAME": "Li",
    "MIDDLE_INITIAL": "R",
    "DOB": "2012-05-14",
    "GENDER": "x",
    "GRADE": "5",
    "ELL": "n",
    "SPECIAL_ED": "n",
    "TITLE_1": "n",
    "MIGRANT": "n",
    "RACE": "OT",
    "CLASSIFICATIONS": "Autism",
    "PARENT_EMAIL_1": "q1@home.example",
    "PARENT_EMAIL_2": "q2@home.example",
    "ADDITIONAL_INFO_1": "bus 5",
    "ADDITIONAL_INFO_2": "y",
    "ADDITIONAL_INFO_3": "z",
    "GROUPS": "Chess&Drama",
    "STATUS": "inactive",
}


@pytest.fixture(scope="module")
def enrolled(maple_once: District, manager_once: Member) -> None:
    enroll(maple_once, f"{','.join(FULL)}\n{','.join(FULL.values())}")


@pytest.fixture
def school(enrolled: None, maple: District, manager: Member) -> District:
    return maple


def test_a_new_student_has_the_values_of_the_row(school: District) -> None:
    assert students(school) == {
        "1": {column: value for column, value in FULL.items() if column != "PASSWORD"}
    }
    assert verify(password_of(school, "1"), "secret")


def test_a_new_student_is_one_entry_of_the_history(school: District) -> None:
    assert history(school, "1") == [("STUDENT", "", "added")]
    entry = Change.objects.get()
    assert (entry.update, entry.member) == (last(school), None)


@pytest.mark.statement("S46")
def test_the_history_names_the_member_who_sent_the_file(school: District, manager: Member) -> None:
    run(school, "STUDENT_ID,GRADE\n1,5", member=manager)
    entry = Change.objects.latest("pk")
    assert (entry.member, entry.update) == (manager, last(school))


@pytest.mark.statement("S46")
@pytest.mark.parametrize("column", NEW)
def test_each_changed_column_is_in_the_history_with_old_and_new_value(
    school: District, column: str
) -> None:
    assert counts(run(school, f"STUDENT_ID,{column}\n1,{NEW[column]}")) == {"updated": 1}
    assert students(school)["1"] == {
        name: value for name, value in {**FULL, column: NEW[column]}.items() if name != "PASSWORD"
    }
    assert history(school, "1")[1:] == [(column, FULL[column], NEW[column])]


def test_all_columns_at_once_are_one_entry_each(school: District) -> None:
    run(school, f"STUDENT_ID,{','.join(NEW)}\n1,{','.join(NEW.values())}", Mode.UPDATE)
    assert problems(last(school)) == {2: ["identity_mismatch"]}
    known = {column: value for column, value in NEW.items() if column != "LAST_NAME"}
    run(school, f"STUDENT_ID,{','.join(known)}\n1,{','.join(known.values())}")
    assert sorted(history(school, "1")[1:]) == sorted(
        (column, FULL[column], new) for column, new in known.items()
    )


@pytest.mark.parametrize(
    ("text", "updated"),
    [
        ("STUDENT_ID,GRADE\n1,9", 1),
        ("STUDENT_ID,USERNAME\n1,another", 1),
        ("STUDENT_ID,STAFF\n1,<clear>", 1),
        ("STUDENT_ID,GRADE,SCHOOL_ID,GROUPS\n1,9,200,Choir", 1),
        (f"STUDENT_ID,GRADE\n1,{FULL['GRADE']}", 0),
    ],
)
def test_each_change_counts_up_the_version(school: District, text: str, updated: int) -> None:
    before = Student.objects.get(student_id="1").version
    assert run(school, text).updated == updated
    version = Student.objects.get(student_id="1").version
    assert (version > before) == bool(updated)


@pytest.mark.parametrize(
    "text",
    [
        'say "hi"',
        "back\\slash \\u0041 \\n",
        "1",
        "true",
        "[1]",
        "{}",
        "Ökonomie 学 \U0001f600",
        "100%",
        "%s {0}",
        "'",
    ],
)
def test_any_text_is_stored_and_recorded_unchanged(school: District, text: str) -> None:
    cell = text.replace('"', '""')
    assert counts(run(school, f'STUDENT_ID,ADDITIONAL_INFO_1,GRADE\n1,"{cell}",9')) == {
        "updated": 1
    }
    assert values_of(school, "1", "ADDITIONAL_INFO_1", "GRADE") == (text, "9")
    assert ("ADDITIONAL_INFO_1", FULL["ADDITIONAL_INFO_1"], text) in history(school, "1")
    run(school, "STUDENT_ID,ADDITIONAL_INFO_1\n1,<clear>")
    assert history(school, "1")[-1] == ("ADDITIONAL_INFO_1", text, "")


@pytest.mark.parametrize("column", CLEARABLE)
def test_clear_empties_an_optional_column(school: District, column: str) -> None:
    run(school, f"STUDENT_ID,{column}\n1,<clear>")
    emptied = "Default" if column == "GROUPS" else ""
    assert values_of(school, "1", column) == (emptied,)
    assert history(school, "1")[1:] == [(column, FULL[column], emptied)]


@pytest.mark.parametrize("column", sorted(FULL.keys() - {*CLEARABLE, "STUDENT_ID", "STATUS"}))
def test_clear_is_rejected_in_a_required_column(school: District, column: str) -> None:
    before = dump(school)
    run(school, f"STUDENT_ID,{column}\n1,<CLEAR>")
    assert problems(last(school)) == {2: ["not_clearable"]}
    assert dump(school) == before


def test_clear_leaves_the_status_unchanged(school: District) -> None:
    run(school, "STUDENT_ID,STATUS,GRADE\n1,<clear>,5")
    assert problems(last(school)) == {2: ["value_kept"]}
    assert history(school, "1")[1:] == [("GRADE", "4", "5")]


def test_a_blank_cell_changes_nothing(school: District) -> None:
    before = dump(school)
    blanks = "," * (len(FULL) - 1)
    assert counts(run(school, f"{','.join(FULL)}\n1{blanks}")) == {"unchanged": 1}
    assert dump(school) == before


def test_the_same_file_again_writes_nothing(school: District) -> None:
    before = dump(school)
    result = run(school, f"{','.join(FULL)}\n{','.join(FULL.values())}")
    assert counts(result) == {"unchanged": 1}
    assert dump(school) == before
    assert not StagedRow.objects.filter(update=last(school)).exists()


def test_another_spelling_of_the_same_values_writes_nothing(school: District) -> None:
    before = dump(school)
    header = "STUDENT_ID,USERNAME,PASSWORD,DOB,GENDER,GRADE,RACE,ELL,CLASSIFICATIONS"
    header += ",GROUPS,STAFF,PARENT_EMAIL_1"
    cells = "1,ANN,SECRET,5/13/2012,Female,4th,White,YES,dyslexia & autism"
    cells += ",CHESS&band&Band,Ops@Maple.Example,P1@home.example"
    assert counts(run(school, f"{header}\n{cells}")) == {"unchanged": 1}
    assert dump(school) == before


def test_a_name_in_another_case_is_a_change(school: District) -> None:
    run(school, "STUDENT_ID,FIRST_NAME\n1,ANN")
    assert history(school, "1")[1:] == [("FIRST_NAME", "Ann", "ANN")]
    assert counts(run(school, "FIRST_NAME,LAST_NAME,DOB,GRADE\nann,lee,2012-05-13,4")) == {
        "updated": 1
    }


def test_a_list_is_the_whole_list(school: District, manager: Member) -> None:
    make_member(school, "zoe@maple.example")
    run(school, "STUDENT_ID,GROUPS,STAFF,CLASSIFICATIONS\n1,Drama,zoe@maple.example,Down Syndrome")
    assert values_of(school, "1", "GROUPS", "STAFF", "CLASSIFICATIONS") == (
        "Drama",
        "zoe@maple.example",
        "Down Syndrome",
    )
    run(school, "STUDENT_ID,GROUPS,STAFF\n1,Drama&Band,zoe@maple.example&ops@maple.example")
    assert values_of(school, "1", "GROUPS", "STAFF") == (
        "Band&Drama",
        "ops@maple.example&zoe@maple.example",
    )


def test_groups_are_created_once_in_any_case(school: District) -> None:
    enroll(
        school,
        """
        STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GROUPS
        2,Bob,Kim,2012-01-01,BAND
        3,Cleo,Diaz,2012-01-01,band&New
        4,Dan,Fox,2012-01-01,NEW
        """,
    )
    assert sorted(Group.objects.values_list("name_key", flat=True)) == ["band", "chess", "new"]
    assert column_of(school, "GROUPS")["2"] == "Band"


def test_the_same_group_name_at_two_schools_is_two_groups(school: District) -> None:
    enroll(
        school,
        "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID,GROUPS\n2,Bob,Kim,2012-01-01,200,Band",
    )
    bands = Group.objects.filter(name="Band").order_by("school__organization_id")
    assert [(band.school.organization_id, band.student_set.count()) for band in bands] == [
        ("100", 1),
        ("200", 1),
    ]


def test_a_student_without_groups_is_in_the_default_group(maple: District) -> None:
    enroll(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n1,Ann,Lee,2012-05-13")
    assert values_of(maple, "1", "GROUPS") == ("Default",)
    enroll(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GROUPS\n2,Bob,Lee,2012-05-13,")
    assert values_of(maple, "2", "GROUPS") == ("Default",)


@pytest.mark.parametrize(
    ("columns", "cells", "groups", "staff"),
    [
        ("SCHOOL_ID", "200", "Default", ""),
        ("SCHOOL_ID,GROUPS", "200,Drama", "Drama", ""),
        ("SCHOOL_ID,GROUPS", "200,Band&Chess", "Band&Chess", ""),
        ("SCHOOL_ID,GROUPS,STAFF", "200,,", "Default", ""),
        ("SCHOOL_ID,GROUPS,STAFF", "200,<clear>,ops@maple.example", "Default", "ops@maple.example"),
        ("SCHOOL_ID,STAFF", "200,nobody@maple.example", "Default", ""),
    ],
)
def test_a_transfer_removes_links_and_keeps_the_other_values(
    school: District, columns: str, cells: str, groups: str, staff: str
) -> None:
    password = password_of(school, "1")
    run(school, f"STUDENT_ID,{columns}\n1,{cells}")
    expected = {**FULL, "SCHOOL_ID": "200", "GROUPS": groups, "STAFF": staff}
    assert students(school)["1"] == {
        name: value for name, value in expected.items() if value and name != "PASSWORD"
    }
    assert password_of(school, "1") == password
    assert set(Student.objects.get().groups.values_list("school__organization_id", flat=True)) == {
        "200"
    }
    entries = {(field, old, new) for field, old, new in history(school, "1")[1:]}
    assert entries == {
        (column, FULL[column], new)
        for column, new in (("SCHOOL_ID", "200"), ("GROUPS", groups), ("STAFF", staff))
        if FULL[column] != new
    }


def test_a_row_that_names_the_same_school_is_no_transfer(school: District) -> None:
    assert counts(run(school, "STUDENT_ID,SCHOOL_ID\n1,100")) == {"unchanged": 1}
    assert values_of(school, "1", "GROUPS", "STAFF") == ("Band&Chess", "ops@maple.example")


def test_a_transfer_and_back_ends_in_the_default_group(school: District) -> None:
    run(school, "STUDENT_ID,SCHOOL_ID\n1,200")
    run(school, "STUDENT_ID,SCHOOL_ID\n1,100")
    assert values_of(school, "1", "SCHOOL_ID", "GROUPS", "STAFF") == ("100", "Default", "")


@pytest.mark.statement("S37", "S46")
def test_a_new_password_is_recorded_without_its_value(school: District) -> None:
    run(school, "STUDENT_ID,PASSWORD\n1,n3w-one")
    assert history(school, "1")[1:] == [("PASSWORD", "", "changed")]
    assert verify(password_of(school, "1"), "n3w-one")
    assert not verify(password_of(school, "1"), "secret")


def test_the_same_password_again_is_no_change(school: District) -> None:
    stored = password_of(school, "1")
    assert counts(run(school, "STUDENT_ID,PASSWORD\n1,Secret")) == {"unchanged": 1}
    assert password_of(school, "1") == stored


def test_a_student_without_a_password_gets_a_random_one(maple: District) -> None:
    enroll(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n1,Ann,Lee,2012-05-13\n2,Bob,Lee,2012-05-13")
    one, other = password_of(maple, "1"), password_of(maple, "2")
    assert one.startswith("hmac$")
    assert one != other
    assert not any(verify(one, guess) for guess in ("", "1", "ann", "alee", "2012-05-13"))


def test_a_student_is_deactivated_and_reactivated_by_status_only(school: District) -> None:
    run(school, "STUDENT_ID,STATUS\n1,inactive")
    run(school, "STUDENT_ID,GRADE,SCHOOL_ID\n1,5,200")
    assert values_of(school, "1", "STATUS") == ("inactive",)
    run(school, "STUDENT_ID,STATUS\n1,Active")
    assert values_of(school, "1", "STATUS") == ("active",)
    assert [entry for entry in history(school, "1") if entry[0] == "STATUS"] == [
        ("STATUS", "active", "inactive"),
        ("STATUS", "inactive", "active"),
    ]


def test_the_history_of_other_students_is_not_changed(school: District) -> None:
    enroll(school, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n2,Bob,Kim,2012-01-01")
    before = dump(school)["1"]
    run(school, "STUDENT_ID,SCHOOL_ID,GROUPS,STAFF\n2,200,Band,ops@maple.example")
    assert dump(school)["1"] == before


@pytest.mark.statement("S37")
def test_staged_rows_contain_no_password_in_plain_text(school: District) -> None:
    enroll(school, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,PASSWORD\n2,Bob,Kim,2012-01-01,canary-one")
    update = send(school, "STUDENT_ID,PASSWORD\n1,canary-two")
    applying(update)
    values = StagedRow.objects.values_list("values_json", flat=True)
    assert len(values) == 3
    assert not any("canary" in each for each in values)


NEW_USERNAMES = st.lists(
    st.sampled_from([f"user{number}" for number in range(8)]), min_size=5, max_size=5, unique=True
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    usernames=NEW_USERNAMES,
    grades=st.lists(st.sampled_from(["4", "5"]), min_size=5, max_size=5),
    order=st.permutations(range(5)),
)
def test_students_exchange_usernames_in_any_way(
    maple: District, usernames: list[str], grades: list[str], order: list[int]
) -> None:
    pupils = Student.objects.filter(student_id__startswith="s").order_by("pk")
    if not pupils.exists():
        enroll(maple, a_class(5))
    pks = list(pupils.values_list("pk", flat=True))
    stored = snapshots.load_by_id(pks)
    changes = []
    for position in order:
        new = {"USERNAME": usernames[position], "GRADE": grades[position]}
        student = stored[pks[position]]
        different = {name: value for name, value in new.items() if student.values[name] != value}
        changes.append(StudentChange(student, different))
    writer.apply_changes(maple.pk, changes, ChangeAuthor(None, None, timezone.now()))
    values = pupils.values_list("username", "grade")
    assert list(values) == list(zip(usernames, grades, strict=True))


@pytest.mark.only_on("postgresql")
def test_a_new_grade_updates_no_index_in_a_district_loaded_at_once(
    maple: District,
) -> None:
    enroll(maple, a_class(200, GRADE="4"))
    lift_limits(maple)
    before = moved_rows()
    assert run(maple, a_class(200, GRADE="5")).updated == 200
    assert moved_rows() == before


def moved_rows() -> list[int]:
    """Return how many updates in this transaction moved a row of each table to another page."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd - n_tup_hot_upd FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('students_student', 'students_touched') ORDER BY relname"
        )
        return [moved for (moved,) in cursor.fetchall()]
