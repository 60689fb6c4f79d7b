"""Test the downloads of an update: they are saved, never shown, and contain no password."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.conf import settings

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District
from rollbook.updates import runner
from rollbook.updates.cancel import cancel
from rollbook.updates.models import FileChunk, UpdateJob
from tests.updates.night import a_class, enroll, finish, run, send
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read

pytestmark = pytest.mark.django_db

THEN = datetime(2026, 11, 1, 12, tzinfo=UTC)
NIGHT = "STUDENT_ID,GRADE,PASSWORD\ns000,9,topsecret1\ns001,99,topsecret2\n"


@pytest.fixture
def browser(maple: District, manager: Member, visitor: SignedIn) -> Visitor:
    """The browser of a manager; update 2 has changed one student and rejected one row."""
    enroll(maple, a_class(4, GRADE="4"))
    finish(send(maple, NIGHT))
    return visitor(manager)


def download(browser: Visitor, address: str) -> list[dict[str, str]]:
    answer = browser.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    name = address.removeprefix("/updates/").replace("/", "-")
    assert answer["Content-Disposition"] == f'attachment; filename="update-{name}"'
    assert "no-store" in answer["Cache-Control"]
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "topsecret" not in text
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.statement("S30")
def test_rejected_rows_have_their_problems(browser: Visitor) -> None:
    [row] = download(browser, "/updates/2/rejected.csv")
    assert (row["STUDENT_ID"], row["GRADE"], row["_LINE_OF_UPDATE_2"], row["_CODE"]) == (
        "s001",
        "99",
        "3",
        "bad_value",
    )
    assert (
        AuditEvent.objects.filter(
            action="rejected rows", result="downloaded", detail="update 2, 1 row"
        ).count()
        == 1
    )


def test_changes_have_old_and_new_values(browser: Visitor) -> None:
    rows = download(browser, "/updates/2/changes.csv")
    assert [(row["FIELD"], row["OLD"], row["NEW"]) for row in rows] == [
        ("PASSWORD", "", "changed"),
        ("GRADE", "4", "9"),
    ]


def test_unprocessed_rows_can_be_uploaded_again(maple: District, browser: Visitor) -> None:
    send(maple, a_class(4, GRADE="10"))
    cancel(maple, 3)
    assert len(download(browser, "/updates/3/not-processed.csv")) == 4


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_every_file_has_one_byte_order_mark_for_excel(
    maple: District, browser: Visitor, encoding: str
) -> None:
    District.objects.filter(pk=maple.pk).update(encoding=encoding)
    for name in ("rejected", "changes", "not-processed"):
        body = b"".join(browser.get(f"/updates/2/{name}.csv").streaming_content)
        assert body.count("\ufeff".encode()) == 1
        assert body.startswith("\ufeff".encode())


def test_many_lines_are_sent_in_pieces(maple: District, browser: Visitor) -> None:
    run(maple, a_class(250, STUDENT_ID="x{0:03}", USERNAME="x{0:03}"))
    pieces = list(browser.get("/updates/3/rejected.csv").streaming_content)
    assert [piece.count(b"\r\n") for piece in pieces] == [100, 100, 51]


@pytest.mark.parametrize(
    ("fields", "gone", "kept"),
    [
        ({"file_removed_at": THEN}, ("rejected", "not-processed"), ("changes",)),
        (
            {"file_removed_at": THEN, "details_hidden_at": THEN},
            ("rejected", "not-processed", "changes"),
            (),
        ),
    ],
)
def test_data_removed_by_retention_is_explained(
    browser: Visitor, fields: dict[str, datetime], gone: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    UpdateJob.objects.filter(number=2).update(**fields)
    what = "The rows and problems of update 2" if len(fields) == 2 else "The file of update 2"
    for name in gone:
        answer = browser.get(f"/updates/2/{name}.csv")
        assert answer.status_code == 410
        page = read(answer)
        assert page.heading == "No longer available"
        assert what in page.text
        assert "are still in the history of each student" in page.text
    for name in kept:
        assert browser.get(f"/updates/2/{name}.csv").status_code == 200
    assert AuditEvent.objects.filter(result="removed").count() == len(gone)


def test_there_are_no_downloads_before_the_end(maple: District, browser: Visitor) -> None:
    update = send(maple, a_class(4, GRADE="10"))
    next(runner.run_steps(update.pk))
    answer = browser.get("/updates/3/rejected.csv")
    assert answer.status_code == 409
    assert "Update 3 is still running." in read(answer).text


def test_a_missing_file_is_reported(browser: Visitor) -> None:
    for path in settings.SPOOL.iterdir():
        path.unlink()
    FileChunk.objects.all().delete()
    answer = browser.get("/updates/2/rejected.csv")
    assert answer.status_code == 410
    assert "is no longer stored" in read(answer).text


def test_a_head_request_gets_no_rows(browser: Visitor) -> None:
    answer = browser.client.head("/updates/2/changes.csv", secure=True)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b""  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["rejected", "changes", "not-processed"])
def test_another_district_cannot_download(
    name: str, browser: Visitor, neighbor: Member, visitor: SignedIn
) -> None:
    assert visitor(neighbor).get(f"/updates/2/{name}.csv").status_code == 404
    assert AuditEvent.objects.filter(result="not found", member=neighbor).count() == 1
