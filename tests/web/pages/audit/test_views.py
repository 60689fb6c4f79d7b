"""/audit: who did and viewed what."""

import csv
import io
from datetime import timedelta

import pytest

from rollbook.accounts.audit import log
from rollbook.accounts.models import AuditEvent, Member
from tests.accounts.browser import NOW, Clock
from tests.web.pages.conftest import SignedIn, Visitor


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """Return the browser of the district manager."""
    return visitor(manager)


@pytest.fixture
def sample_events(manager: Member, neighbor: Member, browser: Visitor) -> None:
    AuditEvent.objects.all().delete()
    log.record(
        "student",
        "seen",
        member=manager,
        address="203.0.113.9",
        detail="student with key 5",
        now=NOW,
    )
    log.record("start", "ok", member=manager, detail="=update 7", now=NOW + timedelta(days=1))
    log.record("district set", "done", district=manager.district, now=NOW + timedelta(days=2))
    log.record("student", "seen", member=neighbor, detail="student of Cedar", now=NOW)


def test_events_are_listed_latest_first_without_those_of_the_neighbor(
    clock: Clock, browser: Visitor, sample_events: None
) -> None:
    page = browser.read("/audit")
    assert [row[1:] for row in page.rows] == [
        ["Rollbook administrator or unknown", "district set", "done", "", "the server itself"],
        ["ops@maple.example", "start", "ok", "=update 7", "the server itself"],
        ["ops@maple.example", "student", "seen", "student with key 5", "203.0.113.9"],
    ]
    assert "Cedar" not in page.text


@pytest.mark.statement("S45")
def test_viewing_the_audit_is_recorded(browser: Visitor, sample_events: None) -> None:
    browser.read("/audit", {"action": "student"})
    event = AuditEvent.objects.get(action="audit")
    assert (event.result, event.detail) == ("seen", "page 1, filtered by action")


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ({"action": "STUD"}, ["student"]),
        ({"since": "2026-11-24"}, ["district set", "start"]),
        ({"until": "2026-11-23"}, ["student"]),
        ({"since": "2026-11-24", "until": "2026-11-24"}, ["start"]),
        ({"since": "tomorrow"}, []),
        ({"who": "99999"}, []),
    ],
)
def test_filters_select_the_matching_events(
    browser: Visitor, sample_events: None, query: dict[str, str], actions: list[str]
) -> None:
    assert [row[2] for row in browser.read("/audit", query).rows] == actions


def test_events_can_be_filtered_by_member_but_not_by_a_neighbor(
    browser: Visitor, sample_events: None, manager: Member, neighbor: Member
) -> None:
    rows = browser.read("/audit", {"who": str(manager.pk)}).rows
    assert {"start", "student"} <= {row[2] for row in rows}
    assert "district set" not in {row[2] for row in rows}
    assert browser.read("/audit", {"who": str(neighbor.pk)}).rows == []


@pytest.mark.statement("S31")
def test_the_csv_download_guards_formulas(browser: Visitor, sample_events: None) -> None:
    response = browser.get("/audit.csv", {"action": "s", "until": "2026-11-25"})
    assert response["Content-Disposition"] == 'attachment; filename="audit-maple-usd.csv"'
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["MEMBER"], row["ACTION"], row["DETAIL"]) for row in rows] == [
        ("", "district set", ""),
        ("ops@maple.example", "start", "'=update 7"),
        ("ops@maple.example", "student", "student with key 5"),
    ]
    assert rows[2]["AT"] == NOW.isoformat(timespec="milliseconds")
    assert AuditEvent.objects.filter(action="audit", result="downloaded").count() == 1


def test_the_audit_requires_its_permission(visitor: SignedIn, school_manager: Member) -> None:
    browser = visitor(school_manager)
    assert browser.get("/audit").status_code == 403
    assert browser.get("/audit.csv").status_code == 403
    assert "Audit log" not in browser.read("/").navigation
