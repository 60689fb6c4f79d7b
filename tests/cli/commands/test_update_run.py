"""``rollbook update start``, ``watch``, ``cancel``, ``retry`` and ``undo``."""

import json
import re
from pathlib import Path

import pytest

from rollbook.accounts.models import AuditEvent
from rollbook.districts.models import District, School
from rollbook.students.models import Student
from rollbook.updates.models import FileChunk, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import Mode, State
from tests.cli.conftest import Rollbook
from tests.cli.files import HEADER, row
from tests.updates.night import send_bytes

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_update_is_started_and_waits_for_a_worker(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    result = rollbook("update", "start", "maple-usd", base, "--mode", "add")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "Started update 1: base.csv, 2 rows.\n"
        "No worker is running. Start `rollbook serve`, or process it here with "
        "`rollbook update watch maple-usd 1`.\n"
    )
    update = UpdateJob.objects.get()
    assert (update.state, update.mode) == (State.RECEIVED, Mode.ADD)
    again = rollbook("update", "start", "maple-usd", base, "--mode", "add")
    assert again.out.startswith("Continues as update 1: base.csv, 2 rows.\n")
    report = json.loads(rollbook("update", "start", "maple-usd", base, "--json").out)
    assert (report["update"], report["state"], report["mode"]) == (2, "received", "update")


def test_a_file_that_is_refused_is_reported_at_once(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    base.write_text("NAME\nAna\n")
    result = rollbook("update", "start", "maple-usd", base)
    assert result.code == 1
    assert result.out.startswith("REFUSED update 1: header_not_found: ")


def test_with_watch_the_report_is_printed_at_the_end(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    result = rollbook("update", "start", "maple-usd", base, "--mode", "add", "--watch")
    assert result.code == 0
    assert result.out.startswith("COMPLETED update 1: 2 students")
    base.write_text(f"{HEADER}\n{row('00123', 'Ana', 'Brook', born='x')}\n")
    assert rollbook("update", "start", "maple-usd", base, "--watch").code == 3


def test_an_update_is_watched_to_its_end(rollbook: Rollbook, maple: District, base: Path) -> None:
    assert rollbook("update", "watch", "maple-usd").err.startswith("ERROR no_such_update: ")
    send_bytes(maple, base.read_bytes(), Mode.ADD)
    result = rollbook("update", "watch", "maple-usd")
    assert result.code == 0
    assert result.out.startswith("COMPLETED update 1: 2 students")
    again = json.loads(rollbook("update", "watch", "maple-usd", 1, "--json").out)
    assert (again["state"], again["added"]) == ("completed", 2)


def test_an_update_is_canceled_once(rollbook: Rollbook, maple: District, base: Path) -> None:
    none = rollbook("update", "cancel", "maple-usd")
    assert (none.code, none.err) == (
        1,
        "ERROR nothing_to_cancel: no update has been started yet; "
        "`rollbook update list maple-usd` lists all updates\n",
    )
    send_bytes(maple, base.read_bytes(), Mode.ADD)
    result = rollbook("update", "cancel", "maple-usd")
    assert (result.code, result.err) == (0, "")
    assert result.out == "Canceled update 1: 0 students stay updated, 2 were not processed.\n"
    assert AuditEvent.objects.get(action="update cancel").detail == "update 1"
    again = rollbook("update", "cancel", "maple-usd", 1)
    assert again.err.startswith("ERROR nothing_to_cancel: update 1 is canceled already; ")
    assert not Student.objects.exists()


def test_canceling_a_plan_discards_it(rollbook: Rollbook, maple: District, base: Path) -> None:
    rollbook("student", "check", "maple-usd", base, "--mode", "add")
    result = rollbook("update", "cancel", "maple-usd", 1)
    assert result.out == "Discarded the plan of update 1. Nothing was applied.\n"
    assert UpdateJob.objects.get().state == State.DISCARDED


def test_a_canceled_update_is_started_again_in_its_mode(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    send_bytes(maple, base.read_bytes(), Mode.ADD)
    rollbook("update", "cancel", "maple-usd")
    result = rollbook("update", "retry", "maple-usd", 1, "--watch")
    assert result.code == 0
    assert result.err.startswith("update 1 (canceled) had the same file\n")
    assert result.out.startswith("COMPLETED update 2: 2 students")
    first, second = UpdateJob.objects.order_by("number")
    assert (second.mode, second.file_name) == (first.mode, first.file_name)
    assert second.spool_name != first.spool_name


def test_a_refused_file_is_read_with_the_current_settings(
    rollbook: Rollbook, maple: District, base: Path, tmp_path: Path
) -> None:
    mapping = {"format": 1, "name": "sis", "columns": [{"to": "STUDENT_ID", "from": ["Nr"]}]}
    (tmp_path / "sis.json").write_text(json.dumps(mapping))
    rollbook("student", "load", "maple-usd", base)
    base.write_text("Nr,GRADE\n00123,5\n")
    assert rollbook("update", "start", "maple-usd", base).code == 1
    rollbook("mapping", "save", "maple-usd", tmp_path / "sis.json")
    assert rollbook("update", "retry", "maple-usd", 2, "--watch").code == 0
    assert UpdateJob.objects.get(number=3).rows == 1


@pytest.mark.parametrize("state", [State.COMPLETED, State.RECEIVED])
def test_an_update_that_is_not_to_be_repeated_is_an_error(
    rollbook: Rollbook, maple: District, base: Path, state: State
) -> None:
    send_bytes(maple, base.read_bytes(), Mode.ADD)
    if state == State.COMPLETED:
        rollbook("update", "watch", "maple-usd")
    result = rollbook("update", "retry", "maple-usd", 1)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"ERROR nothing_to_retry: update 1 is {state}; only ")
    assert UpdateJob.objects.count() == 1


def test_an_older_file_is_not_applied_after_a_newer_one(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    send_bytes(maple, base.read_bytes(), Mode.ADD)
    rollbook("update", "cancel", "maple-usd")
    base.write_text(f"{HEADER}\n{row('00125', 'Cara', 'Dunn')}\n")
    rollbook("student", "load", "maple-usd", base)
    result = rollbook("update", "retry", "maple-usd", 1)
    assert result.code == 1
    assert result.err.startswith("ERROR newer_update: update 2 has completed since, ")
    assert UpdateJob.objects.count() == 2


def test_a_file_that_is_gone_cannot_be_retried(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    update = send_bytes(maple, base.read_bytes(), Mode.ADD).update
    rollbook("update", "cancel", "maple-usd")
    files.path_of(update.spool_name).unlink()
    FileChunk.objects.all().delete()
    result = rollbook("update", "retry", "maple-usd", 1)
    assert result.err.startswith("ERROR file_gone: the file of update 1 is no longer available; ")


def test_an_update_is_undone(rollbook: Rollbook, maple: District, base: Path) -> None:
    rollbook("student", "load", "maple-usd", base)
    base.write_text(f"{HEADER}\n{row('00123', 'Ana', 'Brook', grade='5')}\n")
    rollbook("student", "load", "maple-usd", base)
    started = rollbook("update", "undo", "maple-usd", 2)
    assert started.code == 0
    assert started.out.startswith(
        "Started update 3, which plans to undo update 2 in 1 student.\nNo worker is running. "
    )
    again = rollbook("update", "undo", "maple-usd", 2)
    assert (again.code, again.out) == (1, "")
    assert again.err.startswith("ERROR being_undone: update 3 undoes update 2 already. ")
    watched = rollbook("update", "watch", "maple-usd", 3)
    assert watched.code == 0
    assert watched.out.startswith("CHECKED update 3: 1 student would be set back; apply or ")
    assert re.search("^  undoes +update 2$", watched.out, re.MULTILINE)
    digest = UpdateJob.objects.get(number=3).plan_digest
    rollbook("update", "approve", "maple-usd", 3, "--plan", digest)
    rollbook("update", "watch", "maple-usd", 3)
    assert Student.objects.get(student_id="00123").grade == "4"
    assert "undone by" in rollbook("update", "show", "maple-usd", 2).out
    retried = rollbook("update", "retry", "maple-usd", 3)
    assert retried.err.startswith("ERROR nothing_to_retry: update 3 undoes update 2 and ")


def test_the_exit_code_of_an_undo_says_that_students_are_left(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    rollbook("student", "load", "maple-usd", base)
    Student.objects.filter(student_id="00123").update(grade="5")
    base.write_text(f"{HEADER}\n{row('00124', 'Ben', 'Cole', grade='6')}\n")
    rollbook("student", "load", "maple-usd", base)
    report = json.loads(rollbook("update", "undo", "maple-usd", 1, "--watch", "--json").out)
    assert (report["state"], report["undoes"], report["rejected"]) == ("checked", 1, 1)
    rollbook("update", "cancel", "maple-usd", 3)
    assert rollbook("update", "undo", "maple-usd", 1, "--watch").code == 3


def test_updates_of_the_neighbor_can_neither_be_watched_canceled_nor_retried_nor_undone(
    rollbook: Rollbook, maple: District, cedar: District, base: Path
) -> None:
    School.objects.create(district=cedar, organization_id="999", name="Cedar High")
    send_bytes(cedar, base.read_bytes(), Mode.ADD)
    for command in ("watch", "cancel", "retry", "undo"):
        result = rollbook("update", command, "maple-usd", 1)
        assert result.err.startswith("ERROR no_such_update: Maple USD has no update 1; ")
    assert rollbook("update", "cancel", "maple-usd").code == 1
    assert UpdateJob.objects.get().state == State.RECEIVED


def test_nothing_is_started_in_a_suspended_district(
    rollbook: Rollbook, maple: District, base: Path
) -> None:
    rollbook("district", "suspend", "maple-usd", "--reason", "why")
    result = rollbook("update", "start", "maple-usd", base)
    assert result.err.startswith("ERROR district_suspended: ")
    assert not UpdateJob.objects.exists()
