"""Which records are known: those whose students are what they say, and no others."""

from collections.abc import Callable

import pytest
from django.db import transaction

from rollbook.districts.models import District
from rollbook.students import touched
from rollbook.students.models import TouchedStudent
from rollbook.updates import leftovers, transitions
from rollbook.updates.cancel import cancel
from rollbook.updates.checking import check_range
from rollbook.updates.manifest import fingerprints, manifest, walk
from rollbook.updates.models import AddedStudents, CheckedRange, Manifest, UpdateJob
from rollbook.updates.state_machine import Mode, State
from tests.db.database_errors import Kill, fault_at
from tests.updates.manifest.ten_students import ALL, NIGHT, edit, with_row
from tests.updates.night import (
    a_class,
    applying,
    column_of,
    complete,
    counts,
    dump,
    enroll,
    finish,
    forget,
    known,
    last,
    problems,
    run,
    send,
    values_of,
)


def first_run(text: str, maple: District) -> set[str]:
    """Return the students whose records are known after this file."""
    run(maple, text)
    return known(maple)


# What is known


def test_rows_that_changed_something_and_rows_that_did_not_are_known(school: District) -> None:
    assert counts(run(school, with_row("s003", "5"))) == {"updated": 1, "unchanged": 9}
    assert known(school) == ALL
    assert counts(run(school, with_row("s003", "5"))) == {"unchanged": 10}
    assert counts(run(school, NIGHT)) == {"updated": 1, "unchanged": 9}


def test_new_students_are_known_after_a_first_load(maple: District) -> None:
    enroll(maple, a_class(10))
    assert known(maple) == ALL
    assert not AddedStudents.objects.exists()


def test_new_students_with_generated_usernames_are_known(school: District) -> None:
    header, *rows = complete(NIGHT).splitlines()
    new = rows[0].replace("s000", "s100").replace("u000", "").replace("000", "100")
    text = "\n".join([header, rows[0], new, *rows[1:]])
    assert counts(run(school, text, Mode.ADD)) == {"added": 1, "unchanged": 10}
    assert known(school) == ALL | {"s100"}
    assert counts(run(school, text, Mode.ADD)) == {"unchanged": 11}


def test_rows_with_problems_are_not_known(school: District) -> None:
    text = with_row("s003", "99") + "\nunknown,5"
    assert run(school, text).rejected >= 1
    assert known(school) == ALL - {"s003"}
    reported = problems(last(school))
    assert counts(run(school, text)) == {"unchanged": 9, "rejected": 2}
    assert problems(last(school)) == reported


def test_rows_that_lost_a_conflict_are_not_known(school: District) -> None:
    text = "STUDENT_ID,USERNAME\ns000,u001\ns001,\ns002,new"
    forget(school)
    assert counts(run(school, text)) == {"updated": 1, "unchanged": 1, "rejected": 1}
    assert known(school) == {"s001", "s002"}
    for _ in range(2):
        assert counts(run(school, text)) == {"unchanged": 2, "rejected": 1}


def test_an_inactive_student_is_known_only_if_the_row_says_so(school: District) -> None:
    edit("s000", status="inactive")
    assert counts(run(school, NIGHT)) == {"unchanged": 10}
    assert problems(last(school)) == {2: ["inactive_student"]}
    assert known(school) == ALL - {"s000"}
    forget(school)
    assert first_run("STUDENT_ID,STATUS\ns000,inactive\ns001,active", school) == {"s000", "s001"}


# Touched students


def test_a_student_edited_by_hand_is_compared_and_then_known_again(school: District) -> None:
    edit("s003", grade="7")
    assert known(school) == ALL - {"s003"}
    assert counts(run(school, NIGHT)) == {"updated": 1, "unchanged": 9}
    assert known(school) == ALL


def test_a_student_edited_to_what_the_row_says_is_known_again(school: District) -> None:
    edit("s003", grade="7")
    edit("s003", grade="4")
    assert counts(run(school, NIGHT)) == {"unchanged": 10}
    assert known(school) == ALL
    assert counts(run(school, NIGHT)) == {"unchanged": 10}
    assert not TouchedStudent.objects.exists()


@pytest.mark.parametrize("state", ["checked", "resolved", "applied"])
def test_an_edit_before_the_end_is_overwritten_by_the_next_file(
    school: District, state: str
) -> None:
    update = send(school, with_row("s003", "5"))
    work = applying(update, chunks=0 if state == "resolved" else 1)
    if state == "checked":
        forget(school)
    edit("s003", grade="7")
    edit("s004", grade="8")
    for _ in work:
        pass
    assert {"s004"} <= ALL - known(school)
    run(school, with_row("s003", "5"))
    assert column_of(school, "GRADE")["s003"] == "5"
    assert column_of(school, "GRADE")["s004"] == "4"
    assert known(school) == ALL


@pytest.mark.parametrize("end", ["canceled", "failed"])
def test_what_an_unfinished_update_applied_is_compared_again(
    school: District, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr("rollbook.updates.applying.apply.MIN_CHUNK_ROWS", 2)
    update = send(school, a_class(10, GRADE="5"))
    applying(update, chunks=1)
    if end == "canceled":
        assert cancel(school).is_canceled
    else:
        assert transitions.transition(update.pk, State.FAILED, error_reference="abc")
    changed = {key for key, grade in column_of(school, "GRADE").items() if grade == "5"}
    assert changed
    assert known(school) == ALL - changed
    assert counts(run(school, NIGHT)) == {"updated": len(changed), "unchanged": 10 - len(changed)}
    assert known(school) == ALL


def test_if_many_students_are_touched_nothing_is_known(
    school: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "MAX_TOUCHED", 2)
    edit("s003", grade="7")
    edit("s004", grade="7")
    assert known(school) == ALL - {"s003", "s004"}
    edit("s005", grade="7")
    assert known(school) == set()
    assert counts(run(school, NIGHT)) == {"updated": 3, "unchanged": 7}
    assert known(school) == ALL


def test_two_updates_back_to_back_leave_what_one_would(school: District, cedar: District) -> None:
    enroll(cedar, a_class(10))
    waiting = [send(school, with_row("s003", "5")), send(school, with_row("s004", "6"))]
    for update in waiting:
        finish(update)
    run(cedar, with_row("s004", "6"))
    assert column_of(school, "GRADE") == column_of(cedar, "GRADE")
    assert known(school) == ALL
    assert not TouchedStudent.objects.exclude(settled_by=waiting[1].pk).filter(district=school)


# Other files


def test_a_file_of_some_students_keeps_the_records_of_the_others(school: District) -> None:
    header, *rows = NIGHT.splitlines()
    for part in (rows[:3], rows[3:4], rows[4:], rows[:0:-3]):
        assert counts(run(school, "\n".join([header, *part]))) == {"unchanged": len(part)}
        assert known(school) == ALL
    edit("s007", grade="7")
    assert counts(run(school, NIGHT)) == {"updated": 1, "unchanged": 9}


def test_a_row_that_moved_is_not_known_as_it_was(
    school: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "WINDOW", 2)
    for grade in ("5", "4"):
        header, first, *others = with_row("s000", grade).splitlines()
        moved = "\n".join([header, *others, first])
        assert counts(run(school, moved)) == {"updated": 1, "unchanged": 9}
        assert values_of(school, "s000", "GRADE") == (grade,)


def test_a_small_file_with_another_header_leaves_its_students_touched(school: District) -> None:
    assert counts(run(school, "STUDENT_ID,GRADE\ns003,5\ns004,4")) == {"updated": 1, "unchanged": 1}
    assert known(school) == ALL - {"s003"}
    assert counts(run(school, NIGHT)) == {"updated": 1, "unchanged": 9}
    assert known(school) == ALL


def test_a_large_file_with_another_header_replaces_everything(school: District) -> None:
    other = "\n".join(["STUDENT_ID,RACE", *(f"{key},WH" for key in sorted(ALL))])
    assert counts(run(school, other)) == {"updated": 10}
    assert known(school) == ALL
    assert counts(run(school, NIGHT)) == {"unchanged": 10}
    assert counts(run(school, other)) == {"unchanged": 10}


def test_only_the_latest_manifest_and_its_fingerprints_are_kept(school: District) -> None:
    """The leftovers of an update are removed when it has ended, and when another one follows."""
    newest = last(school).number
    for text in (NIGHT, "STUDENT_ID,GRADE\ns003,5", with_row("s004", "6")):
        while leftovers.remove_batch():
            pass
        kept = CheckedRange.objects.exclude(fingerprints=b"")
        assert set(kept.values_list("update__number", flat=True)) == {newest}
        run(school, text)
        if text == NIGHT:
            newest += 1


# Damage


def _shorter(packed: CheckedRange) -> None:
    packed.fingerprints = packed.fingerprints[:-8]


def _other_students(packed: CheckedRange) -> None:
    packed.student_ids = packed.student_ids[::-1]


def _one_bit(packed: CheckedRange) -> None:
    damaged = bytearray(packed.fingerprints)
    damaged[3] ^= 1
    packed.fingerprints = bytes(damaged)


def _odd_length(packed: CheckedRange) -> None:
    packed.fingerprints, packed.student_ids = packed.fingerprints[:-3], packed.student_ids[:-3]


def _empty(packed: CheckedRange) -> None:
    packed.fingerprints = packed.student_ids = b""


@pytest.mark.parametrize("damage", [_shorter, _other_students, _one_bit, _odd_length, _empty])
def test_a_damaged_manifest_counts_as_absent(
    school: District, damage: Callable[[CheckedRange], None], caplog: pytest.LogCaptureFixture
) -> None:
    packed = CheckedRange.objects.get(update=last(school))
    damage(packed)
    packed.save()
    assert known(school) == set()
    assert f"the manifest of district {school.pk} is not used" in caplog.text
    assert counts(run(school, with_row("s003", "5"))) == {"updated": 1, "unchanged": 9}
    assert known(school) == ALL


def test_a_manifest_without_one_of_its_ranges_counts_as_absent(school: District) -> None:
    CheckedRange.objects.filter(update=last(school)).delete()
    assert known(school) == set()
    assert counts(run(school, NIGHT)) == {"unchanged": 10}
    assert known(school) == ALL


def test_carried_records_that_are_damaged_count_as_absent(school: District) -> None:
    run(school, "\n".join(NIGHT.splitlines()[:4]))
    stored = Manifest.objects.get(district=school)
    stored.carried_student_ids = stored.carried_student_ids[::-1]
    stored.save()
    assert known(school) == set()
    assert counts(run(school, NIGHT)) == {"unchanged": 10}


def test_nothing_is_known_with_another_version(
    school: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "__version__", "99")
    assert known(school) == set()
    assert counts(run(school, NIGHT)) == {"unchanged": 10}
    assert known(school) == ALL


def test_ranges_of_two_versions_are_no_manifest(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the worker is replaced by a newer one while an update is checked."""
    monkeypatch.setattr(check_range, "MAX_RECORDS", 4)
    enroll(maple, a_class(10))
    CheckedRange.objects.filter(end_line__lt=8).update(checksum=b"of another version")
    assert known(maple) == set()


def test_an_update_without_its_ranges_makes_no_manifest(school: District) -> None:
    update, before = send(school, with_row("s001", "6")), Manifest.objects.get().update_id
    applying(update)
    update.checkedrange_set.all().delete()
    assert counts(finish(update)) == {"updated": 1, "unchanged": 9}
    assert Manifest.objects.get().update_id == before
    assert known(school) == ALL - {"s001"}


# Kills


def test_a_kill_at_any_statement_of_completing_loses_nothing(school: District) -> None:
    text = f"{with_row('s003', '5')}\n{a_class(12, GRADE='4').splitlines()[-1]}"
    for statement in range(1, 1000):
        with transaction.atomic():
            update = send(school, text, Mode.ADD)
            work = applying(update, chunks=1)
            try:
                with fault_at(statement):
                    for _ in work:
                        pass
                was_killed = False
            except Kill:
                was_killed = True
                has_ended = UpdateJob.objects.get(pk=update.pk).state == State.COMPLETED
                assert (last_manifest(school) == update.pk) == has_ended
                if not has_ended:
                    assert "s003" not in known(school)
            assert counts(finish(update)) == {"updated": 1, "added": 1, "unchanged": 9}
            assert known(school) == ALL | {"s011"}
            assert last_manifest(school) == update.pk
            transaction.set_rollback(True)
        if not was_killed:
            assert statement > 10
            return
    raise AssertionError("it never ends")


def last_manifest(district: District) -> int:
    return Manifest.objects.get(district=district).update_id


# All together


def test_equal_results_with_and_without_a_manifest(school: District, cedar: District) -> None:
    enroll(cedar, a_class(10))
    for text in (
        NIGHT,
        with_row("s003", "99"),
        with_row("s004", "6"),
        NIGHT,
        a_class(9, GRADE="3"),
    ):
        forget(cedar)
        assert counts(run(school, text)) == counts(run(cedar, text))
        assert problems(last(school)) == problems(last(cedar))
        assert dump(school) == dump(cedar)
    assert not touched.find(cedar.pk, last(cedar).pk)
