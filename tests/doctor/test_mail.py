"""The mail server, real ones that are well, ill, or something else."""

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
from tests.db.fake_server import keeping_silent, other_end
from tests.doctor.conftest import Here, marks, told
from tests.post_office import PostOffice, a_free_port

SENDER = "rollbook@district.example"
Open = Callable[..., PostOffice]


@pytest.fixture
def open_office(settings: Settings) -> Iterator[Open]:
    """A post office that is open, and that the settings name; ``more`` is how it speaks."""
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
    """How the office speaks TLS, with a certificate that this machine trusts."""
    ours = tls.certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.chain))
    return tls.context(ours.chain, ours.key)


def test_one_that_takes_mails_gets_none(here: Here, open_office: Open) -> None:
    office = open_office()
    assert told(mail.check(here())) == [
        (Level.OK, f"127.0.0.1:{office.port} answers, and takes mails from {SENDER}"),
    ]
    assert office.received == []


def test_a_mail_is_sent_if_it_is_asked_for(here: Here, open_office: Open) -> None:
    office = open_office()
    asked = here()
    asked.mail_to = "ops@maple.example"
    found = told(mail.check(asked))
    assert found[0] == (
        Level.OK,
        f"a mail to ops@maple.example went to 127.0.0.1:{office.port}; see whether it arrives",
    )
    assert office.recipients == ["ops@maple.example"]
    assert [each["Subject"] for each in office.received] == ["[Rollbook] Test of the mail settings"]


def test_a_mail_that_nobody_takes(here: Here, open_office: Open) -> None:
    office = open_office()
    office.answers["RCPT"] = "550 no such user"
    asked = here()
    asked.mail_to = "nobody@maple.example"
    what = f"127.0.0.1:{office.port} takes no mail to nobody@maple.example (code 550)"
    assert (Level.ERROR, what) in told(mail.check(asked))


@pytest.mark.parametrize(
    ("answer", "mark"), [("550 we do not know you", Level.ERROR), ("451 busy", Level.WARNING)]
)
def test_a_sender_that_is_not_welcome(
    here: Here, open_office: Open, answer: str, mark: Level
) -> None:
    open_office().answers["MAIL"] = answer
    [(found, what)] = told(mail.check(here()))
    assert (found, f"takes no mails from {SENDER}" in what) == (mark, True)


@pytest.mark.parametrize("sender", ["Rollbook", "rollbook@", ""])
def test_a_sender_that_is_no_address(
    here: Here, open_office: Open, settings: Settings, sender: str
) -> None:
    open_office()
    settings.DEFAULT_FROM_EMAIL = sender
    assert told(mail.check(here()))[0] == (
        Level.ERROR,
        f"ROLLBOOK_MAIL_FROM is {sender!r}, which has no e-mail address",
    )


def test_a_sender_of_localhost_and_plain_text_are_warnings_elsewhere(
    here: Here, open_office: Open, settings: Settings
) -> None:
    open_office()
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "127.0.0.2", "Rollbook <rollbook@localhost>"
    found = told(mail.check(here()))
    assert found[:2] == [
        (
            Level.WARNING,
            "mails come from rollbook@localhost, and few mail servers take mails from localhost",
        ),
        (Level.WARNING, "mails go to 127.0.0.2 in the clear"),
    ]


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_one_that_speaks_tls(
    here: Here, open_office: Open, settings: Settings, with_tls: ssl.SSLContext, way: str
) -> None:
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = way == "starttls", way == "tls"
    office = open_office(
        **({"tls_context": with_tls} if way == "starttls" else {"ssl_context": with_tls})
    )
    assert told(mail.check(here())) == [
        (Level.OK, f"127.0.0.1:{office.port} answers with TLSv1.3, and takes mails from {SENDER}"),
    ]


def test_a_certificate_that_nobody_trusts(
    here: Here,
    open_office: Open,
    settings: Settings,
    with_tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    settings.EMAIL_USE_TLS = True
    open_office(tls_context=with_tls)
    [(mark, what)] = told(mail.check(here()))
    assert (mark, "its certificate cannot be trusted (self" in what) == (Level.ERROR, True)


def test_tls_that_is_not_offered_or_begun_at_the_wrong_moment(
    here: Here, open_office: Open, settings: Settings
) -> None:
    open_office()
    settings.EMAIL_USE_TLS = True
    [(mark, what)] = told(mail.check(here()))
    assert (mark, "does not offer what is asked for (STARTTLS" in what) == (Level.ERROR, True)
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = False, True
    [(mark, what)] = told(mail.check(here()))
    assert (mark, what.endswith("does not speak TLS from the first byte")) == (Level.ERROR, True)


def test_signing_in(
    here: Here, open_office: Open, settings: Settings, with_tls: ssl.SSLContext
) -> None:
    def check(
        server: object, session: object, envelope: object, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=data.password == b"s3cret", handled=False)

    settings.EMAIL_USE_TLS = True
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "rollbook", "s3cret"
    open_office(tls_context=with_tls, authenticator=check, auth_required=True)
    [(mark, what)] = told(mail.check(here()))
    assert (mark, "with TLSv1.3, signs rollbook in, and" in what) == (Level.OK, True)
    settings.EMAIL_HOST_PASSWORD = "s3cret-guessed"
    [(mark, what)] = told(mail.check(here()))
    assert (mark, what.endswith("it does not accept user and password (code 535)")) == (
        Level.ERROR,
        True,
    )
    assert "s3cret" not in what
    settings.EMAIL_HOST_PASSWORD = ""
    assert any("only one is set" in what for _, what in told(mail.check(here())))


def test_nobody_listens_and_nobody_knows_the_host(
    here: Here, open_office: Open, settings: Settings
) -> None:
    settings.EMAIL_PORT = port = a_free_port()
    assert told(mail.check(here())) == [
        (Level.ERROR, f"127.0.0.1:{port} cannot be used: nobody listens there")
    ]
    settings.EMAIL_HOST = "nobody.invalid"
    assert told(mail.check(here()))[-1] == (
        Level.ERROR,
        f"nobody.invalid:{port} cannot be used: this machine does not know that host",
    )


def test_one_that_keeps_silent_or_hangs_up_or_is_none(
    here: Here, open_office: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "SMTP_TIMEOUT_S", 1)
    with other_end(keeping_silent) as settings.EMAIL_PORT:
        assert told(mail.check(here()))[0][1].endswith("it does not answer")
    with other_end(hanging_up) as settings.EMAIL_PORT:
        assert told(mail.check(here()))[0][1].endswith("it ends the connection")
    with other_end(greeting) as settings.EMAIL_PORT:
        assert told(mail.check(here()))[0][1].endswith("it answers 554")


def hanging_up(client: socket.socket) -> None:
    """The connection is closed behind it."""


def greeting(client: socket.socket) -> None:
    client.sendall(b"554 go away\r\n")
    client.recv(100)


def test_without_a_server_the_mails_are_files(
    here: Here, settings: Settings, tmp_path: Path
) -> None:
    settings.EMAIL_HOST, settings.MAIL_FOLDER = "", tmp_path / "mail"
    (mark, what), *rest = told(mail.check(here()))
    assert (mark, what.endswith(f"are files in {tmp_path}/mail (0 so far)"), rest) == (
        Level.WARNING,
        True,
        [],
    )
    assert not settings.MAIL_FOLDER.exists()
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = settings.MAIL_FOLDER
    asked = here()
    asked.mail_to = "ops@maple.example"
    assert marks(mail.check(asked)) == [Level.WARNING, Level.OK]
    [file] = settings.MAIL_FOLDER.iterdir()
    assert "To: ops@maple.example" in file.read_text()
