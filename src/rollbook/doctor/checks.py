"""The table of checks: what each requires and the function that does it.

Each function imports the module of its check when it is called, after its requirements are met:
that module may need Django's settings or another package, and if they are missing or broken, only
this check must fail.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult
from rollbook.environment import (
    BY_NAME,
    DATA,
    DATABASE_URL,
    MAX_UPLOAD_BYTES,
    OPERATOR_EMAIL,
    PING_URL,
)


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """One check of an installation.

    Attributes:
        name: Its name in the output, and "part" in the JSON.
        run: Yields its results.
        requires: Variables that must be right, and words for
            ``Installation.missing_requirement``.
    """

    name: str
    run: Callable[[Installation], Iterator[CheckResult]]
    requires: tuple[str, ...] = ()


def _versions(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import versions

    return versions.check(installation)


def _data_folder(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import data_folder

    return data_folder.check(installation)


def _disk(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import disk

    return disk.check(installation)


def _database(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import database

    return database.check(installation)


def _migrations(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import migrations

    return migrations.check(installation)


def _identity(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import identity

    return identity.check(installation)


def _keys(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import keys

    return keys.check(installation)


def _clock(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import clock

    return clock.check(installation)


def _server(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import server

    return server.check(installation)


def _certificate(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import certificate

    return certificate.check(installation)


def _worker(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import worker_and_updates

    return worker_and_updates.worker(installation)


def _updates(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import worker_and_updates

    return worker_and_updates.updates(installation)


def _known_rows(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import known_rows

    return known_rows.check(installation)


def _emails(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import worker_and_updates

    return worker_and_updates.emails(installation)


def _backup(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import backup

    return backup.check(installation)


def _districts(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import districts

    return districts.check(installation)


def _mail(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import mail

    return mail.check(installation)


def _alerts(installation: Installation) -> Iterator[CheckResult]:
    from rollbook.doctor import alerts

    return alerts.check(installation)


_SMTP = tuple(name for name in sorted(BY_NAME) if name.startswith("ROLLBOOK_SMTP_"))
_DATABASE = ("settings", "database", "tables")

CHECKS = (
    DoctorCheck("versions", _versions),
    DoctorCheck("data folder", _data_folder, (DATA.name,)),
    DoctorCheck("disk", _disk, (DATA.name, "folder", "settings", MAX_UPLOAD_BYTES.name)),
    DoctorCheck("database", _database, ("settings", DATABASE_URL.name)),
    DoctorCheck("migrations", _migrations, ("settings", "database")),
    DoctorCheck("installation", _identity, (DATA.name, "folder", *_DATABASE)),
    DoctorCheck("keys", _keys, (DATA.name, "folder", "settings")),
    DoctorCheck("clock", _clock, ("settings",)),
    DoctorCheck("server", _server, (DATA.name, "folder", "settings")),
    DoctorCheck("certificate", _certificate, ("settings",)),
    DoctorCheck("worker", _worker, _DATABASE),
    DoctorCheck("updates", _updates, _DATABASE),
    DoctorCheck("known rows", _known_rows, (DATA.name, "folder", *_DATABASE)),
    DoctorCheck("emails", _emails, _DATABASE),
    DoctorCheck("backup", _backup, _DATABASE),
    DoctorCheck("districts", _districts, _DATABASE),
    DoctorCheck("mail", _mail, ("settings", *_SMTP)),
    DoctorCheck("alerts", _alerts, ("settings", OPERATOR_EMAIL.name, PING_URL.name)),
)
