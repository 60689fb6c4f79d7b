"""No password, token or session key is ever stored or logged (S43)."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core import mail

from rollbook.accounts import mails
from rollbook.accounts.auth import emailed_links, second_factor
from rollbook.accounts.auth.api_tokens import TokenRejected
from rollbook.accounts.auth.api_tokens import sign_in as sign_in_with_token
from rollbook.accounts.auth.emailed_links import LinkExpired
from rollbook.accounts.auth.password_changes import (
    InvalidPassword,
    change_password,
    request_password_reset,
    set_password,
)
from rollbook.accounts.auth.second_factor import CodeRejected
from rollbook.accounts.auth.sign_in import SignInFailed, sign_in
from rollbook.accounts.members.members import add_member, invite
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.models import Member, SecondFactor
from rollbook.log_format import LineFormatter
from tests.accounts.browser import HERE, NOW, Browser, Clock
from tests.accounts.phone import with_second_factor

FIRST, SECOND, WRONG, SHORT = (
    "zQcanary one two three",
    "zQcanary four five six",
    "zQcanary wrong",
    "zQcanary",
)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, in the format for stderr."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    loggers = [logging.getLogger(), logging.getLogger("django")]
    for logger in loggers:
        logger.addHandler(handler)
    yield stream
    for logger in loggers:
        logger.removeHandler(handler)


def all_stored_data() -> str:
    """Return all rows of all tables."""
    models = (
        model
        for app in ("districts", "accounts", "students", "updates")
        for model in apps.get_app_config(app).get_models()
    )
    return json.dumps([list(model._default_manager.values()) for model in models], default=str)


def use_all_secrets(manager: Member, clock: Clock) -> list[str]:
    """Use everything that has a secret, rightly and wrongly, and return the secrets."""
    browser = Browser()
    ben = invite(
        manager.district, "ben@maple.example", "Ben", "Oz", "district manager", [], manager, NOW
    )
    mails.send_due()
    holder, _ = emailed_links.read_token(_token_of_last_mail())
    with pytest.raises(InvalidPassword):
        set_password(holder, SHORT, NOW)
    set_password(holder, FIRST, NOW, address=HERE, agent="Firefox")
    with pytest.raises(LinkExpired):
        emailed_links.read_token(_token_of_last_mail())
    with pytest.raises(SignInFailed):
        sign_in(ben.email, WRONG, HERE, NOW)
    browser.sign_in(sign_in(ben.email, FIRST, HERE, NOW))
    keys = [browser.key]
    request_password_reset(ben.email, HERE, NOW)
    mails.send_due()
    tokens = [_token_of_last_mail()]
    with pytest.raises(SignInFailed):
        change_password(holder, WRONG, SECOND, HERE, NOW)
    browser.sign_in(change_password(holder, FIRST, SECOND, HERE, NOW))
    mails.send_due()
    clock.move(minutes=2)
    assert browser.member() == ben
    two_step = with_second_factor(ben, clock.now)
    second_factor.verify_code(ben, two_step.recovery_codes[0], HERE, clock.now)
    with pytest.raises(CodeRejected):
        second_factor.verify_code(ben, two_step.recovery_codes[0], HERE, clock.now)
    assert two_step.token
    sign_in_with_token(two_step.token, HERE, clock.now)
    with pytest.raises(TokenRejected):
        sign_in_with_token(two_step.token[:-1] + "_", HERE, clock.now)
    with pytest.raises(InvalidMember):
        add_member(manager.district, "eve@maple.example", "Eve", "Doe", "district manager", SHORT)
    in_letters = second_factor.secret_as_text(ben, SecondFactor.objects.get().encrypted_secret)
    keys += [
        *two_step.recovery_codes,
        two_step.token,
        two_step.token[11:],
        in_letters,
        in_letters.replace(" ", ""),
    ]
    return [
        *keys,
        browser.key,
        *tokens,
        *(part for token in tokens for part in token.split(".") if len(part) > 20),
    ]


def _token_of_last_mail() -> str:
    [token] = re.findall(r"/password/([\w.-]+)", str(mail.outbox[-1].body))
    return str(token)


@pytest.mark.statement("S01", "S43")
def test_no_secret_is_stored_or_logged(manager: Member, clock: Clock, log: io.StringIO) -> None:
    secrets = [*use_all_secrets(manager, clock), "zQcanary"]
    stored, logged = all_stored_data(), log.getvalue()
    assert "ben@maple.example" in stored
    assert [secret for secret in secrets if secret in stored or secret in logged] == []


@pytest.mark.statement("S40")
def test_emails_contain_no_password(manager: Member, clock: Clock) -> None:
    use_all_secrets(manager, clock)
    assert len(mail.outbox) == 3
    for sent in mail.outbox:
        assert "zQcanary" not in str(sent.message())


def test_a_failure_to_send_logs_neither_email_nor_recipient(
    manager: Member, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    request_password_reset(manager.email, HERE, NOW)
    monkeypatch.setattr(emailed_links, "link_url", lambda token: 1 / 0)
    mails.send_due()
    assert "could not be sent (ZeroDivisionError)" in log.getvalue()
    assert manager.email not in log.getvalue()


def test_this_test_can_fail(manager: Member) -> None:
    Member.objects.update(first_name="zQcanary")
    assert "zQcanary" in all_stored_data()
