"""Test updating students from a file in three steps, all of it without scripts."""

import csv
import io
import re
import shutil
from collections import namedtuple
from datetime import timedelta
from typing import Any

import pytest
from django.core.files import uploadhandler
from django.utils import timezone
from pytest_django import Settings

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts import modes
from rollbook.districts.models import District
from rollbook.districts.modes import MODES, Channel
from rollbook.studentfile.columns import COLUMNS
from rollbook.studentfile.identifying_columns import IDENTIFYING_COLUMN_SETS
from rollbook.students.models import Student
from rollbook.updates.models import Draft, UpdateJob
from rollbook.updates.receiving import drafts, files, preview
from rollbook.updates.receiving.receive import SOURCE_BROWSER
from rollbook.updates.state_machine import Mode, State
from rollbook.web.http import upload_quota
from rollbook.web.http.upload_shares import Caller, Trust
from rollbook.web.pages.base.column_labels import SECTIONS
from tests.conftest import make_member
from tests.studentfile.reading.conversion.workbooks import ods, xlsx
from tests.updates.night import column_of, enroll, finish, run, send
from tests.web.curl import BOUNDARY, FORM, File, Part, form
from tests.web.pages.conftest import HERE, SignedIn, Visitor
from tests.web.pages.reading import Page, read

UPDATE, TEMPLATE, FORMAT, UPLOAD = (
    "/students/update",
    "/students/update/template.csv",
    "/students/update/format",
    "/students/update/file",
)
ROWS = b"STUDENT_ID,FIRST_NAME,GRADE\r\n00123,Ana,5\r\n00124,Ben,6\r\n"
UNUSABLE_ROWS = b"STUDENT_ID,GRADE\n00123,15\n00124,14\n"
"""A file that isn't checked against the roster, because all of its rows are rejected anyway."""
BAD_ROWS = b"STUDENT_ID,GRADE,SHOE_SIZE\r\n00123,5,3\r\n00124,15,4\r\n"


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    """Two students of Maple USD."""
    enroll(
        maple_once,
        "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n00123,Ana,Brook,2014-05-13\n00124,-Ben,Cole,2013-11-02",
    )


@pytest.fixture
def office(enrolled: None, maple: District, manager: Member, visitor: SignedIn) -> Visitor:
    """The browser of the district manager on the upload page, with two students enrolled."""
    browser = visitor(manager)
    browser.read(FORMAT)
    return browser


def choose(
    office: Visitor, data: bytes = ROWS, name: str = "students.csv", encoding: str = ""
) -> Any:
    """Upload a file."""
    file = io.BytesIO(data)
    file.name = name
    return office.post(UPLOAD, {"encoding": encoding, "file": file})


def checked(office: Visitor, data: bytes = ROWS, **more: str) -> Page:
    """Upload a file and return the page with its result."""
    answer = choose(office, data, **more)
    if answer["Location"].startswith("/updates/"):
        finish(UpdateJob.objects.latest("pk"))
    return office.follow(answer)


def keep(manager: Member, data: bytes = ROWS) -> str:
    """Keep a file as a draft that isn't checked against the roster, and return its address."""
    incoming = files.IncomingFile()
    incoming.write(data)
    draft = drafts.create_draft(manager, incoming, file_name="students.csv", now=timezone.now())
    return f"/students/update/drafts/{draft.pk}"


def send_raw(
    office: Visitor,
    body: bytes,
    content_type: str = FORM,
    length: int | None = None,
    **headers: str,
) -> Any:
    """Send any body, from the browser's own page."""
    return office.client.generic(
        "POST",
        UPLOAD,
        secure=True,
        headers={"Origin": HERE, **headers},
        **{  # type: ignore[arg-type]
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body) if length is None else length),
            "wsgi.input": io.BytesIO(body),
        },
    )


def of_office(office: Visitor, *parts: Part) -> bytes:
    return form([("csrfmiddlewaretoken", office.token), *parts])


def refused(answer: Any, status: int, *words: str) -> Page:
    """Check that the form is shown again with the reason, and that nothing is kept."""
    page = read(answer)
    (alert,) = (one for one in page.main.iter() if one.get("role") == "alert")
    message = " ".join("".join(alert.itertext()).split())
    assert answer.status_code == status, message
    assert all(word in message for word in words), message
    assert "ERROR" not in message
    assert "curl" not in message
    assert UPLOAD in page.actions
    assert not Draft.objects.exists()
    assert upload_quota.UPLOAD_QUOTA.shares.total == 0
    return page


def spooled() -> int:
    """Return the number of files that belong to no update."""
    return len(
        files.unlocked_files(timedelta())
        - set(UpdateJob.objects.values_list("spool_name", flat=True))
    )


# --- 1. A template or your own file


def test_one_page_has_the_upload_first_and_the_template_folded_below(office: Visitor) -> None:
    page = office.read(UPDATE)
    assert page.heading == "Upload file"
    assert page.actions == [UPLOAD, TEMPLATE]
    folded = page.main.find(".//details[@id='template']")
    assert folded is not None
    assert "open" not in folded.attrib
    boxes = [one.get("value") for one in page.main.iter("input") if one.get("name") == "column"]
    assert sorted(boxes) == sorted(column.name for column in COLUMNS)  # type: ignore[type-var]
    chosen = page.form(TEMPLATE).values
    assert any(keys <= set(chosen["column"]) for keys in IDENTIFYING_COLUMN_SETS)
    assert chosen["students"] == ["yes"]
    assert "The 2 students as they are now" in page.text


def test_sample_data_shows_what_a_check_finds_and_changes_nothing(office: Visitor) -> None:
    answer = office.get("/students/update/sample.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="sample-students.csv"'
    page = checked(office, b"".join(answer.streaming_content))
    assert "can’t be applied" in page.text
    assert "A date isn't valid" in page.text
    assert Student.objects.count() == 2


def test_every_column_is_in_one_section_and_explained(office: Visitor) -> None:
    names = [column.name for section in SECTIONS for column in section.columns]
    assert sorted(names) == sorted(column.name for column in COLUMNS)
    page = office.read(UPDATE)
    for column in COLUMNS:
        (box,) = (one for one in page.main.iter("input") if one.get("value") == column.name)
        assert page.root.find(f".//*[@id='{box.get('aria-describedby')}']") is not None
        assert page.root.find(f".//label[@for='{box.get('id')}']") is not None


def downloaded(office: Visitor, query: dict[str, Any]) -> list[list[str]]:
    answer = office.get(TEMPLATE, query)
    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment; ")
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff"), "or a spreadsheet takes it for another encoding"
    return list(csv.reader(io.StringIO(text[1:], newline=""), strict=True))


def test_the_template_has_the_chosen_columns_in_the_documented_order(office: Visitor) -> None:
    assert downloaded(
        office, {"column": ["GRADE", "STUDENT_ID", "SHOE_SIZE"], "students": "no"}
    ) == [["STUDENT_ID", "GRADE"]]


@pytest.mark.parametrize("chosen", [["GRADE"], ["FIRST_NAME", "LAST_NAME"]])
def test_a_template_always_identifies_students(office: Visitor, chosen: list[str]) -> None:
    assert downloaded(office, {"column": chosen, "students": "no"})[0] == ["STUDENT_ID", *chosen]
    assert downloaded(office, {"column": ["USERNAME", "GRADE"]})[0] == ["USERNAME", "GRADE"]


def test_without_a_choice_it_has_the_usual_columns(office: Visitor) -> None:
    assert "GRADE" in downloaded(office, {})[0]


def test_the_template_with_the_students_changes_nothing(office: Visitor, maple: District) -> None:
    rows = downloaded(office, {"column": [column.name for column in COLUMNS], "students": "yes"})
    assert [row[0] for row in rows[1:]] == ["00123", "00124"]
    assert rows[1][rows[0].index("DOB")] == "05/13/2014"
    assert {row[rows[0].index("PASSWORD")] for row in rows[1:]} == {""}
    assert rows[2][rows[0].index("FIRST_NAME")] == "'-Ben"
    Student.objects.filter(first_name="-Ben").update(first_name="Ben")
    usable = downloaded(
        office, {"column": ["STUDENT_ID", "DOB", "GROUPS", "SCHOOL_ID"], "students": "yes"}
    )
    result = run(maple, "\n".join(",".join(row) for row in usable))
    assert (result.unchanged, result.rejected) == (2, 0)


def test_the_template_has_no_students_of_another_district(office: Visitor, cedar: District) -> None:
    enroll(cedar, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID\n777,Nell,Reed,2014-05-13,900")
    rows = downloaded(office, {"students": "yes"})
    assert [row[0] for row in rows[1:]] == ["00123", "00124"]


def test_downloading_students_is_in_the_audit(office: Visitor) -> None:
    downloaded(office, {"students": "yes"})
    assert AuditEvent.objects.get(action="template").detail == "with the students"


# --- 2. The format, and the file


def test_the_page_explains_the_format_and_accepts_a_file(office: Visitor) -> None:
    page = office.read(FORMAT)
    file = page.form(UPLOAD).fields["file"]
    assert (file["type"], "required" in file) == ("file", True)
    assert page.form(UPLOAD).root.get("enctype") == "multipart/form-data"
    assert page.described("file") == (
        "Choose a file, or drop it here. CSV, Excel (.xlsx) or OpenDocument (.ods), "
        "at most 2,000,000 rows and 1.0 GB"
    )
    assert {".csv", ".xlsx", ".ods"} < set(file["accept"].split(","))
    assert [row[0] for row in page.rows] == [column.name for column in COLUMNS]
    assert "AB Aboriginal; AI American Indian" in page.text
    assert page.links["Student file reference"] == "/help/student-file"
    encoding = page.main.find(".//details[@id='encoding-choice']")
    assert encoding is not None
    assert "open" not in encoding.attrib


def test_an_encoding_in_the_address_is_preselected(office: Visitor) -> None:
    page = office.read(FORMAT, {"encoding": "cp1252"})
    assert page.form(UPLOAD).values["encoding"] == ["cp1252"]


def test_a_file_leads_to_what_it_would_change(office: Visitor, manager: Member) -> None:
    answer = choose(office)
    update = UpdateJob.objects.latest("pk")
    assert answer["Location"] == f"/updates/{update.number}"
    draft = Draft.objects.get()
    assert (draft.member, draft.file_name, draft.rows) == (manager, "students.csv", 2)
    assert draft.update == update
    assert (update.mode, update.source, update.member, update.is_check) == (
        Mode.UPDATE,
        SOURCE_BROWSER,
        manager,
        True,
    )
    assert "Checking starts in a moment." in office.follow(answer).text
    finish(update)
    page = office.follow(answer)
    assert "2 students would change." in page.text
    assert page.form(f"/updates/{update.number}/approve").buttons[0] == "Change 2"
    event = AuditEvent.objects.get(action="start", member=manager)
    assert (event.result, event.detail) == ("received", f"update {update.number}")


def test_the_address_of_the_file_leads_to_its_result(office: Visitor) -> None:
    location = choose(office)["Location"]
    page = office.get(f"/students/update/drafts/{Draft.objects.get().pk}")
    assert page["Location"] == location
    assert office.follow(page).messages == []


def test_rows_that_will_be_rejected_are_shown_with_their_fix(office: Visitor) -> None:
    page = checked(office, BAD_ROWS)
    assert "1 row would change nothing" not in page.text
    assert "1 student would change, 1 row can’t be applied." in page.text
    title, place = page.rows[page.rows.index(["3", "Grade", "15", ""]) - 1 :][:2]
    assert title[0].startswith("✕ error A value isn't recognized, 1 time bad_value")
    assert "Use PK, K, T1, 1–13, UG or Adult" in title[0]
    assert place == ["3", "Grade", "15", ""]
    assert "unknown_column" in page.text
    assert "SHOE_SIZE" in page.text
    assert (
        "Change 1" in page.form(f"/updates/{UpdateJob.objects.latest('pk').number}/approve").buttons
    )


def test_without_usable_rows_there_is_no_button(office: Visitor) -> None:
    page = checked(office, UNUSABLE_ROWS)
    assert "No rows can be applied: all 2 rows will be rejected." in page.text
    assert ["2", "Grade", "15", ""] in page.rows
    assert not UpdateJob.objects.filter(source=SOURCE_BROWSER).exists()
    assert [action.rpartition("/")[2] for action in page.actions] == ["columns", "discard"]


def test_a_partly_checked_file_shows_how_far_it_was_checked(
    office: Visitor, manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "CHECK_TIMEOUT_S", -1.0)
    rows = b"".join(b"%05d,5\n" % number for number in range(1500))
    page = office.read(keep(manager, b"STUDENT_ID,GRADE\n" + rows))
    assert "1,000 of 1,500 rows were checked so far" in page.text
    assert "No problems found in the first 1,000 rows." in page.text


def test_passwords_of_the_file_are_not_on_the_page(office: Visitor) -> None:
    page = checked(office, b"STUDENT_ID,PASSWORD\n00123,zQc\n00124,zQcanary\n")
    assert "1 row can’t be applied" in page.text
    assert "zQc" not in page.text


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "The file is empty"),
        (b"STUDENT_ID,GRADE\n", "header"),
        (b"PK\x03\x04" + b"\0" * 100, "This is a"),
        (b"<!doctype html><html><body>Sign in</body></html>", "This is a web page, not a CSV file"),
        (b"STUDENT_ID,FIRST_NAME\n00123,Jos\xe9\n", "The file is not saved as UTF-8"),
        (b"Ana,Brook\n", "header"),
        (b'STUDENT_ID,GRADE\n"00123,5\n"00124",6\n', "quote"),
    ],
    ids=[
        "empty",
        "only a header",
        "a workbook",
        "a web page",
        "cp1252",
        "no header",
        "an open quote",
    ],
)
def test_an_unusable_file_shows_the_reason_and_another_choice(
    office: Visitor, data: bytes, code: str
) -> None:
    page = checked(office, data)
    assert code in page.text
    assert "This file can’t be used. Nothing was changed." in page.text
    draft = Draft.objects.get()
    assert page.actions == [f"/students/update/drafts/{draft.pk}/discard"]
    assert page.links["Choose another encoding"] == f"{FORMAT}?encoding=cp1252#encoding-choice"
    assert AuditEvent.objects.filter(action="draft", result="refused").exists()
    office.post(f"/students/update/drafts/{draft.pk}/apply", {"mode": "update"})
    assert not UpdateJob.objects.filter(source=SOURCE_BROWSER).exists()


@pytest.mark.process
@pytest.mark.parametrize("write", [xlsx, ods])
def test_a_workbook_is_checked_like_any_other_file(office: Visitor, write: Any) -> None:
    page = checked(office, write([["STUDENT_ID", "GRADE"], [], ["00123", 5], ["00124", 99]]))
    assert "1 student would change, 1 row can’t be applied." in page.text
    assert ["4", "Grade", "99", ""] in page.rows


def test_another_encoding_can_be_chosen_for_the_file(office: Visitor) -> None:
    page = checked(office, b"STUDENT_ID,FIRST_NAME\n00123,Jos\xe9\n", encoding="cp1252")
    assert "1 student would change." in page.text
    assert Draft.objects.get().detected_encoding == "cp1252"


@pytest.mark.statement("S27")
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("<b>students</b>.csv", "b>.csv"),
        ("C:\\Users\\Ana\\students.csv", "students.csv"),
        ("\u202egnp.csv", "gnp.csv"),
        ("Schüler 学生.csv", "Schüler 学生.csv"),
    ],
)
def test_any_file_name_is_shown_safely(office: Visitor, sent: str, shown: str) -> None:
    answer = send_raw(office, of_office(office, ("file", File(UNUSABLE_ROWS, sent))))
    assert office.follow(answer).heading == shown


# --- Invalid uploads


def test_no_file_was_chosen(office: Visitor) -> None:
    body = of_office(office, ("encoding", ""), ("file", File(b"", "")))
    page = refused(send_raw(office, body), 400, "No file was chosen")
    assert "No file was chosen" in page.described("file")
    assert page.title.startswith("Error: ")
    refused(office.post(UPLOAD, {"encoding": ""}), 415, "Choose the file again")


def test_two_files_in_one_form(office: Visitor) -> None:
    body = of_office(office, ("file", File(ROWS)), ("file", File(BAD_ROWS, "more.csv")))
    refused(send_raw(office, body), 400, "More than one file")
    assert spooled() == 0


@pytest.mark.parametrize("case", ["no token", "wrong token", "foreign page", "no origin"])
def test_a_forged_form_keeps_nothing(office: Visitor, case: str) -> None:
    tokens = {"no token": None, "wrong token": "x" * 32}
    token = tokens.get(case, office.token)
    body = form([*([("csrfmiddlewaretoken", token)] if token else []), ("file", File(ROWS))])
    if case == "no origin":
        answer = office.client.generic("POST", UPLOAD, body, content_type=FORM, secure=True)
    else:
        answer = send_raw(
            office, body, Origin="https://evil.example" if case == "foreign page" else HERE
        )
    assert answer.status_code == 403
    assert read(answer).heading == "The form has expired"
    assert not Draft.objects.exists()
    assert spooled() == 0


@pytest.mark.parametrize("boundary", ["another", BOUNDARY + "x"])
def test_a_form_with_the_wrong_boundary(office: Visitor, boundary: str) -> None:
    body = of_office(office, ("file", File(ROWS * 300)))
    answer = send_raw(office, body, f"multipart/form-data; boundary={boundary}")
    page = refused(answer, 400)
    assert "Ana" not in page.text.replace("Ana Ruiz", "")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_an_interrupted_upload(office: Visitor, share: float) -> None:
    body = of_office(office, ("file", File(ROWS * 5000)))
    refused(
        send_raw(office, body[: int(len(body) * share)], length=len(body)),
        400,
        "The upload was interrupted",
    )
    assert spooled() == 0


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/x-www-form-urlencoded", 415),
        ("text/csv", 415),
        ("multipart/form-data", 400),
        ("", 415),
    ],
)
def test_another_content_type(office: Visitor, content_type: str, status: int) -> None:
    refused(
        send_raw(office, of_office(office, ("file", File(ROWS))), content_type),
        status,
        "Choose the file again",
    )


def test_a_file_in_a_field_of_another_name(office: Visitor) -> None:
    refused(
        send_raw(office, of_office(office, ("upload", File(ROWS)))), 400, "Choose the file again"
    )


def test_a_file_of_unknown_size(office: Visitor) -> None:
    answer = office.client.generic(
        "POST", UPLOAD, secure=True, CONTENT_TYPE=FORM, HTTP_TRANSFER_ENCODING="chunked"
    )
    refused(answer, 411)


def test_an_encoding_that_is_not_offered(office: Visitor) -> None:
    refused(choose(office, encoding="utf-7"), 400)
    assert spooled() == 0


def test_a_file_that_is_too_large_is_refused_before_it_is_read(
    office: Visitor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    monkeypatch.setattr("rollbook.web.pages.base.uploads.read_form", _never)
    refused(
        send_raw(office, b"", length=1000 + 64 * 1024 + 1),
        413,
        "larger than 1,000 bytes",
        "Split it by school",
    )


def test_the_size_is_checked_during_the_upload_too(office: Visitor, settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 100
    refused(choose(office, b"x" * 101), 413, "larger than 100 bytes")
    assert spooled() == 0


Disk = namedtuple("Disk", "total used free")


def test_a_full_disk_is_noticed_before_anything_is_read(
    office: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(1000, 990, 10))
    answer = choose(office)
    refused(answer, 503, "out of disk space", "tell your Rollbook administrator")
    assert answer["Retry-After"] == "60"


def test_if_the_disk_fills_up_nothing_is_kept(
    office: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(incoming: object, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.IncomingFile, "write", full)
    refused(choose(office), 503, "out of disk space")
    monkeypatch.undo()
    monkeypatch.setattr(files.IncomingFile, "persist", full)
    refused(choose(office), 503, "out of disk space")
    assert spooled() == 0


def test_too_many_simultaneous_uploads_are_refused(office: Visitor, settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    largest = 64 * 1024 + 1000
    known = Caller("203.0.113.7", Trust.KNOWN)
    with upload_quota.UPLOAD_QUOTA.reserve(known, 2 * largest, largest):
        answer = choose(office)
    refused(answer, 429, "still being uploaded")


def _never(*args: object, **more: object) -> None:
    raise AssertionError("the body was read")


@pytest.mark.statement("S30")
def test_the_file_is_written_only_to_the_spool(
    office: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for handler in (
        uploadhandler.MemoryFileUploadHandler,
        uploadhandler.TemporaryFileUploadHandler,
    ):
        monkeypatch.setattr(handler, "__init__", _never)
    written: list[int] = []
    write = files.IncomingFile.write

    def watched(incoming: files.IncomingFile, data: bytes) -> None:
        written.append(len(data))
        write(incoming, data)

    monkeypatch.setattr(files.IncomingFile, "write", watched)
    rows = b"".join(b"%06d,5\n" % number for number in range(60_000))
    choose(office, b"STUDENT_ID,GRADE\n" + rows)
    assert Draft.objects.get().file_size == sum(written)
    assert max(written) <= 64 * 1024


# --- 3. Apply


def test_the_file_is_checked_against_the_roster_and_applied(
    office: Visitor, maple: District
) -> None:
    answer = choose(office, ROWS + b"00125,Cy,5\r\n")
    update = UpdateJob.objects.latest("pk")
    finish(update)
    assert column_of(maple, "GRADE") == {"00123": "4", "00124": "4"}
    page = office.read(answer["Location"])
    assert "2 students would change, 1 row can’t be applied." in page.text
    form_ = page.form(f"{answer['Location']}/approve")
    assert form_.buttons[0] == "Change 2"
    page = office.follow(office.post(form_.root.attrib["action"], {**form_.values, "which": "all"}))
    assert page.messages == [f"Update {update.number} approved."]
    assert finish(update).updated == 2
    assert column_of(maple, "GRADE") == {"00123": "5", "00124": "6"}


COMPLETE = (
    b"STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED\n"
    b"00123,Ana,Brook,5/13/2014,f,5,100,n,n\n00900,Cy,Reed,5/13/2014,m,5,100,n,n\n"
)


def test_new_students_are_added_from_a_file_with_all_columns_for_them(office: Visitor) -> None:
    page = checked(office, COMPLETE)
    update = UpdateJob.objects.latest("pk")
    assert update.mode == Mode.ADD
    assert page.form(f"/updates/{update.number}/approve").buttons[0] == "Change 1 and add 1"
    assert (
        "How the file is used: Also add new students. 1 student isn’t in Rollbook yet, and the"
        in (page.text)
    )
    form_ = page.form(f"/updates/{update.number}/again")
    assert form_.buttons == ["Check again without adding students"]
    answer = office.post(form_.root.attrib["action"], form_.values)
    again = UpdateJob.objects.latest("pk")
    finish(again)
    page = office.follow(answer)
    assert (again.mode, page.heading) == (Mode.UPDATE, f"Update {again.number}")
    assert page.form(f"/updates/{again.number}/approve").buttons[0] == "Change 1"
    assert page.form(f"/updates/{again.number}/again").values["mode"] == ["add"]
    page = office.read(f"/updates/{update.number}")
    assert page.links[f"Open update {again.number}"] == f"/updates/{again.number}"


def test_a_file_without_columns_for_new_students_says_so(office: Visitor) -> None:
    page = checked(office, ROWS + b"00900,Cy,5\r\n")
    assert "doesn’t have these columns: Last name, Birth date, Gender" in page.text
    assert f"/updates/{UpdateJob.objects.latest('pk').number}/again" not in page.actions


def test_rejected_rows_are_used_as_their_update_was(office: Visitor, maple: District) -> None:
    source = run(maple, "STUDENT_ID,GRADE\n00123,99\n", mode=Mode.ADD)
    text = f"_LINE_OF_UPDATE_{source.number},STUDENT_ID,GRADE\n2,00123,5\n"
    page = checked(office, text.encode())
    assert UpdateJob.objects.latest("pk").mode == Mode.ADD
    assert f"The file has rows of update {source.number}, which was used in this way." in page.text


def test_a_mode_that_is_not_offered_applies_nothing(office: Visitor, manager: Member) -> None:
    answer = office.post(f"{keep(manager)}/apply", {"mode": "delete"})
    assert "Nothing was applied" in office.follow(answer).messages[0]
    assert not UpdateJob.objects.filter(source=SOURCE_BROWSER).exists()


def test_where_no_mode_is_allowed_nothing_is_checked(office: Visitor, maple: District) -> None:
    District.objects.filter(pk=maple.pk).update(modes={"pages": []})
    page = checked(office)
    assert page.heading == "students.csv"
    assert [action.rpartition("/")[2] for action in page.actions] == ["columns", "discard"]


def test_checking_twice_is_one_update(office: Visitor, manager: Member) -> None:
    address = keep(manager)
    first = office.post(f"{address}/apply", {"mode": "update"})
    for answer in (
        office.post(f"{address}/apply", {"mode": "add"}),
        office.get(address),
        office.post(f"{address}/discard"),
    ):
        assert answer["Location"] == first["Location"]
    assert UpdateJob.objects.filter(source=SOURCE_BROWSER).count() == 1


def test_the_same_file_during_its_check_is_the_same_update(office: Visitor) -> None:
    assert choose(office)["Location"] == choose(office)["Location"]


def test_with_a_full_queue_the_file_is_kept(office: Visitor, maple: District) -> None:
    numbers = [send(maple, f"STUDENT_ID,GRADE\n00123,{grade}").number for grade in range(1, 5)]
    page = office.follow(choose(office))
    assert re.search(
        rf"updates {numbers[0]}, {numbers[1]}, .* already waiting.*We’ve kept students.csv",
        page.messages[0],
    )
    assert "No problems found in 2 rows." in page.text
    assert re.search(r"We keep this file until .*\d:\d\d [AP]M C[SD]T, then delete it\.", page.text)
    form_ = page.form(f"/students/update/drafts/{Draft.objects.get().pk}/apply")
    assert (form_.buttons, form_.values["mode"]) == (["Check against the roster"], ["update"])
    for update in UpdateJob.objects.filter(district=maple, state=State.RECEIVED).order_by("number"):
        finish(update)
    answer = office.post(form_.root.attrib["action"], form_.values)
    assert answer["Location"] == f"/updates/{UpdateJob.objects.latest('pk').number}"


def test_choosing_another_file_deletes_the_first(office: Visitor) -> None:
    page = checked(office, UNUSABLE_ROWS)
    answer = office.post(page.actions[-1])
    assert answer["Location"] == FORMAT
    assert "students.csv deleted" in office.follow(answer).messages[0]
    assert not Draft.objects.exists()
    assert spooled() == 0


def test_a_deleted_file_can_be_chosen_again(
    office: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = choose(office, UNUSABLE_ROWS)["Location"]
    office.post(f"{location}/discard")
    for answer in (
        office.get(location),
        office.post(f"{location}/apply"),
        office.post(f"{location}/discard"),
    ):
        assert answer.status_code == 404
        assert read(answer).links["Choose the file again"] == FORMAT


def test_a_file_is_kept_for_half_a_day(office: Visitor) -> None:
    location = choose(office, UNUSABLE_ROWS)["Location"]
    Draft.objects.update(created_at=timezone.now() - drafts.LIFETIME)
    assert office.get(location).status_code == 404
    assert office.post(f"{location}/apply", {"mode": "update"}).status_code == 404


# --- Permissions


@pytest.mark.parametrize("who", ["school_manager", "instructor"])
def test_without_the_permission_there_is_no_upload(
    who: str, office: Visitor, visitor: SignedIn, request: pytest.FixtureRequest
) -> None:
    location = choose(office, UNUSABLE_ROWS)["Location"]
    lesser = visitor(request.getfixturevalue(who))
    for address in (UPDATE, TEMPLATE, FORMAT, location):
        assert lesser.get(address).status_code == 403
    for address in (f"{location}/apply", f"{location}/discard"):
        assert lesser.post(address).status_code == 403
    assert choose(lesser).status_code == 403
    assert Draft.objects.count() == 1


def test_without_the_permission_an_upload_is_not_read(
    office: Visitor,
    visitor: SignedIn,
    instructor: Member,
    stranger: Visitor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rollbook.web.pages.base.uploads.read_form", _never)
    assert choose(visitor(instructor)).status_code == 403
    assert choose(stranger)["Location"] == "/sign-in?ended=form"


def test_other_members_do_not_find_the_file(
    office: Visitor, maple: District, neighbor: Member, visitor: SignedIn
) -> None:
    location = choose(office, UNUSABLE_ROWS)["Location"]
    colleague = make_member(maple, "two@maple.example")
    for other in (visitor(neighbor), visitor(colleague)):
        assert other.get(location).status_code == 404
        assert other.post(f"{location}/apply", {"mode": "update"}).status_code == 404
        assert other.post(f"{location}/discard").status_code == 404
    assert Draft.objects.count() == 1
    assert not UpdateJob.objects.filter(source=SOURCE_BROWSER).exists()


def test_seeing_a_file_is_in_the_audit_by_its_key(office: Visitor) -> None:
    checked(office, UNUSABLE_ROWS)
    draft = Draft.objects.get()
    events = (
        AuditEvent.objects.filter(action="draft").order_by("pk").values_list("result", "detail")
    )
    assert list(events) == [("kept", f"draft {draft.pk}"), ("seen", f"draft {draft.pk}")]


def test_full_sync_is_offered_only_where_it_is_turned_on(
    office: Visitor, maple: District, manager: Member
) -> None:
    address = keep(manager)
    assert "Full sync" not in office.read(address).text
    answer = office.post(f"{address}/apply", {"mode": "sync"})
    assert "Nothing was applied" in office.follow(answer).messages[0]
    maple.modes = modes.as_stored({Channel.PAGES: MODES})
    maple.save()
    assert "Full sync" in office.read(address).text
    page = checked(office)
    update = UpdateJob.objects.latest("pk")
    assert update.mode == Mode.UPDATE
    form_ = page.form(f"/updates/{update.number}/again")
    assert form_.buttons == ["Check again as a full sync"]
    office.post(form_.root.attrib["action"], form_.values)
    assert UpdateJob.objects.latest("pk").mode == Mode.SYNC
