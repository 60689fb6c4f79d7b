"""Receiving: files are stored durably before the answer, and are one update if sent again."""

import errno
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from rollbook.accounts import district_keys
from rollbook.accounts.district_keys import KeyPurpose
from rollbook.districts.models import District
from rollbook.encrypted_file import FRAME_BYTES
from rollbook.studentfile.reading import reader
from rollbook.updates import runner, transitions
from rollbook.updates.cancel import cancel
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.receiving.receive import QueueFull, receive
from rollbook.updates.state_machine import Mode, State
from tests.updates.night import (
    a_class,
    applying,
    complete,
    counts,
    enroll,
    finish,
    incoming,
    report_of,
    run,
    send,
    send_bytes,
    stored_text,
    values_of,
)

ONE = b"STUDENT_ID,GRADE\n1,5\n"
TWO = b"STUDENT_ID,GRADE\n1,6\n"
REFUSED = b"STUDENT_ID,GRADE\n"


def stored_files() -> int:
    return sum(1 for _ in settings.SPOOL.iterdir())


def test_what_is_acknowledged_is_on_the_disk_with_all_its_columns(maple: District) -> None:
    receipt = send_bytes(maple, ONE, source="curl 8.5")
    update = UpdateJob.objects.get()
    assert (receipt.update, receipt.replayed, receipt.same_as) == (update, False, None)
    path = files.path_of(update.spool_name)
    assert stored_text(update.spool_name) == ONE
    assert ONE not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert update.file_digest == hashlib.sha256(ONE).hexdigest()
    assert (update.state, update.number, update.rows, update.file_size) == (
        "received",
        1,
        1,
        len(ONE),
    )
    assert (update.header, update.detected_encoding, update.source) == (
        ["STUDENT_ID", "GRADE"],
        "utf-8",
        "curl 8.5",
    )


@pytest.mark.statement("S27")
def test_the_stored_name_is_generated(maple: District) -> None:
    update = send_bytes(maple, ONE, file_name="students.csv").update
    assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{32}", update.spool_name)
    assert update.file_name == "students.csv"


@pytest.mark.statement("S23")
def test_numbers_are_consecutive_in_each_district(maple: District, cedar: District) -> None:
    assert [send(maple, a_class(size)).number for size in (1, 2)] == [1, 2]
    assert send(cedar, a_class(1)).number == 1


@pytest.mark.parametrize("chunks", [None, 0])
def test_the_same_file_is_the_same_update_while_that_is_unfinished(
    maple: District, chunks: int | None
) -> None:
    enroll(maple, a_class(1))
    update = send(maple, a_class(1, GRADE="5"))
    if chunks is not None:
        applying(update, chunks)
    receipt = send_bytes(maple, stored_text(update.spool_name))
    assert (receipt.update.pk, receipt.replayed, receipt.same_as) == (update.pk, True, None)
    assert UpdateJob.objects.count() == 2
    assert stored_files() == 2


def test_the_same_file_is_replayed_even_if_the_queue_is_full(maple: District) -> None:
    for size in (1, 2, 3, 4):
        send(maple, a_class(size))
    assert send(maple, a_class(4)).number == 4


def test_the_same_file_is_replayed_even_if_detected_only_at_the_commit(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = reader.scan

    def meanwhile(*args: Any, **columns: Any) -> Any:
        monkeypatch.setattr(reader, "scan", survey)
        send_bytes(maple, ONE)
        return survey(*args, **columns)

    monkeypatch.setattr(reader, "scan", meanwhile)
    receipt = send_bytes(maple, ONE)
    assert (receipt.replayed, receipt.update.number) == (True, 1)
    assert stored_files() == 1


@pytest.mark.parametrize("columns", [{"mode": Mode.ADD}, {"encoding": "cp1252"}])
def test_another_mode_or_encoding_is_another_update(
    maple: District, columns: dict[str, Any]
) -> None:
    send_bytes(maple, ONE)
    receipt = send_bytes(maple, ONE, **columns)
    assert (receipt.replayed, receipt.update.number) == (False, 2)


def test_the_same_file_of_another_district_is_another_update(
    maple: District, cedar: District
) -> None:
    send_bytes(maple, ONE)
    receipt = send_bytes(cedar, ONE)
    assert (receipt.replayed, receipt.same_as, receipt.update.district) == (False, None, cedar)


def test_after_the_end_the_same_file_is_a_new_update_that_refers_to_the_old_one(
    maple: District,
) -> None:
    first = send_bytes(maple, ONE).update
    finish(first)
    second = send_bytes(maple, ONE)
    assert (second.replayed, second.update.number, second.same_as) == (False, 2, first)
    cancel(maple)
    third = send_bytes(maple, ONE)
    assert (third.replayed, third.update.number, third.same_as) == (False, 3, second.update)


def test_three_updates_may_wait_for_the_one_in_progress_and_a_fourth_may_not(
    maple: District, cedar: District
) -> None:
    running_one = send(maple, a_class(1))
    transitions.transition(running_one.pk, State.CHECKING)
    for size in (2, 3, 4):
        send(maple, a_class(size))
    with pytest.raises(QueueFull) as full:
        send(maple, a_class(5))
    assert full.value.waiting == [2, 3, 4]
    assert UpdateJob.objects.count() == 4
    assert stored_files() == 4
    assert send(cedar, a_class(5)).number == 1
    transitions.transition(running_one.pk, State.CANCELED)
    assert send(maple, a_class(5)).number == 5


def test_the_first_waiting_update_counts_as_the_one_in_progress(maple: District) -> None:
    for size in (1, 2, 3, 4):
        send(maple, a_class(size))
    with pytest.raises(QueueFull) as full:
        send(maple, a_class(5))
    assert full.value.waiting == [1, 2, 3, 4]


def test_a_refused_file_is_stored_with_its_problems_and_its_update_has_ended(
    maple: District,
) -> None:
    update = send_bytes(maple, REFUSED).update
    assert (update.state, update.rows) == ("refused", 0)
    assert update.ended_at is not None
    assert update.problem_counts == {"no_rows": 1}
    assert report_of(update).refusal is not None
    assert stored_text(update.spool_name) == REFUSED
    assert list(runner.run_steps(update.pk)) == []


def test_a_refused_file_takes_no_place_in_the_queue(maple: District) -> None:
    for size in (1, 2, 3, 4):
        send(maple, a_class(size))
    assert send_bytes(maple, REFUSED).update.state == "refused"


def test_a_refused_file_sent_again_is_refused_again(maple: District) -> None:
    first = send_bytes(maple, REFUSED).update
    second = send_bytes(maple, REFUSED)
    assert (second.update.number, second.update.state, second.same_as) == (2, "refused", first)


@pytest.mark.statement("S25")
def test_a_full_disk_while_receiving_leaves_nothing(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = incoming(b"STUDENT_ID\n")

    def full(data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    on_disk = file._locked.file
    wrapped = _Wrapped(on_disk, write=full, flush=lambda: full(b""))
    monkeypatch.setattr(file._frames, "_file", wrapped)
    with pytest.raises(OSError, match="No space left"):
        file.write(bytes(FRAME_BYTES))
    with pytest.raises(OSError, match="No space left"):
        receive(maple, file, file_name="students.csv")
    assert stored_files() == 0
    assert not UpdateJob.objects.exists()


class _Wrapped:
    """A file with some methods replaced."""

    def __init__(self, file: Any, **methods: Any) -> None:
        self._inner = file
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.parametrize("where", ["survey", "keep", "commit"])
def test_an_error_while_receiving_leaves_neither_file_nor_update(
    maple: District, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise (
            OperationalError("disk I/O error")
            if where == "commit"
            else OSError(errno.ENOSPC, "full")
        )

    target, name = {
        "survey": (reader, "scan"),
        "keep": (files, "_sync_folder"),
        "commit": (runner, "notify_engine"),
    }[where]
    monkeypatch.setattr(target, name, fails)
    with pytest.raises((OSError, OperationalError)):
        send_bytes(maple, ONE)
    assert stored_files() == 0
    assert not UpdateJob.objects.exists()
    monkeypatch.undo()
    assert send_bytes(maple, ONE).update.number == 1


@pytest.mark.django_db(transaction=True)
def test_after_a_commit_with_unknown_result_the_file_stays_and_is_replayed(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F21: The connection is lost between COMMIT and its answer."""
    real = connection.commit
    district_keys.get_or_create(maple.pk, KeyPurpose.FILES)

    def lost() -> None:
        real()
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(connection, "commit", lost)
    with pytest.raises(OperationalError):
        send_bytes(maple, ONE)
    monkeypatch.undo()
    update = UpdateJob.objects.get()
    assert files.path_of(update.spool_name).is_file()
    receipt = send_bytes(maple, ONE)
    assert (receipt.update, receipt.replayed, stored_files()) == (update, True, 1)


def test_the_districts_encoding_is_used_unless_another_is_requested(maple: District) -> None:
    enroll(maple, a_class(1))
    data = "STUDENT_ID,FIRST_NAME\ns000,Jos\u00e9\n".encode("cp1252")
    refused = send_bytes(maple, data).update
    assert refused.state == "refused"
    assert refused.problem_counts == {"not_utf8": 1}
    maple.encoding = "cp1252"
    maple.save()
    update = send_bytes(maple, data).update
    assert (update.encoding, update.detected_encoding) == ("cp1252", "cp1252")
    finish(update)
    assert values_of(maple, "s000", "FIRST_NAME") == ("Jos\u00e9",)
    named = send_bytes(
        maple, "STUDENT_ID,FIRST_NAME\ns000,Zo\u00eb\n".encode("mac-roman"), encoding="mac-roman"
    ).update
    finish(named)
    assert values_of(maple, "s000", "FIRST_NAME") == ("Zo\u00eb",)


def test_a_byte_order_mark_takes_precedence_over_the_setting(maple: District) -> None:
    enroll(maple, a_class(1))
    maple.encoding = "cp1252"
    maple.save()
    for encoding, detected_encoding in (("utf-8-sig", "utf-8"), ("utf-16", "utf-16")):
        update = send_bytes(
            maple, f"STUDENT_ID,FIRST_NAME\ns000,{encoding} Zo\u00eb\n".encode(encoding)
        ).update
        assert (update.encoding, update.detected_encoding) == ("cp1252", detected_encoding)
        finish(update)
        assert values_of(maple, "s000", "FIRST_NAME") == (f"{encoding} Zo\u00eb",)


def test_the_number_of_rows_in_the_answer_is_that_of_rows_read_later(maple: District) -> None:
    text = "\ufeff" + complete(a_class(3)).replace("\n", "\r\n\r\n") + ",,,,,,,,,\r\n"
    update = send_bytes(maple, text.encode(), Mode.ADD).update
    assert update.rows == 3
    result = finish(update)
    assert (result.read, counts(result)) == (3, {"added": 3})


@pytest.mark.statement("S29")
def test_the_operators_limits_apply(maple: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAX_ROWS", 2)
    result = run(maple, a_class(3))
    assert result.refusal is not None
    assert result.refusal.code == "too_many_rows"
    assert run(maple, a_class(2)).state is State.COMPLETED


@pytest.mark.django_db(transaction=True)
def test_the_same_file_sent_twenty_times_at_once_is_one_update(maple: District) -> None:
    def sent(_: int) -> tuple[int, bool]:
        try:
            receipt = send_bytes(maple, ONE)
            return receipt.update.number, receipt.replayed
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as senders:
        answers = list(senders.map(sent, range(20)))
    assert sorted(answers) == [(1, False), *[(1, True)] * 19]
    assert UpdateJob.objects.count() == 1
    assert stored_files() == 1


@pytest.mark.django_db(transaction=True)
def test_files_sent_at_once_get_different_numbers_and_the_queue_limit_applies(
    maple: District,
) -> None:
    def sent(size: int) -> int:
        try:
            return send(maple, a_class(size)).number
        except QueueFull:
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as senders:
        numbers = list(senders.map(sent, range(1, 13)))
    assert sorted(numbers) == [0] * 8 + [1, 2, 3, 4]
    assert stored_files() == 4
