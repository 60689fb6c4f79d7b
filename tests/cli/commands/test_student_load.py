"""``rollbook student load``."""

import gc
import hashlib
from pathlib import Path

import pytest

from rollbook.cli import update_progress, update_run
from rollbook.districts import modes
from rollbook.districts.models import District
from rollbook.districts.modes import MODES, Channel
from rollbook.jobs.single_worker.loop import work_on
from rollbook.students.models import Student
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State
from tests.cli.conftest import Rollbook
from tests.cli.files import HEADER, row

pytestmark = pytest.mark.django_db(transaction=True)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_new_students_are_added_and_the_report_is_printed(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    result = rollbook("student", "load", "maple-usd", base)
    assert result.out == (
        "COMPLETED update 1: 2 students: 0 updated, 2 added, 0 unchanged, 0 rejected, in <span>\n"
        "\n"
        "  file        base.csv, 186 bytes, 2 rows, read as utf-8\n"
        f"  SHA-256     {digest(base)}\n"
        "  mode        add\n"
        "  started by  the operator of the server, with rollbook\n"
        "  received    <time>\n"
        "  started     <time>\n"
        "  ended       <time>\n"
    )
    assert result.err == "checking: 2 of 2 rows (100%)\nupdating: 2 of 2 changed students (100%)\n"
    assert result.code == 0
    assert set(Student.objects.values_list("student_id", flat=True)) == {"00123", "00124"}


def test_a_command_that_does_the_work_itself_collects_garbage_as_rarely_as_the_worker(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    before = gc.get_threshold()
    gc.set_threshold(700)
    try:
        rollbook("student", "load", "maple-usd", base)
        assert gc.get_threshold()[0] == before[0] > 700
    finally:
        gc.set_threshold(*before)


def test_checking_and_updating_are_shown_one_after_the_other(
    rollbook: Rollbook, maple: District, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_progress, "POLL_INTERVAL_S", 0.0)
    rows = [
        row(str(number), "Ana", f"Brook{'abcdefghij'[number % 10]}{'x' * (number // 10)}")
        for number in range(600)
    ]
    base.write_text("\n".join((HEADER, *rows, "")))
    result = rollbook("student", "load", "maple-usd", base)
    assert (
        result.err
        == "checking: 600 of 600 rows (100%)\nupdating: 600 of 600 changed students (100%)\n"
    )


def test_rejected_rows_are_reported_and_the_others_are_loaded(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    with base.open("a") as file:
        file.write(row("00125", "Cara", "Dunn", born="2/30/2015", school="900") + "\n")
    result = rollbook("student", "load", "maple-usd", base)
    assert result.code == 3
    verdict, _, *facts = result.out.split("\n")
    assert verdict == (
        "COMPLETED WITH ERRORS update 1: 3 students: 0 updated, 2 added, 0 unchanged, 1 rejected; "
        "see https://localhost:8443/updates/1"
    )
    assert facts[8:] == [
        "count  severity  code            problem",
        "    1  error     bad_date        A date isn't valid",
        "    1  error     unknown_school  The school doesn't exist",
        "",
        'line 4, DOB: bad_date: "2/30/2015" isn\'t a valid date. Use mm/dd/yyyy',
        'line 4, SCHOOL_ID: unknown_school: "900" isn\'t the School ID of a school in this '
        "district. Check the SCHOOL_ID, or add the school first",
        "",
        "To get the rejected rows as a file that you can fix and upload again:",
        "  rollbook update show maple-usd 1 --rejected > rejected.csv",
        "",
    ]
    assert Student.objects.count() == 2


def test_a_refused_file_is_reported_with_the_reason(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    base.write_bytes(f"{HEADER}\n".encode() + row("00123", "Zo\xeb", "Brook").encode("cp1252"))
    result = rollbook("student", "load", "maple-usd", base)
    assert result.code == 1
    assert result.out.startswith("REFUSED update 1: not_utf8: ")
    assert not Student.objects.exists()
    rollbook("district", "set", "maple-usd", "--encoding", "cp1252")
    assert rollbook("student", "load", "maple-usd", base).code == 0
    assert Student.objects.get().first_name == "Zo\xeb"


def test_loading_the_same_file_again_is_noted(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    rollbook("student", "load", "maple-usd", base)
    result = rollbook("student", "load", "maple-usd", base)
    assert result.err.startswith("update 1 (completed) had the same file\n")
    assert result.out.startswith(
        "COMPLETED update 2: 2 students: 0 updated, 2 unchanged, 0 rejected"
    )


def test_an_interrupted_load_continues_when_the_command_is_run_again(
    rollbook: Rollbook, maple: District, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(update_id: int, watch: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(update_run, "work_on", interrupt)
    result = rollbook("student", "load", "maple-usd", base)
    assert (result.code, result.out) == (130, "")
    assert result.err == (
        "update 1 has not finished; run the same command again or start the server to continue\n"
        "interrupted\n"
    )
    assert UpdateJob.objects.get().state == State.RECEIVED
    monkeypatch.setattr(update_run, "work_on", work_on)
    result = rollbook("student", "load", "maple-usd", base)
    assert result.err.startswith("continuing update 1, which has the same file\n")
    assert (result.code, UpdateJob.objects.get().state) == (0, State.COMPLETED)


def test_a_full_queue_is_an_error(
    rollbook: Rollbook, maple: District, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(update_id: int, watch: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(update_run, "work_on", interrupt)
    for number in range(4):
        base.write_text(f"{HEADER}\n{row(str(number), 'Ana', 'Brook')}\n")
        assert rollbook("student", "load", "maple-usd", base).code == 130
    base.write_text(f"{HEADER}\n{row('5', 'Ana', 'Brook')}\n")
    result = rollbook("student", "load", "maple-usd", base)
    assert (result.code, result.err) == (
        1,
        "ERROR queue_full: updates 1, 2, 3, 4 of Maple USD are already waiting; "
        "try again when one of them has finished\n",
    )


def test_an_earlier_update_is_shown_and_finished_first(
    rollbook: Rollbook, maple: District, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(update_id: int, watch: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(update_run, "work_on", interrupt)
    rollbook("student", "load", "maple-usd", base)
    monkeypatch.setattr(update_run, "work_on", work_on)
    base.write_text(f"{HEADER}\n{row('00126', 'Dana', 'Eastby')}\n")
    result = rollbook("student", "load", "maple-usd", base)
    assert result.err.startswith("update 2 is waiting for update 1\n")
    assert Student.objects.count() == 3


def test_students_of_the_neighbor_are_not_changed(
    rollbook: Rollbook, maple: District, cedar: District, base: Path
) -> None:
    rollbook("student", "load", "cedar-county", base)
    before = list(Student.objects.filter(district=cedar).order_by("pk").values())
    base.write_text(f"{HEADER}\n{row('00123', 'Other', 'Person')}\n")
    assert rollbook("student", "load", "maple-usd", base).out.startswith(
        "COMPLETED update 1: 1 student: 0 updated, 1 added"
    )
    assert list(Student.objects.filter(district=cedar).order_by("pk").values()) == before


def test_a_missing_file_starts_no_update(
    rollbook: Rollbook, maple: District, tmp_path: Path
) -> None:
    result = rollbook("student", "load", "maple-usd", tmp_path / "none.csv")
    assert result.code == 1
    assert result.err.startswith(
        f"ERROR not_possible: {tmp_path}/none.csv: No such file or directory; "
    )
    assert not UpdateJob.objects.exists()


def test_full_sync_is_refused_until_it_is_turned_on(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    for command in ("load", "check"):
        result = rollbook("student", command, "maple-usd", base, "--mode", "sync")
        assert result.code == 1
        assert result.err.startswith("ERROR mode_not_allowed: Maple USD doesn't allow mode=sync")
    assert not UpdateJob.objects.exists()
    maple.modes = modes.as_stored({Channel.CLI: MODES})
    maple.save()
    assert rollbook("student", "load", "maple-usd", base, "--mode", "sync").code == 0
    assert UpdateJob.objects.get().mode == "sync"
