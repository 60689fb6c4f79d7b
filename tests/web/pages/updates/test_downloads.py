"""What is taken home of an update: files that are saved, never shown, and hold no password."""

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
    """Of a district whose update 2 changed one student and rejected a row."""
    enroll(maple, a_class(4, GRADE="4"))
    finish(send(maple, NIGHT))
    return visitor(manager)


def taken(browser: Visitor, address: str) -> list[dict[str, str]]:
    answer = browser.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    name = address.removeprefix("/updates/").replace("/", "-")
    assert answer["Content-Disposition"] == f'attachment; filename="update-{name}"'
    assert "no-store" in answer["Cache-Control"]
    text = b"".join(answer.streaming_content).decode()
    assert "topsecret" not in text
    return list(csv.DictReader(io.StringIO(text)))


def test_rejected_rows_come_with_what_is_wrong(browser: Visitor) -> None:
    [row] = taken(browser, "/updates/2/rejected.csv")
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


def test_changes_tell_old_and_new(browser: Visitor) -> None:
    rows = taken(browser, "/updates/2/changes.csv")
    assert [(row["FIELD"], row["OLD"], row["NEW"]) for row in rows] == [
        ("PASSWORD", "", "changed"),
        ("GRADE", "4", "9"),
    ]


def test_rows_that_were_not_processed_can_be_sent_as_they_are(
    maple: District, browser: Visitor
) -> None:
    send(maple, a_class(4, GRADE="10"))
    cancel(maple, 3)
    assert len(taken(browser, "/updates/3/not-processed.csv")) == 4


def test_a_file_says_how_it_is_written_where_the_districts_are_written_otherwise(
    maple: District, browser: Visitor
) -> None:
    District.objects.filter(pk=maple.pk).update(encoding="cp1252")
    for name, marked in (("rejected", True), ("changes", False)):
        body = b"".join(browser.get(f"/updates/2/{name}.csv").streaming_content)
        assert body.startswith("\ufeff".encode()) is marked


def test_many_lines_go_out_in_pieces(maple: District, browser: Visitor) -> None:
    run(maple, a_class(250, STUDENT_ID="x{0:03}", USERNAME="x{0:03}"))
    pieces = list(browser.get("/updates/3/rejected.csv").streaming_content)
    assert [piece.count(b"\r\n") for piece in pieces] == [100, 100, 51]


@pytest.mark.parametrize(
    ("facts", "gone", "kept"),
    [
        ({"file_removed_at": THEN}, ("rejected", "not-processed"), ("changes",)),
        (
            {"file_removed_at": THEN, "details_hidden_at": THEN},
            ("rejected", "not-processed", "changes"),
            (),
        ),
    ],
)
def test_what_retention_has_removed_is_said_kindly(
    browser: Visitor, facts: dict[str, datetime], gone: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    UpdateJob.objects.filter(number=2).update(**facts)
    what = (
        "The rows and problems of update 2 were" if len(facts) == 2 else "The file of update 2 was"
    )
    for name in gone:
        answer = browser.get(f"/updates/2/{name}.csv")
        assert answer.status_code == 410
        page = read(answer)
        assert page.heading == "Not kept any more"
        assert f"{what} removed on 2026-11-01, as the settings of Maple USD have it." in page.text
        assert "stays in the history of each student" in page.text
    for name in kept:
        assert browser.get(f"/updates/2/{name}.csv").status_code == 200
    assert AuditEvent.objects.filter(result="removed").count() == len(gone)


def test_of_a_running_one_nothing_can_be_had_yet(maple: District, browser: Visitor) -> None:
    update = send(maple, a_class(4, GRADE="10"))
    next(runner.run_steps(update.pk))
    answer = browser.get("/updates/3/rejected.csv")
    assert answer.status_code == 409
    assert "Update 3 is still running." in read(answer).text


def test_a_file_that_is_gone_is_said_to_be_gone(browser: Visitor) -> None:
    for path in settings.SPOOL.iterdir():
        path.unlink()
    FileChunk.objects.all().delete()
    answer = browser.get("/updates/2/rejected.csv")
    assert answer.status_code == 410
    assert "is not kept any more" in read(answer).text


def test_to_ask_only_for_the_head_brings_no_rows(browser: Visitor) -> None:
    answer = browser.client.head("/updates/2/changes.csv", secure=True)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b""  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["rejected", "changes", "not-processed"])
def test_the_neighbours_cannot_be_had(
    name: str, browser: Visitor, neighbour: Member, visitor: SignedIn
) -> None:
    assert visitor(neighbour).get(f"/updates/2/{name}.csv").status_code == 404
    assert AuditEvent.objects.filter(result="not found", member=neighbour).count() == 1
