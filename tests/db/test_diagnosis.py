"""Diagnoses of database errors, with real libpq, real SQLite, and PostgreSQL if available."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import (
    DatabaseError,
    Error,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    connection,
)
from django.db.backends.postgresql.features import DatabaseFeatures
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from rollbook.db.diagnosis import Diagnosis, diagnose, require_version
from rollbook.db.diagnosis_rules import DIAGNOSIS_RULES, OTHER_ERROR
from rollbook.db.url import postgresql_settings
from rollbook.server import tls
from tests.db.fake_server import fake_server, never_answering, refusing, sending, with_certificate
from tests.db.own_database import OwnDatabase, own_database

Connect = Callable[[str], Diagnosis]
ConnectAndDo = Callable[[str, str], str]
PASSWORD = "s3cret-canary"
SQLITE = {"ENGINE": "rollbook.db.sqlite", "NAME": "/var/lib/rollbook/rollbook.sqlite3"}


@pytest.fixture
def diagnose_connection(django_db_blocker: DjangoDbBlocker) -> Connect:
    """Return a function that diagnoses a failing connection."""

    def connect(url: str) -> Diagnosis:
        wrapper = ConnectionHandler({"default": postgresql_settings(url)})["default"]
        with django_db_blocker.unblock(), pytest.raises(Error) as caught:
            wrapper.ensure_connection()
        diagnosis = diagnose(caught.value, wrapper.settings_dict)
        assert diagnosis
        assert PASSWORD not in str(diagnosis)
        assert "{" not in str(diagnosis)
        return diagnosis

    return connect


def at(port: int, more: str = "") -> str:
    return f"postgres://rollbook:{PASSWORD}@127.0.0.1:{port}/school?connect_timeout=2{more}"


def unused_port() -> int:
    with fake_server(sending(b"")) as port:
        return port


def test_codes_are_unique_and_every_rule_has_a_problem_and_a_fix() -> None:
    rules = [*DIAGNOSIS_RULES, OTHER_ERROR]
    assert len({rule.code for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.problem
        assert not rule.problem.endswith(".")
        assert rule.fix[:1].islower() or rule.fix.startswith("DATABASE_URL")


def test_no_server_is_listening(diagnose_connection: Connect) -> None:
    port = unused_port()
    assert str(diagnose_connection(at(port))) == (
        f"PostgreSQL at 127.0.0.1:{port} can't be reached: no server is listening there; "
        "start it, or correct the host and port in DATABASE_URL"
    )
    assert diagnose_connection(at(port).replace("127.0.0.1", "localhost")).code == "nobody_listens"


def test_a_socket_without_a_server_is_named_by_its_folder(
    diagnose_connection: Connect, tmp_path: Path
) -> None:
    diagnosis = diagnose_connection(
        f"postgres://rollbook:{PASSWORD}@/school?host={quote(str(tmp_path), safe='')}"
    )
    assert diagnosis.code == "nobody_listens"
    assert diagnosis.problem.startswith(f"PostgreSQL at the socket in {tmp_path} ")


def test_an_unknown_host(diagnose_connection: Connect) -> None:
    diagnosis = diagnose_connection(f"postgres://rollbook:{PASSWORD}@nobody.invalid/school")
    assert (diagnosis.code, diagnosis.problem) == (
        "name_not_found",
        "the host name nobody.invalid can't be resolved on this machine",
    )


def test_a_server_that_does_not_answer(diagnose_connection: Connect) -> None:
    with fake_server(never_answering) as port:
        assert diagnose_connection(at(port)).code == "no_answer"


@pytest.mark.parametrize(
    "url",
    [
        "postgres://rollbook:p@s3cret-canary@127.0.0.1/school",
        "postgres://rollbook:p/s3cret-canary@127.0.0.1/school",
        "postgres://rollbook:12/s3cret-canary@127.0.0.1/school",
    ],
)
def test_no_part_of_a_password_that_is_not_url_encoded_is_shown(
    diagnose_connection: Connect, url: str
) -> None:
    diagnosis = diagnose_connection(url)
    assert diagnosis.code in ("name_not_found", "bad_address")
    assert "12" not in str(diagnosis)
    assert "write %40 for an @ in the password" in diagnosis.fix


@pytest.mark.parametrize(
    ("option", "value"), [("sslmode", "bogus"), ("port", "99999"), ("keepalives", "x")]
)
def test_an_invalid_option_is_named(diagnose_connection: Connect, option: str, value: str) -> None:
    diagnosis = diagnose_connection(
        f"postgres://rollbook:{PASSWORD}@127.0.0.1/school?{option}={value}"
    )
    assert (diagnosis.code, diagnosis.problem) == (
        "bad_address",
        f"DATABASE_URL has an invalid value for {option}",
    )


@pytest.mark.parametrize(
    ("sqlstate", "text", "code"),
    [
        ("28P01", 'password authentication failed for user "rollbook"', "wrong_password"),
        ("28000", 'role "rollbook" does not exist', "no_such_user"),
        ("28000", 'role "rollbook" is not permitted to log in', "no_login"),
        ("28000", 'Peer authentication failed for user "rollbook"', "other_account"),
        ("3D000", 'database "school" does not exist', "no_such_database"),
        ("42501", 'permission denied for database "school"', "no_connect"),
        (
            "28000",
            'no pg_hba.conf entry for host "192.0.2.7", user "rollbook", database "school",'
            " no encryption",
            "tls_required",
        ),
        (
            "28000",
            'pg_hba.conf rejects connection for host "192.0.2.7", user "rollbook", SSL encryption',
            "not_let_in",
        ),
        ("57P03", "the database system is starting up", "starting"),
        ("57P03", "the database system is not yet accepting connections", "starting"),
        ("57P03", "the database system is in recovery mode", "starting"),
        ("57P03", "the database system is shutting down", "stopping"),
        ("53300", "sorry, too many clients already", "too_many_connections"),
        (
            "53300",
            "remaining connection slots are reserved for roles with ...",
            "too_many_connections",
        ),
        ("53100", "could not write init file: No space left on device", "disk_full"),
        ("22023", 'invalid value for parameter "search_path": "x y"', "bad_address"),
        ("XX000", "the moon is full", "other"),
    ],
)
def test_errors_of_a_server_that_refuses_connections(
    diagnose_connection: Connect, sqlstate: str, text: str, code: str
) -> None:
    with fake_server(refusing(sqlstate, text)) as port:
        assert diagnose_connection(at(port)).code == code


def test_a_text_in_another_language_is_quoted_without_the_password(
    diagnose_connection: Connect,
) -> None:
    text = f"Passwort-Authentifizierung für Benutzer »{PASSWORD}« fehlgeschlagen"
    with fake_server(refusing("28P01", text, "FATAL")) as port:
        assert diagnose_connection(at(port)).problem == (
            f"the database in PostgreSQL at 127.0.0.1:{port} can't be used "
            "(Passwort-Authentifizierung für Benutzer »...« fehlgeschlagen)"
        )


def test_of_several_addresses_the_one_with_a_server_is_diagnosed(
    diagnose_connection: Connect,
) -> None:
    with fake_server(refusing("3D000", 'database "school" does not exist')) as port:
        hosts = f"127.0.0.1:{port},127.0.0.1:{unused_port()}"
        url = f"postgres://rollbook:{PASSWORD}@{hosts}/school"
        assert diagnose_connection(url).code == "no_such_database"


def test_a_server_that_is_not_postgresql(diagnose_connection: Connect) -> None:
    with fake_server(sending(b"HTTP/1.0 400 Bad Request\r\n\r\n")) as port:
        diagnosis = diagnose_connection(at(port))
        assert (diagnosis.code, diagnosis.problem) == (
            "not_postgresql",
            f"the server at 127.0.0.1:{port} is not PostgreSQL",
        )
        assert diagnose_connection(at(port, "&sslmode=disable")).code == "not_postgresql"
    with fake_server(sending(b"")) as port:
        assert diagnose_connection(at(port)).code == "cut_off"


def test_tls_that_is_not_offered_or_not_trusted(
    diagnose_connection: Connect, tmp_path: Path
) -> None:
    with fake_server(refusing("28000", "never sent")) as port:
        assert diagnose_connection(at(port, "&sslmode=require")).code == "tls_not_offered"
    ours = tls.self_signed_certificate(tmp_path, "localhost")
    (tmp_path / "other").mkdir()
    other = tls.self_signed_certificate(tmp_path / "other", "localhost")
    with fake_server(with_certificate(ours.chain, ours.key)) as port:
        assert (
            diagnose_connection(at(port, "&sslmode=require&ssl_max_protocol_version=TLSv1.2")).code
            == "tls_fails"
        )
        assert (
            diagnose_connection(at(port, f"&sslmode=verify-full&sslrootcert={other.chain}")).code
            == "tls_not_trusted"
        )
        assert (
            diagnose_connection(at(port, "&sslmode=verify-full&sslrootcert=/nowhere")).code
            == "tls_not_trusted"
        )
        assert (
            diagnose_connection(at(port, f"&sslmode=verify-full&sslrootcert={ours.chain}")).code
            == "cut_off"
        )


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SQLITE_NOTADB", "not_a_database"),
        ("SQLITE_CORRUPT", "damaged"),
        ("SQLITE_BUSY_SNAPSHOT", "locked"),
        ("SQLITE_FULL", "disk_full"),
        ("SQLITE_CANTOPEN_ISDIR", "not_readable"),
        ("SQLITE_READONLY_DIRECTORY", "not_writable"),
        ("SQLITE_IOERR_WRITE", "disk_fails"),
        ("SQLITE_NOMEM", "other"),
    ],
)
def test_error_codes_of_sqlite(name: str, code: str) -> None:
    error = OperationalError("as Django has it")
    error.__cause__ = cause = sqlite3.OperationalError("as SQLite has it")
    cause.sqlite_errorname = name
    diagnosis = diagnose(error, SQLITE)
    assert diagnosis
    assert diagnosis.code == code
    assert SQLITE["NAME"] in diagnosis.problem


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    path.write_bytes(b"not a database" * 100)
    yield


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def a_folder(path: Path) -> Iterator[None]:
    path.mkdir()
    yield


@contextmanager
def small(path: Path) -> Iterator[None]:
    yield


@pytest.mark.parametrize(
    ("fault", "pragma", "statement", "code"),
    [
        (damaged, "", "SELECT 1 FROM sqlite_master", "not_a_database"),
        (locked, "", "BEGIN IMMEDIATE", "locked"),
        (a_folder, "", "SELECT 1", "not_readable"),
        (small, "PRAGMA max_page_count = 1", "CREATE TABLE full (id)", "disk_full"),
        (small, "PRAGMA query_only = 1", "CREATE TABLE forbidden (id)", "not_writable"),
    ],
)
def test_errors_of_a_real_sqlite(
    django_db_blocker: DjangoDbBlocker,
    tmp_path: Path,
    fault: Any,
    pragma: str,
    statement: str,
    code: str,
) -> None:
    path = tmp_path / "x.sqlite3"
    settings = SQLITE | {"NAME": str(path), "OPTIONS": {"timeout": 0, "init_command": pragma}}
    wrapper = ConnectionHandler({"default": settings})["default"]
    with fault(path), django_db_blocker.unblock(), pytest.raises(DatabaseError) as caught:
        wrapper.cursor().execute(statement)
    wrapper.close()
    diagnosis = diagnose(caught.value, wrapper.settings_dict)
    assert diagnosis
    assert diagnosis.code == code


@pytest.mark.django_db
def test_a_bug_is_not_a_problem_of_the_database() -> None:
    with pytest.raises(Error) as caught, connection.cursor() as cursor:
        cursor.execute(
            "SELECT nothing FROM nowhere"
            if connection.vendor == "postgresql"
            else "INSERT INTO update 1"
        )
    if connection.vendor == "postgresql":  # SQLite calls this operational too
        assert diagnose(caught.value, connection.settings_dict) is None
    assert (
        diagnose(IntegrityError("password authentication failed is the name of a student"), SQLITE)
        is None
    )
    assert diagnose(ValueError("Connection refused"), SQLITE) is None


def test_an_old_version_is_named(
    monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker, tmp_path: Path
) -> None:
    wrapper = ConnectionHandler({"default": SQLITE | {"NAME": str(tmp_path / "x.sqlite3")}})[
        "default"
    ]
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 38, 5))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.38.5")
    with django_db_blocker.unblock(), pytest.raises(NotSupportedError) as caught:
        require_version(wrapper)
    assert str(diagnose(caught.value, SQLITE)) == (
        "SQLite 3.38.5 is too old for Rollbook; upgrade to SQLite 3.39 or later"
    )


@pytest.fixture
def database_url() -> str:
    return str(django_settings.DATABASE_URL)


class TestRealPostgreSQL:
    """Errors of a real server, with a database whose owner isn't a superuser."""

    pytestmark = pytest.mark.only_on("postgresql")

    @pytest.fixture
    def own(self, database_url: str) -> Iterator[OwnDatabase]:
        with own_database(database_url) as own:
            yield own

    @pytest.fixture
    def diagnose_statement(self, django_db_blocker: DjangoDbBlocker) -> ConnectAndDo:
        """Return a function that diagnoses a failing statement."""

        def execute(url: str, statement: str) -> str:
            wrapper = ConnectionHandler({"default": postgresql_settings(url)})["default"]
            with (
                django_db_blocker.unblock(),
                closing(wrapper.cursor()) as cursor,
                pytest.raises(Error) as caught,
            ):
                cursor.execute(statement)
            wrapper.close()
            diagnosis = diagnose(caught.value, wrapper.settings_dict)
            assert diagnosis
            return diagnosis.code

        return execute

    def test_a_database_that_does_not_exist(
        self, diagnose_connection: Connect, own: OwnDatabase
    ) -> None:
        diagnosis = diagnose_connection(own.url(dbname="doctor_nowhere"))
        assert diagnosis.code == "no_such_database"
        assert f"`createdb --owner={own.user} --encoding=UTF8 doctor_nowhere`" in diagnosis.fix

    def test_a_wrong_password_or_an_unknown_user(
        self, diagnose_connection: Connect, own: OwnDatabase
    ) -> None:
        assert diagnose_connection(own.url(user="doctor_nobody", password=PASSWORD)).code in (
            "wrong_password",
            "no_such_user",
        )
        if not own.accepts_any_password():
            assert diagnose_connection(own.url(password=PASSWORD)).code == "wrong_password"
            assert diagnose_connection(own.url(password="")).code == "no_password"

    def test_no_connection_left(self, diagnose_connection: Connect, own: OwnDatabase) -> None:
        own.execute("ALTER DATABASE {database} CONNECTION LIMIT 0")
        assert diagnose_connection(own.url()).code == "too_many_connections"

    def test_no_permission_to_connect(self, diagnose_connection: Connect, own: OwnDatabase) -> None:
        own.execute("REVOKE CONNECT ON DATABASE {database} FROM PUBLIC, {user}")
        assert diagnose_connection(own.url()).code == "no_connect"

    def test_tls_that_the_server_does_not_offer(
        self, diagnose_connection: Connect, own: OwnDatabase
    ) -> None:
        if own.value("SHOW ssl") == "off":
            host = own.url().replace("host=%2F", "hostaddr=127.0.0.1&host=%2F")
            assert diagnose_connection(host + "&sslmode=require").code in (
                "tls_not_offered",
                "nobody_listens",
            )

    def test_no_permission_to_create_tables(
        self, diagnose_statement: ConnectAndDo, own: OwnDatabase
    ) -> None:
        own.execute("CREATE SCHEMA closed")
        own.execute("REVOKE CREATE ON SCHEMA closed FROM {user}")
        options = "-c search_path=closed"
        assert (
            diagnose_statement(own.url(options=options), "CREATE TABLE t (id int)") == "no_tables"
        )
        assert (
            diagnose_statement(own.url(options="-c search_path=nowhere"), "CREATE TABLE t (id int)")
            == "no_schema"
        )

    def test_tables_of_another_user(
        self, diagnose_statement: ConnectAndDo, own: OwnDatabase
    ) -> None:
        own.execute("CREATE SCHEMA theirs CREATE TABLE theirs.students (id int)")
        own.execute("REVOKE SELECT ON theirs.students FROM {user}")
        assert diagnose_statement(own.url(), "SELECT * FROM theirs.students") == "not_owner"

    def test_a_read_only_database(self, diagnose_statement: ConnectAndDo, own: OwnDatabase) -> None:
        options = "-c default_transaction_read_only=on"
        assert (
            diagnose_statement(own.url(options=options), "CREATE TABLE t (id int)") == "read_only"
        )

    def test_a_connection_that_the_server_closes(
        self, diagnose_statement: ConnectAndDo, own: OwnDatabase
    ) -> None:
        end = "SELECT pg_terminate_backend(pg_backend_pid())"
        assert diagnose_statement(own.url(), end) == "cut_off"

    def test_a_server_that_is_too_old(
        self, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker, own: OwnDatabase
    ) -> None:
        monkeypatch.setattr(DatabaseFeatures, "minimum_database_version", (99,))
        old = ConnectionHandler(
            {"default": postgresql_settings(own.url()), "old": postgresql_settings(own.url())}
        )["old"]
        with django_db_blocker.unblock(), pytest.raises(NotSupportedError) as caught:
            require_version(old)
        old.close()
        diagnosis = diagnose(caught.value, old.settings_dict)
        assert diagnosis
        assert (diagnosis.code, diagnosis.fix) == (
            "too_old",
            "upgrade to PostgreSQL 99 or later",
        )
