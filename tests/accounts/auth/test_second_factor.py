"""Two-step verification: turning it on and off, codes, and encryption of the secret."""

import re
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.core import mail
from django.db import connection

from rollbook.accounts import mails
from rollbook.accounts.auth import api_tokens, second_factor, throttle
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.auth.second_factor import (
    RECOVERY_CODES,
    AlreadyTurnedOn,
    CodeRejected,
    SecretUnreadable,
)
from rollbook.accounts.auth.throttle import (
    MAX_CODE_FAILURES_PER_LOGIN,
    MAX_FAILURES_PER_ADDRESS,
    RateLimited,
)
from rollbook.accounts.models import AuditEvent, Member, RecoveryCode, SecondFactor, Token
from tests.accounts.browser import HERE, NOW, Clock
from tests.accounts.phone import Phone, TwoStepSetup, with_second_factor
from tests.conftest import make_district, make_member

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def two_step(manager: Member) -> TwoStepSetup:
    """Turn on two-step verification for the manager."""
    return with_second_factor(manager)


def fresh(member: Member) -> Member:
    return Member.objects.get(pk=member.pk)


def test_a_valid_code_turns_it_on(manager: Member) -> None:
    encrypted_secret = second_factor.new_encrypted_secret(manager)
    phone = Phone.with_secret(second_factor.secret_as_text(manager, encrypted_secret))
    assert not fresh(manager).has_second_factor
    setup = second_factor.turn_on(manager, encrypted_secret, phone.code(), NOW)
    assert fresh(manager).has_second_factor
    assert SecondFactor.objects.get().enabled_at == NOW
    assert len(set(setup.recovery_codes)) == RECOVERY_CODES
    assert all(re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", code) for code in setup.recovery_codes)


@pytest.mark.parametrize("code", ["", "000000", "abcdef"])
def test_a_wrong_code_does_not_turn_it_on(manager: Member, code: str) -> None:
    encrypted_secret = second_factor.new_encrypted_secret(manager)
    assert Phone.with_secret(second_factor.secret_as_text(manager, encrypted_secret)).code() != code
    with pytest.raises(CodeRejected):
        second_factor.turn_on(manager, encrypted_secret, code, NOW)
    assert not fresh(manager).has_second_factor


def test_it_cannot_be_turned_on_in_a_second_browser(
    manager: Member, two_step: TwoStepSetup
) -> None:
    encrypted_secret = second_factor.new_encrypted_secret(manager)
    with pytest.raises(AlreadyTurnedOn):
        second_factor.turn_on(
            manager,
            encrypted_secret,
            Phone.with_secret(second_factor.secret_as_text(manager, encrypted_secret)).code(),
            NOW,
        )
    assert second_factor.verify_code(manager, two_step.phone.code(later=1), HERE, NOW) is None
    assert Token.objects.count() == 1


def test_turning_it_on_creates_a_token_for_scripts(manager: Member, two_step: TwoStepSetup) -> None:
    assert two_step.token
    token = api_tokens.sign_in(two_step.token, HERE, NOW)
    assert (token.member, token.scopes) == (manager, [scope.value for scope in Scope])


def test_no_token_is_created_if_the_member_has_one(manager: Member) -> None:
    api_tokens.create(manager, "night", tuple(Scope), NOW)
    assert with_second_factor(manager).token is None


def test_no_token_is_created_if_the_member_cannot_update_students(manager: Member) -> None:
    instructor = make_member(manager.district, "ines@maple.example", "instructor")
    assert with_second_factor(instructor).token is None
    assert not Token.objects.exists()


@pytest.mark.statement("S10")
def test_members_are_notified_by_email(manager: Member, two_step: TwoStepSetup) -> None:
    second_factor.turn_off(manager, NOW)
    mails.send_due()
    assert sorted(sent.subject for sent in mail.outbox) == [
        "A Rollbook token was created · Maple USD",
        "Two-step verification for Rollbook was turned off · Maple USD",
        "Two-step verification for Rollbook was turned on · Maple USD",
    ]
    for sent in mail.outbox:
        for secret in (*two_step.recovery_codes, two_step.token, two_step.phone.code()):
            assert str(secret) not in str(sent.message())


@pytest.mark.statement("S06")
def test_a_code_works_once(manager: Member, two_step: TwoStepSetup, clock: Clock) -> None:
    with pytest.raises(CodeRejected):  # this code turned it on
        second_factor.verify_code(manager, two_step.phone.code(), HERE, NOW)
    clock.move(seconds=30)
    code = two_step.phone.code(clock.now)
    assert second_factor.verify_code(manager, code, HERE, clock.now) is None
    with pytest.raises(CodeRejected):
        second_factor.verify_code(manager, code, HERE, clock.now)


def test_a_code_older_than_the_last_one_is_rejected(
    manager: Member, two_step: TwoStepSetup
) -> None:
    second_factor.verify_code(manager, two_step.phone.code(later=1), HERE, NOW)
    with pytest.raises(CodeRejected):
        second_factor.verify_code(manager, two_step.phone.code(), HERE, NOW)


def test_spaces_in_a_code_are_ignored(manager: Member, two_step: TwoStepSetup) -> None:
    code = two_step.phone.code(later=1)
    assert second_factor.verify_code(manager, f" {code[:3]} {code[3:]} ", HERE, NOW) is None


def test_codes_of_another_member_are_rejected(
    manager: Member, two_step: TwoStepSetup, neighbor: Member
) -> None:
    theirs = with_second_factor(neighbor)
    for code in (theirs.phone.code(later=1), theirs.recovery_codes[0]):
        with pytest.raises(CodeRejected):
            second_factor.verify_code(manager, code, HERE, NOW)


@pytest.mark.statement("S06")
def test_a_recovery_code_works_once_and_returns_how_many_are_left(
    manager: Member, two_step: TwoStepSetup
) -> None:
    assert second_factor.verify_code(manager, two_step.recovery_codes[0], HERE, NOW) == 9
    assert (
        second_factor.verify_code(
            manager, two_step.recovery_codes[1].upper().replace("-", " "), HERE, NOW
        )
        == 8
    )
    with pytest.raises(CodeRejected):
        second_factor.verify_code(manager, two_step.recovery_codes[0], HERE, NOW)
    assert second_factor.recovery_codes_left(manager) == 8
    assert [event.detail for event in AuditEvent.objects.filter(action="recovery code")] == [
        "9 left",
        "8 left",
    ]


def test_new_recovery_codes_replace_the_old_ones(manager: Member, two_step: TwoStepSetup) -> None:
    new = second_factor.new_recovery_codes(manager)
    assert second_factor.recovery_codes_left(manager) == len(new) == 10
    with pytest.raises(CodeRejected):
        second_factor.verify_code(manager, two_step.recovery_codes[0], HERE, NOW)
    assert second_factor.verify_code(manager, new[0], HERE, NOW) == 9


def test_turning_it_off_removes_secret_and_codes(manager: Member, two_step: TwoStepSetup) -> None:
    assert second_factor.turn_off(manager, NOW)
    assert not fresh(manager).has_second_factor
    assert not RecoveryCode.objects.exists()
    for code in (two_step.phone.code(later=1), two_step.recovery_codes[0]):
        with pytest.raises(CodeRejected):
            second_factor.verify_code(manager, code, HERE, NOW)
    with pytest.raises(CodeRejected):
        second_factor.new_recovery_codes(manager)
    assert not second_factor.turn_off(manager, NOW)


@pytest.mark.parametrize("code", ["", "000000", "\0", "\ud800", "x" * 5000, "-", "１２３４５６"])
def test_a_wrong_code_is_counted_and_audited(
    manager: Member, two_step: TwoStepSetup, code: str
) -> None:
    with pytest.raises(CodeRejected):
        second_factor.verify_code(manager, code, HERE, NOW, "Firefox")
    event = AuditEvent.objects.get(result="failed")
    assert (event.action, event.member, event.address, event.detail) == (
        "sign in",
        manager,
        HERE,
        "code",
    )


def test_wrong_codes_from_anywhere_count_for_the_member(
    manager: Member, two_step: TwoStepSetup, clock: Clock
) -> None:
    for number in range(MAX_CODE_FAILURES_PER_LOGIN):
        with pytest.raises(CodeRejected):
            second_factor.verify_code(manager, "000000", f"198.51.100.{number}", NOW)
    with pytest.raises(RateLimited) as caught:
        second_factor.verify_code(manager, two_step.phone.code(later=1), HERE, NOW)
    assert caught.value.retry_after == 3600
    clock.move(hours=1)
    assert (
        second_factor.verify_code(manager, two_step.phone.code(clock.now), HERE, clock.now) is None
    )


def test_wrong_codes_do_not_block_other_members(manager: Member, two_step: TwoStepSetup) -> None:
    ben = make_member(manager.district, "ben@maple.example")
    setup = with_second_factor(ben)
    for number in range(MAX_CODE_FAILURES_PER_LOGIN):
        with pytest.raises(CodeRejected):
            second_factor.verify_code(manager, "000000", f"198.51.100.{number}", NOW)
    assert second_factor.verify_code(ben, setup.phone.code(later=1), HERE, NOW) is None
    # Nor do they block the member's password, and so scripts that still use it.
    throttle.check_sign_in(manager.email, HERE, NOW)


def test_what_others_sent_from_an_address_does_not_block_codes(
    manager: Member, two_step: TwoStepSetup
) -> None:
    for number in range(MAX_FAILURES_PER_ADDRESS):
        member = make_member(manager.district, f"{number}@maple.example")
        with_second_factor(member)
        with pytest.raises(CodeRejected):
            second_factor.verify_code(member, "000000", HERE, NOW)
    assert throttle.begin_attempt(HERE, NOW).wrong_wait
    second_factor.verify_code(manager, two_step.phone.code(later=1), HERE, NOW)


@pytest.mark.statement("S06")
def test_the_database_contains_no_readable_secret(manager: Member, two_step: TwoStepSetup) -> None:
    rows = str([list(model.objects.values()) for model in (SecondFactor, RecoveryCode)])
    secret_text = second_factor.secret_as_text(manager, SecondFactor.objects.get().encrypted_secret)
    assert Phone.with_secret(secret_text) == two_step.phone
    for secret in (
        two_step.phone.secret.hex(),
        secret_text,
        secret_text.replace(" ", ""),
        *two_step.recovery_codes,
    ):
        assert secret not in rows
        assert secret.replace("-", "") not in rows


def test_a_secret_cannot_be_decrypted_for_another_member(
    manager: Member, two_step: TwoStepSetup, neighbor: Member
) -> None:
    with_second_factor(neighbor)
    encrypted_secret = SecondFactor.objects.get(member=manager).encrypted_secret
    SecondFactor.objects.filter(member=neighbor).update(encrypted_secret=encrypted_secret)
    with pytest.raises(SecretUnreadable):
        second_factor.verify_code(neighbor, two_step.phone.code(later=1), HERE, NOW)


def test_each_encrypted_secret_is_different(manager: Member) -> None:
    assert len({second_factor.new_encrypted_secret(manager) for _ in range(3)}) == 3


def test_a_member_lacks_it_only_if_the_district_requires_it(manager: Member) -> None:
    assert not fresh(manager).lacks_second_factor
    manager.district.requires_second_factor = True
    manager.district.save()
    assert fresh(manager).lacks_second_factor
    with_second_factor(manager)
    assert not fresh(manager).lacks_second_factor


def run_concurrently(count: int, work: Callable[[], object]) -> None:
    """Run the work in several threads at the same time."""
    ready = Barrier(count)

    def run() -> None:
        ready.wait()
        try:
            work()
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.statement("S06")
@pytest.mark.django_db(transaction=True)
def test_one_of_several_concurrent_uses_of_a_code_succeeds() -> None:
    manager = make_member(make_district("Maple USD"), "ops@maple.example")
    two_step = with_second_factor(manager)
    later = NOW + timedelta(seconds=30)
    for code in (two_step.phone.code(later), two_step.recovery_codes[0]):
        accepted: list[object] = []

        def use(code: str = code, accepted: list[object] = accepted) -> None:
            try:
                second_factor.verify_code(manager, code, HERE, later)
            except CodeRejected:
                return
            accepted.append(code)

        run_concurrently(5, use)
        assert accepted == [code]
