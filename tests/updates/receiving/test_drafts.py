"""Drafts: files chosen in the browser are checked, stored, submitted once, and removed."""

import errno
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from rollbook.accounts import district_keys, sealed_values
from rollbook.accounts.district_keys import KeyPurpose
from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.cell_rules import CellRule
from rollbook.studentfile.problems.problem import Severity
from rollbook.studentfile.reading import reader
from rollbook.updates import runner
from rollbook.updates.models import Draft, FileChunk, UpdateJob
from rollbook.updates.receiving import drafts, files, preview
from rollbook.updates.receiving.drafts import DraftExpired
from rollbook.updates.receiving.receive import QueueFull
from rollbook.updates.state_machine import Mode
from tests.conftest import make_member
from tests.updates.night import (
    a_class,
    complete,
    counts,
    enroll,
    file_of,
    finish,
    incoming,
    send,
    send_bytes,
    stored_text,
)

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def keep(member: Member, text: str, now: datetime = NOW, **columns: Any) -> Draft:
    return keep_bytes(member, file_of(text).encode(), now, **columns)


def keep_bytes(member: Member, data: bytes, now: datetime = NOW, **columns: Any) -> Draft:
    return drafts.create_draft(member, incoming(data), file_name="students.csv", now=now, **columns)


def stored_files() -> int:
    return sum(1 for _ in settings.SPOOL.iterdir())


@pytest.fixture
def colleague(maple: District) -> Member:
    return make_member(maple, "second@maple.example")


# The preview


def test_a_draft_is_on_the_disk_with_all_its_columns_and_is_no_update(
    maple: District, manager: Member
) -> None:
    draft = keep(manager, a_class(3))
    assert stored_text(draft.spool_name) == file_of(a_class(3)).encode()
    assert (draft.file_name, draft.rows, draft.detected_encoding, draft.encoding) == (
        "students.csv",
        3,
        "utf-8",
        "utf-8",
    )
    assert (draft.district, draft.member, draft.created_at) == (maple, manager, NOW)
    assert not UpdateJob.objects.exists()
    told = drafts.load_preview(draft)
    assert (told.rows, told.checked, told.complete, told.rejected) == (3, 3, True, 0)
    assert (told.refusal, told.problems, told.groups) == (None, (), ())


def test_problems_are_counted_and_the_first_ten_of_each_code_are_shown(manager: Member) -> None:
    rows = [f"s{n:03},{'15' if n < 25 else '4'},f" for n in range(30)] + ["s030 ,4,q"]
    told = drafts.load_preview(keep(manager, "STUDENT_ID,GRADE,GENDER\n" + "\n".join(rows)))
    assert [(group.code, group.severity, group.count) for group in told.groups] == [
        ("bad_value", Severity.ERROR, 26),
        ("trimmed", Severity.WARNING, 1),
    ]
    bad = told.groups[0]
    assert [problem.line for problem in bad.first] == list(range(2, 12))
    assert (bad.first[0].column, bad.first[0].found) == ("GRADE", "15")
    assert bad.first[0].message.startswith('"15" isn\'t a grade ')
    assert told.rejected == 26


def test_the_columns_that_are_read_and_those_that_are_not_are_named(manager: Member) -> None:
    told = drafts.load_preview(keep(manager, "student id,Home Room,GRADE,_LINE\n1,a,4,2"))
    assert (told.known, told.ignored) == (("STUDENT_ID", "GRADE"), ("Home Room", "_LINE"))
    assert [problem.code for problem in told.problems] == ["unknown_column", "folded_header"]
    assert told.refusal is None


def test_a_file_that_cannot_be_accepted_is_stored_with_its_refusal(manager: Member) -> None:
    draft = keep(manager, "SIS_ID,GRADE\n1,4")
    told = drafts.load_preview(draft)
    assert told.refusal is not None
    assert told.refusal.code == "key_column_renamed"
    assert (told.checked, told.rows) == (0, 0)
    update = drafts.submit_draft(draft, Mode.UPDATE).update
    assert (update.state, update.problem_counts["key_column_renamed"]) == ("refused", 1)


def test_a_file_of_another_type_has_no_columns(manager: Member) -> None:
    told = drafts.load_preview(keep_bytes(manager, b"PK\x03\x04 and so on"))
    assert (told.known, told.ignored) == ((), ())
    assert told.refusal is not None


def test_nothing_of_a_password_cell_is_stored(manager: Member) -> None:
    draft = keep(manager, "STUDENT_ID,PASSWORD\n1,can\n2,=canary\n3,canary canary\n canary,canary")
    told = drafts.load_preview(draft)
    assert told.rejected > 1
    assert "can" not in str(told).replace("cannot", "")


@pytest.mark.statement("S36")
def test_nothing_that_was_found_is_stored_in_plain_text(manager: Member) -> None:
    keep(manager, "STUDENT_ID,DOB\n zqcanary,Zqcanary\nzqcanary,2/30/2015")
    keep(manager, "zqcanary,Zqcanary,2015-02-30\nzqcanary,Zqcanary,2015-02-30")  # no header
    stored = repr(list(Draft.objects.values())).casefold()
    assert "canary" not in stored
    assert "2015-02-30" not in stored
    assert "zqcanary" in str([drafts.load_preview(each) for each in Draft.objects.all()]).casefold()


def test_a_draft_whose_key_is_lost_has_expired(manager: Member) -> None:
    draft = keep(manager, "STUDENT_ID,DOB\n7,2/30/2015")
    assert drafts.find_draft(manager, draft.pk, NOW) == draft
    district_keys.destroy(manager.district_id, KeyPurpose.FILES)
    sealed_values._ciphers.clear()
    assert drafts.find_draft(manager, draft.pk, NOW) is None


def test_a_check_that_takes_too_long_stops_with_the_number_of_checked_rows(
    manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "CHECK_TIMEOUT_S", -1.0)
    told = drafts.load_preview(keep(manager, a_class(1500)))
    assert (told.rows, told.checked, told.complete) == (1500, 1000, False)


def test_birth_dates_are_checked_by_the_date_in_the_district(manager: Member) -> None:
    late = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # the 23rd in Chicago
    told = drafts.load_preview(keep(manager, "STUDENT_ID,DOB\n1,2026-11-24", late))
    assert [group.code for group in told.groups] == ["future_date"]


def test_a_bug_in_a_rule_only_rejects_the_row(
    manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(self: Any, text: str) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(CellRule, "__missing__", check)
    told = drafts.load_preview(keep(manager, a_class(2)))
    assert [(group.code, group.count) for group in told.groups] == [("internal_error", 2)]


def test_the_districts_encoding_is_used_unless_another_is_requested(
    maple: District, manager: Member
) -> None:
    maple.encoding = "cp1252"
    maple.save()
    manager.refresh_from_db()
    draft = keep_bytes(manager, "STUDENT_ID,FIRST_NAME\ns000,José\n".encode("cp1252"))
    assert (draft.encoding, draft.detected_encoding, drafts.load_preview(draft).refusal) == (
        "cp1252",
        "cp1252",
        None,
    )
    named = keep_bytes(
        manager, "STUDENT_ID,FIRST_NAME\ns000,Zoë\n".encode("mac-roman"), encoding="mac-roman"
    )
    assert (named.encoding, named.detected_encoding) == ("mac-roman", "mac-roman")


# Whose it is


@pytest.mark.statement("S23")
def test_a_draft_is_visible_to_its_member_only(
    manager: Member, colleague: Member, neighbor: Member
) -> None:
    draft = keep(manager, a_class(1))
    assert drafts.find_draft(manager, draft.key, NOW) == draft
    assert drafts.find_draft(manager, str(draft.key), NOW) == draft
    for stranger in (colleague, neighbor):
        assert drafts.find_draft(stranger, draft.key, NOW) is None
    drafts.submit_draft(draft, Mode.UPDATE)
    for stranger in (colleague, neighbor):
        assert drafts.find_submitted(stranger, draft.key) is None


@pytest.mark.parametrize("key", ["", "17", "../../etc", "802d2480-d376-49bf-a3c2-e2c9a8929121"])
def test_an_invalid_key_finds_nothing(manager: Member, key: str) -> None:
    assert drafts.find_draft(manager, key, NOW) is None
    assert drafts.find_submitted(manager, key) is None


def test_a_member_has_five_drafts_and_the_oldest_are_removed(
    manager: Member, colleague: Member
) -> None:
    other = keep(colleague, a_class(1))
    made = [keep(manager, a_class(size), NOW + timedelta(minutes=size)) for size in range(1, 8)]
    assert [drafts.find_draft(manager, draft.key, NOW) is not None for draft in made] == [
        False,
        False,
        *[True] * 5,
    ]
    assert drafts.find_draft(colleague, other.key, NOW) is not None
    assert stored_files() == 6


# Sending


def test_a_draft_becomes_an_update_without_a_second_upload(
    maple: District, manager: Member
) -> None:
    enroll(maple, a_class(3))
    draft = keep(manager, a_class(3, GRADE="5"))
    receipt = drafts.submit_draft(draft, Mode.UPDATE)
    update = receipt.update
    assert (receipt.replayed, receipt.same_as) == (False, None)
    assert (update.state, update.member, update.source, update.mode) == (
        "received",
        manager,
        "the browser",
        "update",
    )
    for column in (
        "file_name",
        "file_size",
        "file_digest",
        "spool_name",
        "encoding",
        "detected_encoding",
        "header",
        "checkpoints",
        "rows",
    ):
        assert getattr(update, column) == getattr(draft, column)
    assert counts(finish(update)) == {"updated": 3}
    assert (
        drafts.find_draft(manager, draft.key, NOW),
        drafts.find_submitted(manager, draft.key),
    ) == (
        None,
        update,
    )


def test_the_update_is_the_same_as_one_sent_with_curl(
    maple: District, cedar: District, manager: Member
) -> None:
    data = b"STUDENT_ID,Home Room,GRADE\n1,a,4\n2,b,15\n"
    by_curl = send_bytes(cedar, data).update
    update = drafts.submit_draft(keep_bytes(manager, data), Mode.UPDATE).update
    assert update.problem_counts == by_curl.problem_counts == {"unknown_column": 1}
    assert counts(finish(update)) == counts(finish(by_curl)) == {"rejected": 2}
    own = {field.name for field in UpdateJob._meta.fields} - {
        "id",
        "district",
        "member",
        "source",
        "spool_name",
        "run_id",
    }
    times = {name for name in own if name.endswith("_at")}
    for name in own - times:
        assert getattr(update, name) == getattr(by_curl, name), name


def test_a_draft_that_is_submitted_twice_is_one_update(manager: Member) -> None:
    draft = keep(manager, a_class(1))
    again = drafts.find_draft(manager, draft.key, NOW)
    assert again is not None
    first, second = drafts.submit_draft(draft, Mode.UPDATE), drafts.submit_draft(again, Mode.ADD)
    assert (first.replayed, second.replayed) == (False, True)
    assert second.update == first.update
    finish(first.update)
    assert drafts.submit_draft(again, Mode.UPDATE).update == first.update
    assert UpdateJob.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_draft_that_is_submitted_in_many_tabs_at_once_is_one_update(manager: Member) -> None:
    draft = keep(manager, a_class(1))
    begin = threading.Barrier(8)

    def sent(mode: Mode) -> tuple[int, bool]:
        try:
            begin.wait()
            receipt = drafts.submit_draft(draft, mode)
            return receipt.update.number, receipt.replayed
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as tabs:
        answers = list(tabs.map(sent, [Mode.UPDATE, Mode.ADD] * 4))
    assert sorted(answers) == [(1, False), *[(1, True)] * 7]
    assert (UpdateJob.objects.count(), stored_files()) == (1, 1)


def test_the_same_file_as_an_unfinished_update_is_that_update(
    maple: District, manager: Member
) -> None:
    update = send(maple, a_class(2))
    draft = keep(manager, a_class(2))
    receipt = drafts.submit_draft(draft, Mode.UPDATE)
    assert (receipt.replayed, receipt.update) == (True, update)
    assert drafts.find_submitted(manager, draft.key) == update
    assert UpdateJob.objects.count() == 1


def test_a_full_queue_keeps_the_draft(maple: District, manager: Member) -> None:
    waiting = [send(maple, a_class(size)) for size in (1, 2, 3, 4)]
    draft = keep(manager, a_class(5))
    with pytest.raises(QueueFull) as full:
        drafts.submit_draft(draft, Mode.UPDATE)
    assert full.value.waiting == [1, 2, 3, 4]
    assert drafts.find_draft(manager, draft.key, NOW) == draft
    finish(waiting[0])
    assert drafts.submit_draft(draft, Mode.UPDATE).update.number == 5


def test_an_error_while_it_is_submitted_keeps_the_draft(
    manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = keep(manager, a_class(1))

    def fault(update_id: int) -> None:
        raise OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(runner, "notify_engine", fault)
        with pytest.raises(OperationalError):
            drafts.submit_draft(draft, Mode.UPDATE)
    assert not UpdateJob.objects.exists()
    assert drafts.submit_draft(draft, Mode.UPDATE).update.number == 1


def test_a_draft_that_was_discarded_meanwhile_has_expired(manager: Member) -> None:
    draft = keep(manager, a_class(1))
    drafts.discard_draft(draft)
    with pytest.raises(DraftExpired):
        drafts.submit_draft(draft, Mode.UPDATE)
    assert not UpdateJob.objects.exists()


@pytest.mark.parametrize("where", ["survey", "preview_rows", "keep", "commit"])
def test_an_error_while_receiving_leaves_neither_file_nor_draft(
    manager: Member, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "full")

    target, name = {
        "survey": (reader, "scan"),
        "preview_rows": (preview, "preview_rows"),
        "keep": (files, "_sync_folder"),
        "commit": (files, "copy_to_database"),
    }[where]
    monkeypatch.setattr(target, name, fails)
    with pytest.raises(OSError, match="full"):
        keep(manager, a_class(1))
    assert (stored_files(), Draft.objects.count()) == (0, 0)


@pytest.mark.only_on("postgresql")
def test_on_postgresql_the_file_is_in_the_database_once_for_all_workers(
    maple: District, manager: Member, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    enroll(maple, a_class(3))
    FileChunk.objects.all().delete()
    draft = keep(manager, a_class(3, GRADE="5"))
    monkeypatch.setattr(settings, "SPOOL", tmp_path / "elsewhere")
    update = drafts.submit_draft(draft, Mode.UPDATE).update
    assert FileChunk.objects.count() == 1
    assert counts(finish(update)) == {"updated": 3}


def test_the_file_may_add_students_too(maple: District, manager: Member) -> None:
    draft = keep_bytes(manager, complete(a_class(2)).encode())
    assert counts(finish(drafts.submit_draft(draft, Mode.ADD).update)) == {"added": 2}
