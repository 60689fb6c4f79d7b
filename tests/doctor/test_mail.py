"""Mail servers that work, that fail, and that are something else."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from pytest_django import Settings

from rollbook.doctor import mail
from rollbook.doctor.result import Level
from rollbook.server import tls
from tests.db.fake_server import fake_server, never_answering
from tests.doctor.conftest import Here, levels, results
from tests.post_office import PostOffice, a_free_port

SENDER = "rollbook@district.example"
Open = Callable[..., PostOffice]


@pytest.fixture
def open_server(settings: Settings) -> Iterator[Open]:
    """Start a mail server and set it in the settings; ``more`` are its options."""
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "127.0.0.1", f"Rollbook <{SENDER}>"
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    controllers: list[Controller] = []

    def start(**more: Any) -> PostOffice:
        office = PostOffice(a_free_port())
        settings.EMAIL_PORT = office.port
        controllers.append(Controller(office, hostname="127.0.0.1", port=office.port, **more))
        controllers[-1].start()
        return office

    yield start
    for controller in controllers:
        controller.stop()


@pytest.fixture
def with_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The server's TLS settings, with a certificate that this machine trusts."""
    ours = tls.self_signed_certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.chain))
    return tls.context(ours.chain, ours.key)


def test_a_server_that_accepts_emails_gets_none(here: Here, open_server: Open) -> None:
    office = open_server()
    assert results(mail.check(here())) == [
        (Level.OK, f"127.0.0.1:{office.port} responds and accepts emails from {SENDER}"),
    ]
    assert office.received == []


def test_an_email_is_sent_on_request(here: Here, open_server: Open) -> None:
    office = open_server()
    asked = here()
    asked.mail_to = "ops@maple.example"
    found = results(mail.check(asked))
    assert found[0] == (
        Level.OK,
        f"an email to ops@maple.example was sent to 127.0.0.1:{office.port}; check that it arrives",
    )
    assert office.recipients == ["ops@maple.example"]
    assert [each["Subject"] for each in office.received] == ["Test of the mail settings · Rollbook"]


def test_an_email_that_is_rejected(here: Here, open_server: Open) -> None:
    office = open_server()
    office.answers["RCPT"] = "550 no such user"
    asked = here()
    asked.mail_to = "nobody@maple.example"
    what = f"127.0.0.1:{office.port} rejects emails to nobody@maple.example (code 550)"
    assert (Level.ERROR, what) in results(mail.check(asked))


@pytest.mark.parametrize(
    ("answer", "level"), [("550 we do not know you", Level.ERROR), ("451 busy", Level.WARNING)]
)
def test_a_rejected_sender(here: Here, open_server: Open, answer: str, level: Level) -> None:
    open_server().answers["MAIL"] = answer
    [(found, what)] = results(mail.check(here()))
    assert (found, f"rejects emails from {SENDER}" in what) == (level, True)


@pytest.mark.parametrize("sender", ["Rollbook", "rollbook@", ""])
def test_a_sender_that_is_not_an_address(
    here: Here, open_server: Open, settings: Settings, sender: str
) -> None:
    open_server()
    settings.DEFAULT_FROM_EMAIL = sender
    assert results(mail.check(here()))[0] == (
        Level.ERROR,
        f"ROLLBOOK_MAIL_FROM is {sender!r}, which contains no email address",
    )


def test_a_sender_of_localhost_and_plain_text_are_warnings_elsewhere(
    here: Here, open_server: Open, settings: Settings
) -> None:
    open_server()
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "127.0.0.2", "Rollbook <rollbook@localhost>"
    found = results(mail.check(here()))
    assert found[:2] == [
        (
            Level.WARNING,
            "emails are sent from rollbook@localhost, "
            "and most mail servers reject emails from localhost",
        ),
        (Level.WARNING, "emails are sent to 127.0.0.2 unencrypted"),
    ]


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_a_server_with_tls(
    here: Here, open_server: Open, settings: Settings, with_tls: ssl.SSLContext, way: str
) -> None:
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = way == "starttls", way == "tls"
    office = open_server(
        **({"tls_context": with_tls} if way == "starttls" else {"ssl_context": with_tls})
    )
    assert results(mail.check(here())) == [
        (
            Level.OK,
            f"127.0.0.1:{office.port} responds with TLSv1.3 and accepts emails from {SENDER}",
        ),
    ]


def test_an_untrusted_certificate(
    here: Here,
    open_server: Open,
    settings: Settings,
    with_tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    settings.EMAIL_USE_TLS = True
    open_server(tls_context=with_tls)
    [(level, what)] = results(mail.check(here()))
    assert (level, "its certificate is not trusted (self" in what) == (Level.ERROR, True)


def test_tls_that_is_not_supported_or_starts_at_the_wrong_time(
    here: Here, open_server: Open, settings: Settings
) -> None:
    open_server()
    settings.EMAIL_USE_TLS = True
    [(level, what)] = results(mail.check(here()))
    assert (level, "does not support what the settings require (STARTTLS" in what) == (
        Level.ERROR,
        True,
    )
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = False, True
    [(level, what)] = results(mail.check(here()))
    assert (level, what.endswith("does not use TLS from the first byte")) == (Level.ERROR, True)


def test_signing_in(
    here: Here, open_server: Open, settings: Settings, with_tls: ssl.SSLContext
) -> None:
    def check(
        server: object, session: object, envelope: object, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=data.password == b"s3cret", handled=False)

    settings.EMAIL_USE_TLS = True
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "rollbook", "s3cret"
    open_server(tls_context=with_tls, authenticator=check, auth_required=True)
    [(level, what)] = results(mail.check(here()))
    assert (level, "with TLSv1.3, accepts the sign-in of rollbook and" in what) == (Level.OK, True)
    settings.EMAIL_HOST_PASSWORD = "s3cret-guessed"
    [(level, what)] = results(mail.check(here()))
    assert (level, what.endswith("it rejects the user name and password (code 535)")) == (
        Level.ERROR,
        True,
    )
    assert "s3cret" not in what
    settings.EMAIL_HOST_PASSWORD = ""
    assert any("only one of" in what for _, what in results(mail.check(here())))


def test_a_refused_connection_and_an_unknown_host(
    here: Here, open_server: Open, settings: Settings
) -> None:
    settings.EMAIL_PORT = port = a_free_port()
    assert results(mail.check(here())) == [
        (Level.ERROR, f"127.0.0.1:{port} cannot be used: the connection was refused")
    ]
    settings.EMAIL_HOST = "nobody.invalid"
    assert results(mail.check(here()))[-1] == (
        Level.ERROR,
        f"nobody.invalid:{port} cannot be used: the host name cannot be resolved",
    )


def test_a_server_that_is_silent_or_hangs_up_or_is_something_else(
    here: Here, open_server: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "SMTP_TIMEOUT_S", 1)
    with fake_server(never_answering) as settings.EMAIL_PORT:
        assert results(mail.check(here()))[0][1].endswith("it does not respond")
    with fake_server(hanging_up) as settings.EMAIL_PORT:
        assert results(mail.check(here()))[0][1].endswith("it closes the connection")
    with fake_server(greeting) as settings.EMAIL_PORT:
        assert results(mail.check(here()))[0][1].endswith("it replies 554")


def hanging_up(client: socket.socket) -> None:
    """Do nothing; the connection is closed afterward."""


def greeting(client: socket.socket) -> None:
    client.sendall(b"554 go away\r\n")
    client.recv(100)


def test_without_a_server_emails_are_files(here: Here, settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_HOST, settings.MAIL_FOLDER = "", tmp_path / "mail"
    (level, what), *rest = results(mail.check(here()))
    assert (level, what.endswith(f"saved as files in {tmp_path}/mail (0 so far)"), rest) == (
        Level.WARNING,
        True,
        [],
    )
    assert not settings.MAIL_FOLDER.exists()
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = settings.MAIL_FOLDER
    asked = here()
    asked.mail_to = "ops@maple.example"
    assert levels(mail.check(asked)) == [Level.WARNING, Level.OK]
    [file] = settings.MAIL_FOLDER.iterdir()
    assert "To: ops@maple.example" in file.read_text()
