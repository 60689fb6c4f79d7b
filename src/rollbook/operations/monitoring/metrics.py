"""The metrics that ``/metrics`` exports, in one table, and their values at a moment."""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import Error
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rollbook.operations.monitoring import measurements, readiness
from rollbook.operations.monitoring.cached import Cached
from rollbook.operations.monitoring.sample import Sample

log = logging.getLogger(__name__)

MAX_AGE_S = 5.0


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """A metric.

    Attributes:
        name: Its name. Only those of counters end in ``_total``.
        help: What it is, without a period.
        labels: The names of its labels.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Its Prometheus type."""
        return "counter" if self.name.endswith("_total") else "gauge"

    def family(self) -> CounterMetricFamily | GaugeMetricFamily:
        """Return it as a family without samples."""
        family = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        return family(self.name, self.help, labels=self.labels)


METRICS = (
    MetricDefinition("rollbook_build_info", "Always 1", ("version", "commit")),
    MetricDefinition(
        "rollbook_check_ok",
        "1 if this check of `/readyz` succeeds, otherwise 0",
        ("check",),
    ),
    MetricDefinition("rollbook_updates", "Updates that have not ended", ("state",)),
    MetricDefinition(
        "rollbook_updates_oldest_waiting_seconds",
        "How long the oldest update has been waiting; 0 if none is",
    ),
    MetricDefinition(
        "rollbook_updates_no_progress_seconds",
        "How long an update in progress has committed no step, at most; 0 if none is in progress",
    ),
    MetricDefinition(
        "rollbook_updates_ended_total", "Updates that have ended, by how they ended", ("state",)
    ),
    MetricDefinition(
        "rollbook_rows_total", "Rows of updates that have ended, by their outcome", ("outcome",)
    ),
    MetricDefinition(
        "rollbook_update_seconds_total", "Time from the start to the end of updates that have ended"
    ),
    MetricDefinition(
        "rollbook_district_last_good_update_timestamp_seconds",
        "When a district's last update was completed, without those that only had rejected rows",
        ("district",),
    ),
    MetricDefinition("rollbook_mail_queued", "Emails that have not been sent", ("kind",)),
    MetricDefinition(
        "rollbook_mail_retried", "Those of them for which an attempt has failed", ("kind",)
    ),
    MetricDefinition(
        "rollbook_mail_oldest_queued_seconds",
        "How long the oldest email has been waiting; 0 if none is",
        ("kind",),
    ),
    MetricDefinition(
        "rollbook_mail_failed", "Emails of the last 7 days that were given up", ("kind",)
    ),
    MetricDefinition(
        "rollbook_mail_held",
        "1 if emails wait until `rollbook mail release` because a backup was restored, otherwise 0",
    ),
    MetricDefinition("rollbook_worker_alive", "1 if a worker is running, otherwise 0"),
    MetricDefinition(
        "rollbook_worker_heartbeat_age_seconds",
        "Time since the last heartbeat of a worker; missing if there has been none",
    ),
    MetricDefinition(
        "rollbook_last_backup_timestamp_seconds",
        "When `rollbook backup` made the last backup; missing if it has made none",
    ),
    MetricDefinition("rollbook_last_backup_bytes", "Size of the last backup"),
    MetricDefinition(
        "rollbook_disk_free_bytes",
        "Free space on the disk of a folder of this web server",
        ("folder",),
    ),
    MetricDefinition(
        "rollbook_disk_total_bytes", "Size of the disk of a folder of this web server", ("folder",)
    ),
)


class Snapshot(Collector):
    """The values of all metrics at a moment."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = list(samples)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics that have values."""
        for definition in METRICS:
            family = definition.family()
            for sample in self._samples:
                if sample.name == definition.name:
                    family.add_metric(sample.labels, sample.value)
            if family.samples:
                yield family


def current() -> Snapshot:
    """Return the values of all metrics, which are computed at most every ``MAX_AGE_S``.

    Raises:
        StillComputing: Another thread has been computing them for too long.
    """
    return _snapshot.get()


def _measure() -> Snapshot:
    """Measure what can be measured: without the database, whether that is available is left."""
    started = time.monotonic()
    failed_checks = {problem.code for problem in readiness.find_problems()}
    samples = [*measurements.of_process(failed_checks)]
    if not failed_checks & {"database", "schema", "slow"}:
        try:
            samples += measurements.of_database()
        except Error:
            log.warning("the metrics of the database are missing", exc_info=True)
    log.debug("metrics measured in %.0f ms", (time.monotonic() - started) * 1000)
    return Snapshot(samples)


_snapshot = Cached(_measure, MAX_AGE_S)


def clear() -> None:
    """Forget all values."""
    _snapshot.clear()
    measurements.clear()
