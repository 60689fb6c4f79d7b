"""Students who share a name and a date of birth, or have nearly the same STUDENT_ID."""

import time
from contextlib import suppress

import pytest

from rollbook.districts.models import District
from rollbook.studentfile import writer
from rollbook.updates.resolving import conflicts
from rollbook.updates.state_machine import Mode, State
from tests.updates import night
from tests.updates.night import (
    counts,
    dump,
    enroll,
    finish,
    history,
    last,
    lift_limits,
    report_of,
    run,
    send,
    send_bytes,
    stored_hints,
    stored_problems,
    students,
    values_of,
)

HEADER = "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE\n"
JOHN = "John,Smith,2014-01-02"


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(
        maple_once,
        """
        STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB
        00101,abrook,Ana,Brook,2014-05-13
        00102,jnunez,José,Núñez,2013-11-02
        00104,kkaimi,Keoni,Kaʻimi,2014-02-03
        00202,jsmith,John,Smith,2014-01-02
        ,cleo,Cleo,Diaz,2011-07-30
        """,
    )


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    """Return a district with a few students, one of them without a STUDENT_ID."""
    return maple


def hints(district: District) -> dict[int | None, str]:
    """Return the hint of the problem of each line in the last update."""
    return stored_hints(last(district))


def add(district: District, rows: str) -> dict[int, list[str]]:
    """Send these rows in mode add and return the codes of their problems."""
    run(district, HEADER + rows.replace("|", "\n"), Mode.ADD)
    return night.problems(last(district))


def test_two_new_students_share_a_name_and_birth_date(maple: District) -> None:
    codes = add(maple, f"00202,jsmith1,{JOHN},4|00203,jsmith2,{JOHN},4")
    assert codes == {2: ["possible_duplicate"], 3: ["possible_duplicate"]}
    assert set(students(maple)) == {"00202", "00203"}
    assert hints(maple)[2].startswith("compare the student with 00203 on line 3;")
    assert hints(maple)[3].startswith("compare the student with 00202 on line 2;")


def test_a_new_student_with_the_name_of_an_enrolled_one_gets_a_warning(school: District) -> None:
    assert add(school, f"00203,,{JOHN},4") == {2: ["possible_duplicate"]}
    assert hints(school)[2].startswith("compare the student with 00202;")
    assert values_of(school, "00203", "FIRST_NAME", "USERNAME") == ("John", "jsmith2")


def test_the_next_file_has_no_warning_and_changes_nothing(school: District) -> None:
    rows = f"00202,,{JOHN},4|00203,,{JOHN},4"
    add(school, rows)
    before = dump(school)
    for _ in range(2):
        assert add(school, rows) == {}
        assert counts(report_of(last(school))) == {"unchanged": 2}
    assert dump(school) == before


@pytest.mark.parametrize(
    ("row", "others_id"),
    [
        ("n1,,Jose,Nunez,2013-11-02,4", "00102"),
        ("n1,,NUÑEZ,josé,2013-11-02,4", "00102"),
        ("n1,,José,Núñez,2013-02-11,4", "00102"),
        (",,Jose,Nunez,2013-11-02,4", "00102"),
        (",,Keoni,Kaimi,2014-02-03,4", "00104"),
        (",,Keoni,Ka-imi,2014-03-02,4", "00104"),
        (",,Ana,Brook,2014-05-31,4", "00101"),
        (",,A na,Bro ok,2014-05-13,4", "00101"),
        ("n1,,Cleo,Díaz,2011-07-30,4", "no ID (username cleo)"),
    ],
)
def test_who_matches_loosely_is_added_with_a_warning(
    school: District, row: str, others_id: str
) -> None:
    before = dump(school)
    assert "possible_duplicate" in add(school, row)[2]
    assert any(hint.startswith(f"compare the student with {others_id};") for hint in _hints(school))
    assert counts(report_of(last(school))) == {"added": 1}
    assert {key: dump(school)[key] for key in before} == before


def _hints(district: District) -> list[str]:
    return [problem.hint for problem in stored_problems(last(district))]


@pytest.mark.parametrize(
    "last_name", ["Ka'imi", "Ka`imi", "Ka´imi", "Kaʻimi", "Ka‘imi", "Ka’imi", "Kaʼimi", "KA'IMI"]
)
@pytest.mark.parametrize("mode", [Mode.UPDATE, Mode.ADD])
def test_all_apostrophes_match(school: District, last_name: str, mode: Mode) -> None:
    result = run(school, f"FIRST_NAME,LAST_NAME,DOB,GRADE\nKeoni,{last_name},02/03/2014,7", mode)
    assert counts(result) == {"updated": 1}
    assert night.problems(last(school)) == {}
    assert values_of(school, "00104", "GRADE") == ("7",)


@pytest.mark.parametrize(
    "row",
    [
        "n1,,José,Núñez,2013-11-03,4",
        "n1,,José,Nunes,2013-11-02,4",
        "n1,,Josefa,Núñez,2013-11-02,4",
    ],
)
def test_twins_and_others_get_no_warning(school: District, row: str) -> None:
    assert add(school, row) == {}


@pytest.mark.parametrize(
    ("sent", "known"),
    [("101", "00101"), ("0101", "00101"), ("000101", "00101"), ("A-7", "a-7"), ("0a-7", "a-7")],
)
def test_an_id_that_differs_in_zeros_or_case_is_not_added(
    school: District, sent: str, known: str
) -> None:
    enroll(school, f"{HEADER}a-7,,Gil,Hart,2012-05-13,4")
    before = dump(school)
    assert add(school, f"{sent},,Zoe,Quinn,2012-01-01,4") == {2: ["similar_student_id"]}
    assert hints(school)[2].startswith(f"{known} exists: ")
    assert dump(school) == before
    run(school, f"STUDENT_ID,GRADE\n{sent},9")
    assert night.problems(last(school)) == {2: ["unknown_student"]}
    assert hints(school)[2].startswith(f"{known} exists: ")


def test_new_ids_that_differ_in_zeros_or_case_are_not_added(school: District) -> None:
    codes = add(
        school,
        "x7,,Zoe,Quinn,2012-01-01,4|X7,,Gil,Hart,2012-01-01,4|0X7,,Ira,Hart,2012-01-01,4|"
        "x8,,Uma,Vale,2012-01-01,4",
    )
    assert codes == {key: ["similar_student_id"] for key in (2, 3, 4)}
    assert hints(school)[2] == "compare it with X7 on line 3, and correct one of them"
    assert hints(school)[4] == "compare it with x7 on line 2, and correct one of them"
    assert "x8" in students(school)


def test_a_row_without_an_id_that_means_two_students_is_rejected(school: District) -> None:
    add(school, f"00203,jsmith2,{JOHN},4")
    before = dump(school)
    for mode in Mode:
        run(school, f"FIRST_NAME,LAST_NAME,DOB,GRADE\n{JOHN},9", mode)
        assert night.problems(last(school)) == {2: ["ambiguous_student"]}
        assert hints(school)[2] == "fill in the STUDENT_ID of the right one: 00202 and 00203"
    assert dump(school) == before


@pytest.mark.parametrize(
    ("row", "key"),
    [(",jsmith2,{0},9", "00203"), (",jsmith,{0},9", "00202"), ("00203,,{0},9", "00203")],
)
def test_an_id_or_username_decides(school: District, row: str, key: str) -> None:
    add(school, f"00203,jsmith2,{JOHN},4")
    run(school, HEADER + row.format(JOHN))
    assert counts(report_of(last(school))) == {"updated": 1}
    assert values_of(school, key, "GRADE") == ("9",)


def test_a_new_username_does_not_decide(school: District) -> None:
    add(school, f"00203,jsmith2,{JOHN},4")
    run(school, f"{HEADER},johnny,{JOHN},9")
    assert night.problems(last(school)) == {2: ["ambiguous_student"]}


def test_an_id_is_given_to_the_namesake_without_one(school: District) -> None:
    add(school, "00999,cleo2,Cleo,Diaz,2011-07-30,4")
    assert ("STUDENT_ID", "", "00999") in history(school, "00999")
    assert add(school, "00998,cleo3,Cleo,Diaz,2011-07-30,4") == {2: ["possible_duplicate"]}


def test_at_most_five_students_are_listed(maple: District) -> None:
    rows = "\n".join(f"0020{n},u{n},{JOHN},4" for n in range(7))
    run(maple, HEADER + rows, Mode.ADD)
    run(maple, f"FIRST_NAME,LAST_NAME,DOB\n{JOHN}")
    assert hints(maple)[2].endswith(": 00200, 00201, 00202, 00203, 00204 and more")


def test_a_new_row_without_an_id_beside_two_with_ids_is_rejected(maple: District) -> None:
    codes = add(maple, f"1,,{JOHN},4|,,{JOHN},4|2,,{JOHN},4")
    assert codes[3] == ["ambiguous_student"]
    assert hints(maple)[3] == "fill in the STUDENT_ID of the right one: 1 and 2"
    assert set(students(maple)) == {"1", "2"}


def test_an_unknown_id_of_a_known_name_conflicts_unless_students_are_added(
    school: District,
) -> None:
    before = dump(school)
    run(school, f"{HEADER}00203,,{JOHN},9")
    assert night.problems(last(school)) == {2: ["student_id_conflict"]}
    assert "00202" in hints(school)[2]
    assert "00203" in hints(school)[2]
    assert dump(school) == before


def test_a_name_that_its_holder_gives_up_causes_no_warning(school: District) -> None:
    enroll(school, f"{HEADER}00301,,Jon,Smith,2014-01-02,4")
    run(school, "STUDENT_ID,FIRST_NAME\n00301,John\n00202,Johan")
    assert counts(report_of(last(school))) == {"updated": 2}
    assert night.problems(last(school)) == {}


def test_scrambled_ids_change_nothing(school: District) -> None:
    before = dump(school)
    run(
        school,
        """
        STUDENT_ID,FIRST_NAME,LAST_NAME,GRADE
        00102,Ana,Brook,5
        00104,José,Núñez,6
        00101,Keoni,Kaʻimi,5
        """,
    )
    assert night.problems(last(school)) == {key: ["identity_mismatch"] for key in (2, 3, 4)}
    assert dump(school) == before


@pytest.mark.parametrize("mode", Mode)
def test_a_username_of_another_child_changes_nothing(school: District, mode: Mode) -> None:
    before = dump(school)
    run(school, "USERNAME,FIRST_NAME,LAST_NAME,GRADE\nabrook,Zoe,Quill,3", mode)
    assert counts(report_of(last(school))) == {"rejected": 1}
    assert dump(school) == before


@pytest.mark.parametrize("last_name", ["-", ".", "LNU", "lnu", ""])
def test_a_student_with_one_name_is_added_matched_and_unchanged(
    school: District, last_name: str
) -> None:
    row = f"s1,,Suharto,{last_name},2014-05-13,4"
    assert set(add(school, row)) <= {2}
    stored = values_of(school, "s1", "LAST_NAME", "USERNAME")
    assert stored[0] == {"LNU": "LNU", "lnu": "lnu"}.get(last_name, "-")
    add(school, row)
    assert counts(report_of(last(school))) == {"unchanged": 1}
    run(school, f"FIRST_NAME,LAST_NAME,DOB,GRADE\nSuharto,{last_name},2014-05-13,9")
    assert values_of(school, "s1", "GRADE") == ("9",)


@pytest.mark.parametrize("names", ["-,-", "Mary Ann,-", "-,", "FNU,-", "Null,-", ".,.", ",-"])
def test_a_row_that_does_not_say_so_is_rejected(school: District, names: str) -> None:
    before = dump(school)
    add(school, f"s1,,{names},2014-05-13,4")
    assert counts(report_of(last(school))) == {"rejected": 1}
    assert dump(school) == before


@pytest.mark.parametrize("last_name", ["-", ".", "LNU"])
def test_a_placeholder_never_replaces_a_name(school: District, last_name: str) -> None:
    before = dump(school)
    run(school, f"STUDENT_ID,FIRST_NAME,LAST_NAME,GRADE\n00101,Ana,{last_name},9")
    assert night.problems(last(school)) == {2: ["placeholder"]}
    assert dump(school) == before


def test_a_first_name_can_be_missing_too(school: District) -> None:
    assert add(school, "s1,,FNU,Suharto,2014-05-13,4") == {}
    assert add(school, "s2,,-,Sukarno,2014-05-13,4") == {2: ["one_name"]}
    assert values_of(school, "s2", "FIRST_NAME", "LAST_NAME", "USERNAME") == (
        "-",
        "Sukarno",
        "sukarno",
    )


@pytest.mark.usefixtures("small_batches")
def test_warnings_are_reported_once_if_resolving_is_interrupted(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = send(maple, HEADER + f"1,,{JOHN},4\n2,,{JOHN},4\n3,,{JOHN},4", Mode.ADD)

    def crash(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(conflicts, "_assign_apply_order", crash)
        with suppress(MemoryError):
            finish(update)
    assert counts(finish(update)) == {"added": 3}
    assert night.problems(update) == {key: ["possible_duplicate"] for key in (2, 3, 4)}
    assert report_of(update).groups[0].count == 3


def test_ten_thousand_students_of_one_name_take_linear_time(maple: District) -> None:
    def seconds(first: int, number: int) -> float:
        rows = "\n".join(f"s{n:06},u{n:06},{JOHN},4" for n in range(first, first + number))
        started = time.monotonic()
        assert run(maple, HEADER + rows, Mode.ADD).state is State.COMPLETED
        return time.monotonic() - started

    lift_limits(maple)
    small = seconds(0, 1000)
    large = seconds(1000, 4000)
    assert large < 12 * small + 2
    nameless = "\n".join([JOHN] * 1500)
    started = time.monotonic()
    run(maple, f"FIRST_NAME,LAST_NAME,DOB\n{nameless}")
    assert report_of(last(maple)).rejected == 1500
    assert time.monotonic() - started < 4 * small + 2


def test_an_export_of_students_with_shared_and_single_names_changes_nothing(
    maple: District,
) -> None:
    add(maple, f"1,,{JOHN},4|2,,{JOHN},4|3,,Suharto,-,2014-05-13,4|4,,FNU,Sukarno,2014-05-13,4")
    before = dump(maple)
    columns = ("STUDENT_ID", "FIRST_NAME", "LAST_NAME", "DOB", "GRADE")
    rows = [[values.get(name, "") for name in columns] for values, _ in before.values()]
    for mode in Mode:
        text = "".join(writer.lines(columns, rows))
        assert '"\'-"' in text
        result = finish(send_bytes(maple, text.encode(), mode).update)
        assert counts(result) == {"unchanged": 4}
        assert night.problems(last(maple)) == {}
    assert dump(maple) == before
