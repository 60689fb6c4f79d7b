"""Workbooks and files with other delimiters are stored as CSV, and are known by what was sent."""

import errno
import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from rollbook.accounts import installation_id
from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.reading.conversion import convert as conversion
from rollbook.updates.exports import rejected_rows
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import drafts, file_chunks, files, receive
from rollbook.updates.state_machine import Mode, State
from tests.studentfile.reading.conversion.workbooks import Cell, Raw, ods, xlsx
from tests.updates.night import (
    a_class,
    complete,
    counts,
    enroll,
    finish,
    incoming,
    send_bytes,
    stored_text,
)
from tests.updates.receiving.test_drafts import keep_bytes

SEMICOLONS = b"STUDENT_ID;GRADE\ns000;5\ns001;99\n"
STORED = b"STUDENT_ID,GRADE\ns000,5\ns001,99\n"
ROWS: list[list[Cell | Raw]] = [["STUDENT_ID", "GRADE"], ["s000", 5], ["s001", 99]]
SENT = [
    pytest.param(SEMICOLONS, id="semicolons"),
    pytest.param(xlsx(ROWS), id="xlsx", marks=pytest.mark.process),
    pytest.param(ods(ROWS), id="ods", marks=pytest.mark.process),
]


def spooled() -> set[str]:
    return {path.name for path in settings.SPOOL.iterdir()}


@pytest.mark.parametrize("sent", SENT)
def test_the_converted_file_is_stored_and_the_update_is_known_by_what_was_sent(
    maple: District, sent: bytes
) -> None:
    enroll(maple, a_class(2))
    before = spooled()
    receipt = send_bytes(maple, sent)
    update = UpdateJob.objects.get(pk=receipt.update.pk)
    assert spooled() - before == {update.spool_name}
    assert stored_text(update.spool_name) == STORED
    assert (update.file_digest, update.file_size) == (hashlib.sha256(sent).hexdigest(), len(sent))
    assert update.spool_digest == hashlib.sha256(STORED).hexdigest()
    assert (update.detected_encoding, update.rows) == ("utf-8", 2)
    if settings.ON_POSTGRESQL:
        path = files.path_of(update.spool_name)
        assert b"".join(file_chunks.read(update.spool_name)) == path.read_bytes()
    assert receive.remove_orphaned_files(timedelta()) == 0
    assert send_bytes(maple, sent).replayed
    assert counts(finish(update)) == {"updated": 1, "rejected": 1}
    again = send_bytes(maple, sent)
    assert (again.replayed, again.same_as) == (False, update)


def test_the_rejected_rows_of_a_converted_file_have_its_lines(maple: District) -> None:
    enroll(maple, a_class(2))
    update = send_bytes(maple, b"\n\n" + SEMICOLONS).update
    finish(update)
    lines = "".join(rejected_rows.csv_lines(update)).splitlines()
    assert lines[0].startswith('"STUDENT_ID","GRADE",')
    assert lines[1].startswith('"s001","99","5","bad_value",')


def test_the_file_is_copied_from_the_database_by_the_digest_of_what_is_stored(
    maple: District,
) -> None:
    update = send_bytes(maple, SEMICOLONS).update
    files.ensure_available(update.spool_name, update.spool_digest)
    files.path_of(update.spool_name).write_bytes(b"damaged")
    if settings.ON_POSTGRESQL:
        files.ensure_available(update.spool_name, update.spool_digest)
        assert stored_text(update.spool_name) == STORED
    else:
        with pytest.raises(files.FileMissing):
            files.ensure_available(update.spool_name, update.spool_digest)


@pytest.mark.parametrize("sent", SENT)
def test_a_draft_is_converted_once(manager: Member, sent: bytes) -> None:
    enroll(manager.district, a_class(2))
    before = spooled()
    draft = keep_bytes(manager, sent)
    assert (draft.file_size, draft.rows) == (len(sent), 2)
    assert draft.file_digest == hashlib.sha256(sent).hexdigest()
    update = drafts.submit_draft(draft, Mode.UPDATE).update
    assert (update.spool_name, update.spool_digest) == (draft.spool_name, draft.spool_digest)
    assert stored_text(draft.spool_name) == STORED
    assert spooled() - before == {draft.spool_name}
    assert counts(finish(update)) == {"updated": 1, "rejected": 1}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 100, "xls_not_supported"),
        (b"PK\x03\x04 xl/workbook.xml", "workbook_damaged"),
        (b"STUDENT_ID;DOB|GRADE\n1;2|3\n", "wrong_delimiter"),
    ],
)
def test_a_file_that_cannot_be_converted_is_refused_and_stored_as_sent(
    maple: District, sent: bytes, code: str
) -> None:
    update = send_bytes(maple, sent).update
    assert (update.state, update.problem_counts) == (State.REFUSED, {code: 1})
    assert stored_text(update.spool_name) == sent
    assert update.spool_digest == update.file_digest
    assert spooled() == {update.spool_name}


def test_a_converted_file_that_is_refused_is_stored_as_csv(maple: District) -> None:
    update = send_bytes(maple, b"STUDENT_ID;GRADE\n").update
    assert update.state == State.REFUSED
    assert update.problem_counts == {"no_rows": 1, "other_delimiter": 1}
    assert stored_text(update.spool_name) == b"STUDENT_ID,GRADE\n"
    assert spooled() == {update.spool_name}


def test_a_disk_that_is_full_while_converting_leaves_nothing(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = incoming(SEMICOLONS)

    def full(data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file, "write_converted", full)
    with pytest.raises(OSError, match="No space left"):
        receive.receive(maple, file, file_name="students.csv")
    assert spooled() == set()
    assert not UpdateJob.objects.exists()


def test_the_sweep_keeps_both_files_while_one_is_converted(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[tuple[int, int]] = []

    def converted(path: Path, **options: object) -> conversion.Conversion:
        file.write_converted(b"STUDENT_ID,GRADE\n1,5\n")
        swept.append((receive.remove_orphaned_files(timedelta()), len(spooled())))
        return conversion.Conversion(is_converted=True)

    file = incoming(SEMICOLONS)
    monkeypatch.setattr(receive, "convert", converted)
    update = receive.receive(maple, file, file_name="students.csv").update
    assert swept == [(0, 2)]
    assert spooled() == {update.spool_name}


def test_a_file_that_was_being_converted_by_a_dead_process_is_swept(maple: District) -> None:
    for place in ("sent", "converted"):
        settings.SPOOL.mkdir(mode=0o700, exist_ok=True)
        (settings.SPOOL / f"{installation_id.file_prefix()}{place}.part").write_bytes(b"half")
    assert receive.remove_orphaned_files(timedelta()) == 2
    assert spooled() == set()


def test_students_are_added_from_a_file_with_tabs(maple: District) -> None:
    text = complete(a_class(3)).replace(",", "\t")
    update = send_bytes(maple, text.encode("utf-16"), Mode.ADD).update
    assert counts(finish(update)) == {"added": 3}
    assert update.problem_counts == {"other_delimiter": 1, "utf16_decoded": 1}
