"""The metrics of updates, emails, the worker and the disk, on both databases."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from rollbook.accounts.models import AccountMail, Installation, Member
from rollbook.districts.models import District
from rollbook.operations.backup.last import record_backup
from rollbook.operations.monitoring import measurements, metrics, readiness
from rollbook.operations.monitoring.metrics import METRICS
from rollbook.updates import runner
from rollbook.updates.engine import WorkerStatus
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.state_machine import State
from tests.updates.night import a_class, send

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 8, 30, 30, tzinfo=UTC)
Values = dict[tuple[str, ...], float]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = WorkerStatus(alive=True, at=NOW - timedelta(seconds=4))
    monkeypatch.setattr(measurements, "worker_status", lambda: seen)


def measured() -> Values:
    """Return the values of all samples, by name and the values of the labels."""
    metrics.clear()
    text = generate_latest(metrics.current()).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def an_update(district: District, state: State, minutes: float = 60.0, **columns: object) -> None:
    """Receive and put into this state an update, so many minutes ago."""
    update = send(district, a_class(3 + UpdateJob.objects.count()))
    at = NOW - timedelta(minutes=minutes)
    values: dict[str, object] = {"received_at": at, "rows": 100, **columns}
    if state is not State.RECEIVED:
        values["started_at"] = values.get("started_at", at)
    path = {
        State.RECEIVED: (),
        State.CHECKING: (State.CHECKING,),
        State.APPLYING: (State.CHECKING, State.APPLYING),
        State.COMPLETED: (State.CHECKING, State.APPLYING),
        State.FAILED: (State.CHECKING,),
        State.CANCELED: (),
        State.REFUSED: (),
    }[state]
    rows = UpdateJob.objects.filter(pk=update.pk)
    for step in path:
        rows.update(state=step)
    if state not in {State.RECEIVED, State.CHECKING, State.APPLYING}:
        values |= {"state": state, "ended_at": at + timedelta(minutes=1)}
    rows.update(**values)


def test_an_empty_installation_has_zeros() -> None:
    values = measured()
    assert values["rollbook_updates", "received"] == 0
    assert values["rollbook_updates_ended_total", "failed"] == 0
    assert values["rollbook_rows_total", "rejected"] == 0
    assert values["rollbook_updates_oldest_waiting_seconds",] == 0
    assert values["rollbook_mail_queued", "result"] == 0
    assert not [name for name in values if name[0].startswith("rollbook_district_")]


def test_updates_and_rows_are_counted_by_state_and_outcome(
    maple: District, cedar: District
) -> None:
    an_update(maple, State.COMPLETED, rows_updated=10, rows_added=5, rows_unchanged=85)
    an_update(maple, State.COMPLETED, 50, rows_updated=1, rows_unchanged=98, rows_rejected=1)
    an_update(maple, State.FAILED, 40, rows_updated=7)
    an_update(maple, State.APPLYING, 30, rows_updated=50, progressed_at=NOW - timedelta(seconds=9))
    an_update(maple, State.RECEIVED, 20)
    an_update(cedar, State.RECEIVED, 10)
    values = measured()
    expected: Values = {
        ("rollbook_updates", "received"): 2,
        ("rollbook_updates", "checking"): 0,
        ("rollbook_updates", "applying"): 1,
        ("rollbook_updates_ended_total", "completed"): 2,
        ("rollbook_updates_ended_total", "failed"): 1,
        ("rollbook_updates_ended_total", "canceled"): 0,
        ("rollbook_rows_total", "updated"): 18,
        ("rollbook_rows_total", "added"): 5,
        ("rollbook_rows_total", "unchanged"): 183,
        ("rollbook_rows_total", "rejected"): 1,
        ("rollbook_update_seconds_total",): 180,
        ("rollbook_updates_oldest_waiting_seconds",): 20 * 60,
        ("rollbook_updates_no_progress_seconds",): 9,
    }
    assert expected.items() <= values.items()


def test_an_update_is_counted_after_the_minute_in_which_it_ended(maple: District) -> None:
    """So all web servers return the same counters, and none ever returns a smaller one."""
    an_update(maple, State.COMPLETED, minutes=1.4)  # ended 24 s ago, within this minute
    assert measured()["rollbook_updates_ended_total", "completed"] == 0
    an_update(maple, State.COMPLETED, minutes=1.6)  # ended 36 s ago
    assert measured()["rollbook_updates_ended_total", "completed"] == 1


def test_the_last_good_update_of_a_district_is_labeled_with_a_hash(
    maple: District, cedar: District, settings: Settings
) -> None:
    name = "rollbook_district_last_good_update_timestamp_seconds"
    an_update(maple, State.COMPLETED, 300)
    an_update(maple, State.COMPLETED, 200, rows_unchanged=99, rows_rejected=1)
    an_update(maple, State.COMPLETED, 100, rows_rejected=100)
    an_update(maple, State.FAILED, 90)
    an_update(cedar, State.REFUSED, 80)
    at = (NOW - timedelta(minutes=199)).timestamp()
    [(label, value)] = [(key[1], value) for key, value in measured().items() if key[0] == name]
    assert re.fullmatch("[0-9a-f]{12}", label)
    assert value == at
    Installation.objects.update(key="another")
    assert (name, label) not in measured()
    settings.METRICS_DISTRICT_NAMES = True
    assert measured()[name, "maple-usd"] == at


def test_the_outbox(manager: Member, maple: District) -> None:
    an_update(maple, State.RECEIVED)
    update = UpdateJob.objects.get()
    account = {"member": manager, "kind": "invitation"}
    waiting = {"queued_at": NOW - timedelta(minutes=5), "next_attempt_at": NOW}
    AccountMail.objects.create(**account, **waiting)
    AccountMail.objects.create(**account, queued_at=NOW, next_attempt_at=NOW, attempts=3)
    AccountMail.objects.create(**account, queued_at=NOW, sent_at=NOW)
    given_up = {"attempts": 9, "last_error": "SMTPDataError 550"}
    for days in (1, 8):
        AccountMail.objects.create(**account, queued_at=NOW - timedelta(days=days), **given_up)
    AccountMail.objects.create(**account, queued_at=NOW)  # obsolete
    AccountMail.objects.create(**account, queued_at=NOW, attempts=1, last_error="MailObsolete")
    ResultMail.objects.create(update=update, member=manager, **waiting)
    expected: Values = {
        ("rollbook_mail_queued", "account"): 2,
        ("rollbook_mail_queued", "result"): 1,
        ("rollbook_mail_retried", "account"): 1,
        ("rollbook_mail_retried", "result"): 0,
        ("rollbook_mail_oldest_queued_seconds", "account"): 300,
        ("rollbook_mail_failed", "account"): 1,
        ("rollbook_mail_failed", "result"): 0,
    }
    assert expected.items() <= measured().items()


def test_the_worker_and_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    values = measured()
    assert values["rollbook_worker_alive",] == 1
    assert values["rollbook_worker_heartbeat_age_seconds",] == 4
    free, total = (values[f"rollbook_disk_{size}_bytes", "data"] for size in ("free", "total"))
    assert 0 < free < total
    monkeypatch.setattr(measurements, "worker_status", lambda: WorkerStatus(alive=False, at=None))
    values = measured()
    assert values["rollbook_worker_alive",] == 0
    assert ("rollbook_worker_heartbeat_age_seconds",) not in values


def with_backup(at: datetime) -> None:
    Installation.objects.update_or_create(pk=1, defaults={"key": "k" * 32})
    record_backup(at, 4_000)


def test_the_last_backup_and_held_emails() -> None:
    values = measured()
    assert values["rollbook_mail_held",] == 0
    assert ("rollbook_last_backup_timestamp_seconds",) not in values
    with_backup(NOW - timedelta(hours=3))
    Installation.objects.update(mail_held_since=NOW)
    expected: Values = {
        ("rollbook_mail_held",): 1,
        ("rollbook_last_backup_timestamp_seconds",): (NOW - timedelta(hours=3)).timestamp(),
        ("rollbook_last_backup_bytes",): 4_000,
    }
    assert expected.items() <= measured().items()


def test_without_the_database_the_rest_is_still_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", fail)
        readiness.clear()
        values = measured()
    assert values["rollbook_check_ok", "database"] == 0
    assert values["rollbook_check_ok", "spool"] == 1
    assert values["rollbook_disk_free_bytes", "data"] > 0
    assert ("rollbook_updates", "received") not in values
    monkeypatch.setattr(measurements, "worker_status", fail)
    readiness.clear()
    assert ("rollbook_updates", "received") not in measured()


def test_the_number_of_queries_does_not_depend_on_the_number_of_districts(
    maple: District,
) -> None:
    an_update(maple, State.COMPLETED)
    measured()
    readiness._codes.clear()
    with CaptureQueriesContext(connection) as of_one:
        measured()
    template = UpdateJob.objects.get()
    districts = [
        District(name=f"District {number}", slug=f"d-{number}", time_zone="UTC")
        for number in range(1000)
    ]
    District.objects.bulk_create(districts)
    _copy_for(template, districts)
    readiness._codes.clear()
    with CaptureQueriesContext(connection) as of_many:
        values = measured()
    assert len(of_many) == len(of_one) < 24
    assert len([name for name in values if name[0].startswith("rollbook_district_")]) == 1001


def _copy_for(template: UpdateJob, districts: list[District]) -> None:
    """Give each district an update like this one; a new update can only be received."""
    fields = UpdateJob._meta.concrete_fields
    columns = [str(field.column) for field in fields if not field.primary_key]
    other = {"district_id": "d.id", "state": "'received'", "ended_at": "NULL"}
    values = ", ".join(other.get(column, f"u.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO updates_updatejob ({', '.join(columns)}) SELECT {values} "
            "FROM updates_updatejob u, districts_district d WHERE d.id <> u.district_id"
        )
    others = UpdateJob.objects.exclude(pk=template.pk)
    others.update(state=State.CHECKING)
    others.update(state=State.APPLYING)
    others.update(state=State.COMPLETED, ended_at=template.ended_at)


def test_values_are_measured_at_most_every_few_seconds() -> None:
    metrics.current()
    with CaptureQueriesContext(connection) as queries:
        for _ in range(50):
            metrics.current()
    assert len(queries) == 0


def test_every_metric_is_exported_and_follows_the_naming_rules(
    maple: District, settings: Settings, tmp_path: Path
) -> None:
    an_update(maple, State.COMPLETED)
    with_backup(NOW)
    exported = {name[0] for name in measured()}
    assert exported == {metric.name for metric in METRICS}
    for metric in METRICS:
        assert re.fullmatch(r"rollbook_[a-z_]+", metric.name)
        assert metric.help[-1] != "."
        assert (metric.kind == "counter") == metric.name.endswith("_total")


def test_a_real_update_is_measured(maple: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    update = send(maple, a_class(3))
    for _ in runner.run_steps(update.pk):
        pass
    later = datetime.now(UTC) + timedelta(minutes=2)
    monkeypatch.setattr(timezone, "now", lambda: later)
    values = measured()
    assert values["rollbook_updates_ended_total", "completed"] == 1
    assert values["rollbook_rows_total", "rejected"] == 3
    assert 0 < values["rollbook_update_seconds_total",] < 60


def _counters(exported: bytes) -> list[str]:
    return re.findall(r"^rollbook_\w+_total\b.*$", exported.decode(), re.MULTILINE)


def test_counters_are_the_same_from_a_process_that_has_just_started(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that runs for hours counts all updates once an hour, and adds those that end."""
    for minutes in (600, 90, 32, 20, 5):
        an_update(maple, State.COMPLETED, minutes, rows_updated=1)
    seen = []
    for later in (0, 1, 28, 30, 60, 120):
        at = NOW + timedelta(minutes=later)
        monkeypatch.setattr(timezone, "now", lambda at=at: at)
        metrics._snapshot.clear()
        running = _counters(generate_latest(metrics.current()))
        metrics.clear()
        assert _counters(generate_latest(metrics.current())) == running
        seen.append(measured()["rollbook_update_seconds_total",])
        an_update(maple, State.COMPLETED, -later, rows_updated=1)
    assert seen == [300, 300, 420, 480, 540, 600]
