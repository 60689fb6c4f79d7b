"""Faults of several workers on one PostgreSQL: F01, F05–F08, F10, F11, F14–F16, F19, F21, F22."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rollbook.exit_codes import NEWER_DATABASE
from tests.faults.cluster import Cluster, running_cluster, until
from tests.faults.cutting import cutting_proxy
from tests.faults.folder import base, eventful_night
from tests.patience import TIMEOUT_S

pytestmark = pytest.mark.only_on("postgresql")

DISTRICTS = 2


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two districts, each with its base and its eventful night to do."""
    with running_cluster(tmp_path_factory.mktemp("prepared"), DISTRICTS) as prepared:
        prepared.send_everywhere(base=base(), night=eventful_night())
        yield prepared


@pytest.fixture(scope="module")
def undisturbed(prepared: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What is left behind when nothing happens."""
    with prepared.copied(tmp_path_factory.mktemp("undisturbed") / "data").at_the_end() as quiet:
        quiet.start(step="0")
        quiet.until_all_have_ended()
        return quiet.dump()


@pytest.fixture
def cluster(prepared: Cluster, tmp_path: Path) -> Iterator[Cluster]:
    with prepared.copied(tmp_path / "data").at_the_end() as cluster:
        yield cluster


def everything_is_as_if_nothing_had_happened(
    cluster: Cluster, undisturbed: Any, spare_mails: int = 0
) -> None:
    cluster.until_all_have_ended()
    assert cluster.dump() == undisturbed
    mails = cluster.mails()
    assert len(mails) == 2 * DISTRICTS
    assert mails.total() <= 2 * DISTRICTS + spare_mails
    cluster.until_running_jobs_have_ended()


def at_work(cluster: Cluster) -> bool:
    return bool(
        cluster.ask(
            "SELECT 1 FROM updates_updatejob "
            "WHERE state = 'applying' AND rows_updated + rows_added > 0"
        )
    )


def taken_up(cluster: Cluster) -> int:
    """How often a job was taken from a worker that gave no sign of life."""
    return cluster.log.read_text().count("is reclaimed from a worker without heartbeat")


def test_f01_another_worker_takes_up_what_a_killed_one_held(
    cluster: Cluster, undisturbed: Any
) -> None:
    killed = cluster.start(how="worker")  # with the times of the real one
    until(lambda: at_work(cluster))
    killed.kill()
    cluster.start(how="worker", step="0")
    until(lambda: taken_up(cluster) > 0)
    everything_is_as_if_nothing_had_happened(cluster, undisturbed)


def test_f05_a_worker_that_is_told_to_stop_hands_over_at_once(
    cluster: Cluster, undisturbed: Any
) -> None:
    first = cluster.start(how="worker")
    until(lambda: at_work(cluster))
    cluster.start(how="worker")
    first.terminate()
    assert first.wait(TIMEOUT_S) == 0
    everything_is_as_if_nothing_had_happened(cluster, undisturbed)
    assert taken_up(cluster) == 0


def test_f06_a_second_signal_stops_it_at_once(cluster: Cluster, undisturbed: Any) -> None:
    first = cluster.start(step="600")
    until(lambda: cluster.states()["checking"] > 0)
    first.terminate()
    time.sleep(0.5)
    first.send_signal(signal.SIGINT)
    assert first.wait(TIMEOUT_S) < 0  # long before the end of its step
    cluster.start(step="0")
    everything_is_as_if_nothing_had_happened(cluster, undisturbed)


def test_f07_a_worker_that_wakes_after_it_was_thought_dead_changes_nothing(
    cluster: Cluster, undisturbed: Any
) -> None:
    zombie = cluster.start(step="0.2")
    until(lambda: at_work(cluster))
    zombie.send_signal(signal.SIGSTOP)
    cluster.start(step="0.2")
    until(lambda: taken_up(cluster) > 0)
    zombie.send_signal(signal.SIGCONT)
    everything_is_as_if_nothing_had_happened(cluster, undisturbed, spare_mails=1)
    assert zombie.poll() is None


def test_f07_nor_does_one_that_was_stopped_in_the_middle_of_a_step(
    cluster: Cluster, undisturbed: Any
) -> None:
    cluster.ask(
        "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$"
    )
    cluster.ask(
        "CREATE TRIGGER slowly BEFORE INSERT ON students_change "
        "FOR STATEMENT EXECUTE FUNCTION slowly()"
    )
    zombie = cluster.start(step="0")
    until(lambda: bool(cluster.ask("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")))
    zombie.send_signal(signal.SIGSTOP)
    cluster.start(step="0")
    until(lambda: taken_up(cluster) > 0)
    cluster.ask("DROP TRIGGER slowly ON students_change")
    everything_is_as_if_nothing_had_happened(cluster, undisturbed, spare_mails=1)
    zombie.send_signal(signal.SIGCONT)
    time.sleep(2)
    everything_is_as_if_nothing_had_happened(cluster, undisturbed, spare_mails=1)


def test_f08_of_eight_workers_that_start_at_once_each_update_has_one(
    cluster: Cluster, undisturbed: Any
) -> None:
    for _ in range(8):
        cluster.start(step="0.02")
    everything_is_as_if_nothing_had_happened(cluster, undisturbed)
    assert taken_up(cluster) == 0
    assert "ERROR" not in cluster.log.read_text()


def has_ended(cluster: Cluster, worker: Any) -> bool:
    return worker.poll() is not None or cluster.states()["failed"] > 0


def test_f10_a_row_that_kills_its_worker_ends_its_update_and_no_other(
    cluster: Cluster, undisturbed: Any
) -> None:
    while cluster.states()["failed"] == 0:
        assert len(cluster.workers) < 6
        latest = cluster.start(how="deadly", step="0")
        until(partial(has_ended, cluster, latest))
    until(lambda: cluster.states() == {"failed": 1, "completed": 3})
    dump = cluster.dump()
    assert dump["district-0"]["updates"][0]["state"] == "failed"
    assert dump["district-1"] == undisturbed["district-1"]


def test_f11_a_worker_that_hangs_ends_itself(cluster: Cluster, undisturbed: Any) -> None:
    hanging = cluster.start(how="hanging", step="0")
    assert hanging.wait(TIMEOUT_S) == 1
    cluster.start(step="0")
    everything_is_as_if_nothing_had_happened(cluster, undisturbed)


def test_f14_a_session_that_is_killed_takes_all_others_with_it_and_the_work_goes_on(
    cluster: Cluster, undisturbed: Any
) -> None:
    cluster.start()
    cluster.start()
    until(lambda: at_work(cluster))
    ((pid,), *_) = cluster.ask(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'rollbook' LIMIT 1"
    )
    os.kill(pid, signal.SIGKILL)
    everything_is_as_if_nothing_had_happened(cluster, undisturbed, spare_mails=2)


def test_f15_after_the_database_was_away_the_work_goes_on_by_itself(
    cluster: Cluster, undisturbed: Any
) -> None:
    worker = cluster.start()
    until(lambda: at_work(cluster))
    cluster.server.stop("immediate")
    time.sleep(3)
    cluster.server.start()
    everything_is_as_if_nothing_had_happened(cluster, undisturbed, spare_mails=1)
    assert worker.poll() is None


def test_f16_sessions_that_are_ended_are_opened_again(cluster: Cluster, undisturbed: Any) -> None:
    worker = cluster.start()
    until(lambda: at_work(cluster))
    for _ in range(5):
        cluster.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = %s",
            cluster.database,
        )
        time.sleep(1)
    everything_is_as_if_nothing_had_happened(cluster, undisturbed, spare_mails=5)
    assert worker.poll() is None


def test_f19_whoever_holds_the_students_for_long_holds_up_their_update_and_no_more(
    cluster: Cluster, undisturbed: Any
) -> None:
    cluster.start("--concurrency", "2", how="hasty")
    until(
        lambda: (
            cluster.ask("SELECT count(*) FROM updates_updatejob WHERE state = 'completed'")
            == [(DISTRICTS,)]
        ),
    )
    with psycopg.connect(cluster.server.url(cluster.database)) as holder:
        holder.execute("SELECT 1 FROM students_student ORDER BY id DESC FOR UPDATE")
        until(lambda: "must wait" in cluster.log.read_text())
        holder.rollback()
    everything_is_as_if_nothing_had_happened(cluster, undisturbed)


def test_f21_a_commit_whose_answer_is_lost_is_not_done_again(
    cluster: Cluster, undisturbed: Any
) -> None:
    with cutting_proxy(cluster.server.port, every=25) as proxy:
        cluster.port = proxy.port
        cluster.start(step="0.01")
        cluster.start(step="0.01")
        everything_is_as_if_nothing_had_happened(cluster, undisturbed, spare_mails=10)
        assert proxy.cuts > 3


def test_f22_a_worker_that_finds_a_newer_database_stops_kindly(
    cluster: Cluster, undisturbed: Any
) -> None:
    old = cluster.start()
    until(lambda: at_work(cluster))
    cluster.ask(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('updates', '9999_newer', now())"
    )
    assert old.wait(TIMEOUT_S) == NEWER_DATABASE
    log = cluster.log.read_text()
    assert (
        "ERROR newer_database: a newer version of Rollbook has changed the database "
        "(updates.9999_newer); " in log
    )
    assert cluster.jobs("doing") == []
    cluster.ask("DELETE FROM django_migrations WHERE name = '9999_newer'")
    assert cluster.ask("SELECT max(attempts_without_progress) FROM updates_updatejob") == [(0,)]
    cluster.start(step="0")
    everything_is_as_if_nothing_had_happened(cluster, undisturbed)
