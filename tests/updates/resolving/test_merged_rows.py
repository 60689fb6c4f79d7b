"""Rows of one student that don't contradict each other are applied as one row."""

from contextlib import suppress
from itertools import islice

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.students.models import Student
from rollbook.students.passwords import verify
from rollbook.updates import runner
from rollbook.updates.models import StagedRow, UpdateJob
from rollbook.updates.reporting import rows as row_table
from rollbook.updates.resolving import duplicates, resolver
from rollbook.updates.resolving.duplicates import join_overlapping
from rollbook.updates.state_machine import Mode, State
from tests.updates import night
from tests.updates.night import (
    a_class,
    applying,
    counts,
    dump,
    enroll,
    finish,
    history,
    known,
    last,
    password_of,
    report_of,
    run,
    send,
    send_bytes,
    stored_hints,
    students,
    values_of,
)

pytestmark = pytest.mark.usefixtures("small_chunks")


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(4))


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    """Return a district with s000 to s003, all in grade 4 of school 100."""
    return maple


def test_a_blank_cell_contradicts_nothing(school: District) -> None:
    result = run(school, "STUDENT_ID,GRADE,SCHOOL_ID\ns000,10,200\ns000,10,")
    assert counts(result) == {"updated": 1, "unchanged": 1}
    assert values_of(school, "s000", "GRADE", "SCHOOL_ID") == ("10", "200")
    assert night.problems(last(school)) == {3: ["duplicate_row"]}


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        ("GRADE,GENDER", "5,|,x", {"GRADE": "5", "GENDER": "x"}),
        ("GRADE,GENDER", ",x|5,", {"GRADE": "5", "GENDER": "x"}),
        ("GRADE,GENDER", "5,|,|,x", {"GRADE": "5", "GENDER": "x"}),
        ("GRADE,GENDER", "4,|,x", {"GRADE": "4", "GENDER": "x"}),
        ("GRADE,GENDER", ",x|4,", {"GRADE": "4", "GENDER": "x"}),
        ("GRADE,GENDER", "04,x|4th,", {"GRADE": "4", "GENDER": "x"}),
        ("SCHOOL_ID,GROUPS", "200,|,Blue&Red", {"SCHOOL_ID": "200", "GROUPS": "Blue&Red"}),
        ("SCHOOL_ID,GROUPS", ",Blue|200,", {"SCHOOL_ID": "200", "GROUPS": "Blue"}),
        ("GROUPS,GRADE", "Blue&Red,|red&blue,5", None),
        ("GROUPS,GRADE", "Red&Blue,|Blue&Red,5", {"GROUPS": "Blue&Red", "GRADE": "5"}),
        ("GROUPS,GRADE", "Blue,|Red,5", None),
        ("RACE,GRADE", "<clear>,|,5", {"RACE": "", "GRADE": "5"}),
        ("RACE,GRADE", "<clear>,|WH,5", None),
        ("USERNAME,FIRST_NAME", "new,|,Zoe", {"USERNAME": "new", "FIRST_NAME": "Zoe"}),
        ("STATUS,GRADE", "inactive,|,5", {"STATUS": "inactive", "GRADE": "5"}),
        ("STATUS,GRADE", "inactive,|active,5", None),
    ],
)
def test_values_that_complement_each_other_are_merged(
    school: District, header: str, rows: str, expected: dict[str, str] | None
) -> None:
    for place in school.school_set.all():  # so that an & doesn't create groups
        for name in ("Blue", "Red"):
            place.group_set.create(name=name, name_key=name.casefold())
    before = dump(school)
    lines = [f"s000,{row}" for row in rows.split("|")]
    result = run(school, "\n".join([f"STUDENT_ID,{header}", *lines]))
    if expected is None:
        assert counts(result) == {"rejected": len(lines)}
        assert dump(school) == before
        return
    assert counts(result) == {"updated": 1, "unchanged": len(lines) - 1}
    assert dict(zip(expected, values_of(school, "s000", *expected), strict=True)) == expected
    codes = {line: ["duplicate_row"] for line in range(3, 2 + len(lines))}
    assert night.problems(last(school)) == codes


def test_the_warning_says_that_the_rows_were_applied_together(school: District) -> None:
    run(school, "STUDENT_ID,GRADE,GENDER\ns000,5,\ns000,,x\ns001,5,\ns001,5,")
    hints = stored_hints(last(school))
    assert hints == {
        3: "line 2 is about the same student; they were applied together",
        5: "line 4 has the same values",
    }


def test_merging_nothing_new_changes_nothing(school: District) -> None:
    result = run(school, "STUDENT_ID,GRADE,GENDER\ns000,4,\ns000,,f")
    assert counts(result) == {"unchanged": 2}
    assert night.problems(last(school)) == {3: ["duplicate_row"]}
    assert history(school, "s000") == [("STUDENT", "", "added")]


def test_every_field_changes_once_in_the_history(school: District) -> None:
    run(school, "STUDENT_ID,GRADE,GENDER\ns000,5,\ns000,5,x\ns000,,x")
    assert history(school, "s000")[1:] == [("GENDER", "f", "x"), ("GRADE", "4", "5")]


def test_a_password_in_another_row_is_set_and_never_stored_as_sent(school: District) -> None:
    update = send(school, "STUDENT_ID,GRADE,PASSWORD\ns000,5,\ns000,,secret77")
    applying(update)
    for values_json in StagedRow.objects.values_list("values_json", flat=True):
        assert "secret77" not in values_json
    assert counts(finish(update)) == {"updated": 1, "unchanged": 1}
    assert verify(password_of(school, "s000"), "secret77")
    assert values_of(school, "s000", "GRADE") == ("5",)


def test_two_passwords_are_a_conflict_and_equal_ones_are_not(school: District) -> None:
    result = run(school, "STUDENT_ID,GRADE,PASSWORD\ns000,5,one234\ns000,,two234")
    assert counts(result) == {"rejected": 2}
    result = run(school, "STUDENT_ID,GRADE,PASSWORD\ns000,5,Same1234\ns000,,same1234")
    assert counts(result) == {"updated": 1, "unchanged": 1}
    assert verify(password_of(school, "s000"), "same1234")


def test_staff_who_are_unknown_are_left_out_of_merged_rows(
    school: District, manager: Member
) -> None:
    run(school, f"STUDENT_ID,GRADE,STAFF\ns000,5,\ns000,,{manager.email}&nobody@maple.example")
    assert values_of(school, "s000", "GRADE", "STAFF") == ("5", manager.email)
    assert night.problems(last(school))[3] == ["unknown_staff", "duplicate_row"]


def test_a_rejected_row_gives_nothing_and_rejects_only_what_it_contradicts(
    school: District,
) -> None:
    result = run(
        school,
        """
        STUDENT_ID,GRADE,SCHOOL_ID,GENDER
        s000,5,,
        s000,,nowhere,x
        s001,5,,
        s001,15,,x
        s002,5,,
        s002,,200
        """,
    )
    assert counts(result) == {"updated": 2, "rejected": 4}
    assert values_of(school, "s000", "GRADE", "GENDER") == ("5", "f")
    assert values_of(school, "s001", "GRADE", "GENDER") == ("4", "f")
    assert values_of(school, "s002", "GRADE", "SCHOOL_ID") == ("5", "100")
    assert night.problems(last(school)) == {
        3: ["unknown_school"],
        4: ["conflicting_duplicate"],
        5: ["bad_value"],
        7: ["too_few_cells"],
    }


def test_a_key_that_a_merged_row_claims_is_checked(school: District) -> None:
    result = run(school, "STUDENT_ID,USERNAME,GRADE\ns000,u001,\ns000,,5\ns002,u003,\ns003,free,")
    assert counts(result) == {"updated": 2, "unchanged": 1, "rejected": 1}
    assert values_of(school, "s000", "USERNAME", "GRADE") == ("u000", "4")
    assert values_of(school, "s002", "USERNAME") == ("u003",)
    assert night.problems(last(school)) == {2: ["username_taken"], 3: ["duplicate_row"]}


# Known rows


def test_rows_of_the_same_student_are_not_known(school: District) -> None:
    file = "STUDENT_ID,GRADE,GENDER\ns000,5,\ns000,,x\ns001,5,x\ns001,5,x\ns002,5,x"
    run(school, file)
    assert known(school) == {"s002"}
    before = dump(school)
    for _ in range(3):
        assert counts(run(school, file)) == {"unchanged": 5}
        assert night.problems(last(school)) == {3: ["duplicate_row"], 5: ["duplicate_row"]}
    assert dump(school) == before


def test_a_known_row_is_merged_with_a_new_one(school: District) -> None:
    file = "STUDENT_ID,GRADE,GENDER\ns000,5,\n"
    run(school, file)
    assert counts(run(school, file)) == {"unchanged": 1}
    assert counts(run(school, f"{file}s000,,x")) == {"updated": 1, "unchanged": 1}
    assert values_of(school, "s000", "GRADE", "GENDER") == ("5", "x")
    assert night.problems(last(school)) == {3: ["duplicate_row"]}
    assert counts(run(school, f"{file}s000,6,x")) == {"rejected": 2}


def test_what_one_row_says_alone_is_applied_after_a_change_by_hand(school: District) -> None:
    file = "STUDENT_ID,GRADE,GENDER\ns000,5,\ns000,,x"
    run(school, file)
    student = Student.objects.get(district=school, student_id="s000")
    Student.objects.filter(pk=student.pk).update(gender="m")
    night.run(school, "STUDENT_ID,GRADE,GENDER\ns000,5,")
    assert counts(run(school, file)) == {"updated": 1, "unchanged": 1}
    assert values_of(school, "s000", "GENDER") == ("x",)


# New students

NEW = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GRADE,SCHOOL_ID,GENDER,ELL,SPECIAL_ED,USERNAME,GROUPS"
ZOE = "n1,Zoe,Fox,2012-01-01"


def add(district: District, *rows: str) -> UpdateJob:
    update = send_bytes(district, "\n".join([NEW, *rows, ""]).encode(), Mode.ADD).update
    finish(update)
    return update


@pytest.mark.parametrize(
    "rows",
    [
        (f"{ZOE},4,100,f,n,n,zoe,Blue", f"{ZOE},4,100,f,n,n,,"),
        (f"{ZOE},4,100,f,n,n,,", f"{ZOE},4,100,f,n,n,zoe,Blue"),
        (f"{ZOE},4,100,f,n,n,zoe,", f"{ZOE},4,100,f,n,n,,Blue"),
        (f"{ZOE},4,,f,n,n,zoe,", f"{ZOE},,100,,n,n,,Blue"),
        (f"{ZOE},,,,,,,", "n1,,,,4,100,f,n,n,zoe,Blue"),
        ("n1,,,,4,100,f,n,n,zoe,Blue", f"{ZOE},,,,,,,"),
        (f"{ZOE},4,100,,,,,", "n1,,,,,,f,n,n,,", "n1,,,,,,,,,zoe,Blue"),
        (",Zoe,Fox,1/1/2012,4,100,f,n,n,zoe,", f"{ZOE},,,,,,,Blue"),
        (f"{ZOE},,,,,,,Blue", ",Zoe,Fox,1/1/2012,4,100,f,n,n,zoe,"),
        (f"{ZOE},4,100,,,,,", "n1,,,,,,f,n,n,,Blue", ",Zoe,Fox,1/1/2012,,,,,,zoe,"),
    ],
)
def test_rows_of_a_new_student_are_added_as_one(school: District, rows: tuple[str, ...]) -> None:
    update = add(school, *rows)
    assert counts(report_of(update)) == {"added": 1, "unchanged": len(rows) - 1}
    values = students(school)["n1"]
    assert values == {
        "STUDENT_ID": "n1",
        "FIRST_NAME": "Zoe",
        "LAST_NAME": "Fox",
        "DOB": "2012-01-01",
        "GRADE": "4",
        "SCHOOL_ID": "100",
        "GENDER": "f",
        "ELL": "n",
        "SPECIAL_ED": "n",
        "USERNAME": "zoe",
        "GROUPS": "Blue",
        "STATUS": "active",
    }
    codes = {line: ["duplicate_row"] for line in range(3, 2 + len(rows))}
    assert night.problems(update) == codes
    assert len(row_table.rows_of(update).items) == 1


def test_rows_that_lack_a_value_together_are_all_rejected_for_it(school: District) -> None:
    update = add(school, f"{ZOE},4,,f,n,n,zoe,", f"{ZOE},,,,n,n,,Blue", f"{ZOE},4,,f,n,n,zoe,")
    assert counts(report_of(update)) == {"rejected": 3}
    problems = update.problem_set.order_by("line", "pk").values_list("line", "code", "column")
    assert list(problems) == [
        (2, "required", "SCHOOL_ID"),
        (3, "required", "GENDER"),
        (3, "required", "GRADE"),
        (3, "required", "SCHOOL_ID"),
        (4, "required", "SCHOOL_ID"),
    ]
    views = row_table.rows_of(update).items
    assert [view.student.name for view in views if view.student] == ["Zoe Fox"] * 3


def test_a_row_without_any_name_is_rejected_alone(school: District) -> None:
    update = add(school, "n1,,,,4,100,f,n,n,zoe,Blue", "n2,Bob,,,4,100,m,n,n,,")
    assert counts(report_of(update)) == {"rejected": 2}
    columns = update.problem_set.filter(line=2).values_list("column", flat=True)
    assert set(columns) == {"DOB", "FIRST_NAME", "LAST_NAME"}


def test_a_row_without_id_that_means_either_of_two_new_students_is_rejected_alone(
    school: District,
) -> None:
    update = add(
        school,
        f"{ZOE},4,100,f,n,n,zoe,",
        "n2,Zoe,Fox,2012-02-02,4,100,f,n,n,zoe2,",
        ",Zoe,Fox,2012-01-01,4,100,f,n,n,,Blue",
        f"{ZOE},4,100,f,n,n,,",
    )
    assert counts(report_of(update)) == {"added": 2, "unchanged": 2}
    update = add(
        school,
        "n3,Una,Fox,2012-01-01,4,100,f,n,n,una,",
        "n4,Una,Fox,2012-01-01,4,100,f,n,n,una2,",
        ",Una,Fox,2012-01-01,4,100,f,n,n,,Blue",
    )
    problem = update.problem_set.get(line=4)
    assert (problem.code, problem.column) == ("ambiguous_student", "STUDENT_ID")
    assert "n3" in students(school)


def test_a_password_of_a_new_student_may_be_in_another_row(school: District) -> None:
    header = f"{NEW},PASSWORD"
    rows = [f"{ZOE},4,100,f,n,n,zoe,,", "n1,,,,,,,,,,,secret77"]
    finish(send_bytes(school, "\n".join([header, *rows, ""]).encode(), Mode.ADD).update)
    assert verify(password_of(school, "n1"), "secret77")


# Crashes

MANY = """
    STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE,GENDER
    s000,,,,,5,
    s000,,,,,,x
    s001,,,,,5,
    s001,u002,,,,,x
    s001,,,,,5,
    s002,,,,,4,
    s002,,,,,6,
    s003,free,,,,,
    s003,,,,,4,
    n1,,Zoe,Fox,2012-01-01,4,
    n1,,,,,,m
    ,,Zoe,Fox,2012-01-01,,
    n2,,Bob,Kim,2012-01-01,,
    n2,,Bob,Kim,2012-01-01,5,
    n2,,Bob,Kim,2012-01-01,6,
    n3,,Cy,Ray,2012-01-01,,
"""


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("in_memory", [1, 1000])
def test_merging_can_be_interrupted_anywhere_with_the_same_result(
    maple: District, cedar: District, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(duplicates, "MAX_ROWS_IN_MEMORY", in_memory)
    text = night.file_of(MANY).replace("GENDER\n", "GENDER,SCHOOL_ID,ELL,SPECIAL_ED\n")
    header, *rows = text.splitlines()
    file = "\n".join([header, *(f"{row},100,n,n" for row in rows), ""]).encode()
    updates = []
    for district in (maple, cedar):
        enroll(district, a_class(4))
        school_id = "100" if district == maple else "900"
        data = file.replace(b",100,", f",{school_id},".encode())
        updates.append(send_bytes(district, data, Mode.ADD).update)
    whole, dropped = updates
    finish(whole)
    steps = 0
    while report_of(dropped).state in (State.RECEIVED, State.CHECKING):
        steps += 1
        for _ in islice(runner.run_steps(dropped.pk), steps):
            pass
        runner.release(dropped.pk)
    finish(dropped)
    assert counts(report_of(dropped)) == counts(report_of(whole))
    assert report_of(dropped).groups == report_of(whole).groups
    assert night.problems(dropped) == night.problems(whole)
    staged = [
        list(update.stagedrow_set.order_by("line").values_list("line", "outcome", "apply_order"))
        for update in updates
    ]
    assert staged[0] == staged[1]


def test_a_crash_while_merging_leaves_nothing_half_done(
    school: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = send(school, "STUDENT_ID,GRADE,GENDER\ns000,5,\ns000,,x")
    with monkeypatch.context() as patched:

        def crash(*_: object) -> None:
            raise MemoryError

        patched.setattr(resolver.ConflictResolver, "report", crash)
        with suppress(MemoryError):
            finish(update)
        rows = update.stagedrow_set.values_list("outcome", flat=True)
        assert list(rows) == [None, None]
    assert counts(finish(update)) == {"updated": 1, "unchanged": 1}
    assert values_of(school, "s000", "GRADE", "GENDER") == ("5", "x")


def test_a_student_with_very_many_rows_is_settled(school: District) -> None:
    rows = "\n".join(f"s000,{'5' if number % 2 else ''},x" for number in range(3000))
    result = run(school, f"STUDENT_ID,GRADE,GENDER\n{rows}")
    assert counts(result) == {"updated": 1, "unchanged": 2999}
    conflicting = "\n".join(f"s000,{number % 2 + 5}" for number in range(3000))
    assert counts(run(school, f"STUDENT_ID,GRADE\n{conflicting}")) == {"rejected": 3000}


def test_lists_with_common_numbers_are_joined() -> None:
    assert join_overlapping([]) == []
    assert join_overlapping([[2, 3], [5, 9]]) == [[2, 3], [5, 9]]
    assert join_overlapping([[2, 3], [3, 5], [9, 10], [5, 9]]) == [[2, 3, 5, 9, 10]]
