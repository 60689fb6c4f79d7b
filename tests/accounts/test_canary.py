"""No password, token or session key is in the tables, the log or an audit event, whatever becomes of a member (S43)."""

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
from rollbook.accounts.auth.second_factor import CodeFailed
from rollbook.accounts.auth.sign_in import SignInFailed, sign_in
from rollbook.accounts.members.members import add_member, invite
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.models import Member, SecondFactor
from rollbook.log_format import Line
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
    """All that is logged meanwhile, as it would be written to stderr."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line())
    listened = [logging.getLogger(), logging.getLogger("django")]
    for logger in listened:
        logger.addHandler(handler)
    yield stream
    for logger in listened:
        logger.removeHandler(handler)


def everything_kept() -> str:
    """Every row of every table of ours."""
    ours = (
        model
        for app in ("districts", "accounts", "students", "updates")
        for model in apps.get_app_config(app).get_models()
    )
    return json.dumps([list(model._default_manager.values()) for model in ours], default=str)


def the_life_of_a_member(manager: Member, clock: Clock) -> list[str]:
    """Invited, signed in, forgetful, changed, and mistaken all the way; returns the secrets there were."""
    browser = Browser()
    ben = invite(
        manager.district, "ben@maple.example", "Ben", "Oz", "district manager", [], manager, NOW
    )
    mails.send_due()
    holder, _ = emailed_links.read(_token_of_last_mail())
    with pytest.raises(InvalidPassword):
        set_password(holder, SHORT, NOW)
    set_password(holder, FIRST, NOW, address=HERE, agent="Firefox")
    with pytest.raises(LinkExpired):
        emailed_links.read(_token_of_last_mail())
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
    kept = with_second_factor(ben, clock.now)
    second_factor.verify_code(ben, kept.recovery_codes[0], HERE, clock.now)
    with pytest.raises(CodeFailed):
        second_factor.verify_code(ben, kept.recovery_codes[0], HERE, clock.now)
    assert kept.token
    sign_in_with_token(kept.token, HERE, clock.now)
    with pytest.raises(TokenRejected):
        sign_in_with_token(kept.token[:-1] + "_", HERE, clock.now)
    with pytest.raises(InvalidMember):
        add_member(manager.district, "eve@maple.example", "Eve", "Doe", "district manager", SHORT)
    in_letters = second_factor.in_letters(ben, SecondFactor.objects.get().encrypted_secret)
    keys += [
        *kept.recovery_codes,
        kept.token,
        kept.token[11:],
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


def test_nothing_that_opens_anything_is_kept_or_logged(
    manager: Member, clock: Clock, log: io.StringIO
) -> None:
    secrets = [*the_life_of_a_member(manager, clock), "zQcanary"]
    kept, logged = everything_kept(), log.getvalue()
    assert "ben@maple.example" in kept
    assert [secret for secret in secrets if secret in kept or secret in logged] == []


def test_mails_hold_no_password_and_nothing_but_one_link(manager: Member, clock: Clock) -> None:
    the_life_of_a_member(manager, clock)
    assert len(mail.outbox) == 3
    for sent in mail.outbox:
        assert "zQcanary" not in str(sent.message())


def test_a_failure_to_send_logs_neither_the_mail_nor_its_reader(
    manager: Member, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    request_password_reset(manager.email, HERE, NOW)
    monkeypatch.setattr(emailed_links, "address", lambda token: 1 / 0)
    mails.send_due()
    assert "could not be sent (ZeroDivisionError)" in log.getvalue()
    assert manager.email not in log.getvalue()


def test_this_test_can_fail(manager: Member) -> None:
    Member.objects.update(first_name="zQcanary")
    assert "zQcanary" in everything_kept()
