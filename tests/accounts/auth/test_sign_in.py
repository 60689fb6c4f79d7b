"""Sign-in with login and password: who can, what is recorded, and how often it hashes."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from unittest import mock

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection

from rollbook.accounts.auth import sign_in as auth_sign_in
from rollbook.accounts.auth.password_hasher import Argon2id
from rollbook.accounts.auth.sign_in import SecondFactorRequired, SignInFailed, fold_login, sign_in
from rollbook.accounts.auth.throttle import MAX_FAILURES_PER_LOGIN_AND_ADDRESS, RateLimited
from rollbook.accounts.models import AuditEvent, KnownAddress, Member, SignInFailure
from rollbook.districts.models import District
from tests.accounts.phone import with_second_factor
from tests.conftest import PASSWORD, make_district, make_member

HERE = "203.0.113.7"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
    """Counts the calls of the slow hash, with its parameters."""
    counter = mock.Mock()

    def counted(method: Callable[..., object]) -> Callable[..., object]:
        def run(self: Argon2id, *args: object, **kwargs: object) -> object:
            counter(self.time_cost, self.memory_cost, self.parallelism)
            return method(self, *args, **kwargs)

        return run

    monkeypatch.setattr(Argon2id, "encode", counted(Argon2id.encode))
    monkeypatch.setattr(Argon2id, "verify", counted(Argon2id.verify))
    return counter


def test_the_right_password_signs_in(manager: Member) -> None:
    assert sign_in("ops@maple.example", PASSWORD, HERE, NOW) == manager


@pytest.mark.parametrize(
    "login", [" ops@maple.example\r\n", "OPS@Maple.Example", "\uff4f\uff50\uff53@maple.example"]
)
def test_a_login_is_trimmed_and_folded(manager: Member, login: str) -> None:
    assert sign_in(login, PASSWORD, HERE, NOW) == manager


@pytest.mark.parametrize(
    "login", ["\u043eps@maple.example", "ops@maple.example\0", "", "a\nb", "x" * 5000]
)
def test_look_alikes_and_invalid_logins_fail(manager: Member, login: str) -> None:
    with pytest.raises(SignInFailed):
        sign_in(login, PASSWORD, HERE, NOW)


def test_invalid_logins_are_folded_to_an_empty_text() -> None:
    assert [fold_login(login) for login in ("a\0b", "a\x1bb", "x" * 255)] == ["", "", ""]
    assert len(fold_login("x" * 254)) == 254


@pytest.mark.statement("S14")
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_one_line_break_after_the_password_is_tolerated(manager: Member, end: str) -> None:
    assert sign_in(manager.email, PASSWORD + end, HERE, NOW) == manager


@pytest.mark.statement("S14")
@pytest.mark.parametrize(
    "typed", [PASSWORD + "\n\n", PASSWORD + " ", " " + PASSWORD, PASSWORD + "\r", PASSWORD + "\n "]
)
def test_nothing_else_is_trimmed_off_a_password(manager: Member, typed: str) -> None:
    with pytest.raises(SignInFailed):
        sign_in(manager.email, typed, HERE, NOW)


@pytest.mark.statement("S02")
def test_a_password_matches_in_any_unicode_normalization(manager: Member) -> None:
    Member.objects.update(password=make_password("crème brûlée for two"))
    assert sign_in(manager.email, "cre\u0300me bru\u0302le\u0301e for two", HERE, NOW)


@pytest.mark.statement("S03")
@pytest.mark.parametrize("case", ["known", "wrong", "inactive", "invited", "unknown"])
def test_each_attempt_hashes_exactly_once(manager: Member, hashing: mock.Mock, case: str) -> None:
    manager.is_active = case != "inactive"
    if case == "invited":
        manager.set_unusable_password()
    manager.save()
    login = "nobody@maple.example" if case == "unknown" else manager.email
    with nullcontext() if case == "known" else pytest.raises(SignInFailed):
        sign_in(login, "a wrong password" if case == "wrong" else PASSWORD, HERE, NOW)
    assert hashing.call_count == 1


@pytest.mark.statement("S03")
def test_the_right_password_of_a_former_member_is_hashed_like_a_wrong_one(
    manager: Member, hashing: mock.Mock
) -> None:
    sign_in(manager.email, PASSWORD, HERE, NOW)  # now it is in the cache
    Member.objects.update(is_active=False)
    calls = []
    for login, password in (
        (manager.email, PASSWORD),
        (manager.email, "a wrong password"),
        ("nobody@maple.example", PASSWORD),
    ):
        hashing.reset_mock()
        with pytest.raises(SignInFailed):
            sign_in(login, password, HERE, NOW)
        calls.append(hashing.call_args_list)
    assert calls == [[mock.call(Argon2id.time_cost, Argon2id.memory_cost, 1)]] * 3


@pytest.mark.statement("S02")
def test_a_password_over_1024_bytes_fails_without_being_hashed(
    manager: Member, hashing: mock.Mock
) -> None:
    with pytest.raises(SignInFailed):
        sign_in(manager.email, "x" * 1025, HERE, NOW)
    assert hashing.call_count == 0


@pytest.mark.statement("S04")
def test_nothing_is_hashed_when_rate_limited(manager: Member, hashing: mock.Mock) -> None:
    _fail(manager.email, MAX_FAILURES_PER_LOGIN_AND_ADDRESS)
    hashing.reset_mock()
    with pytest.raises(RateLimited) as caught:
        sign_in(manager.email, PASSWORD, HERE, NOW)
    assert hashing.call_count == 0
    assert caught.value.retry_after == 3600


def test_the_next_attempt_is_allowed_after_the_wait(manager: Member) -> None:
    _fail(manager.email, MAX_FAILURES_PER_LOGIN_AND_ADDRESS)
    with pytest.raises(RateLimited) as caught:
        sign_in(manager.email, PASSWORD, HERE, NOW + timedelta(minutes=20))
    assert sign_in(
        manager.email, PASSWORD, HERE, NOW + timedelta(minutes=20, seconds=caught.value.retry_after)
    )


@pytest.mark.statement("S01")
@pytest.mark.usefixtures("real_hashing")
def test_a_weaker_hash_is_upgraded_at_sign_in(manager: Member) -> None:
    weak = type("Weak", (Argon2id,), {"memory_cost": 1024, "time_cost": 1})()
    Member.objects.update(password=weak.encode(PASSWORD, weak.salt()))
    sign_in(manager.email, PASSWORD, HERE, NOW)
    manager.refresh_from_db()
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in manager.password
    assert sign_in(manager.email, PASSWORD, HERE, NOW)


def test_the_returned_member_has_the_upgraded_hash(manager: Member) -> None:
    weak = type("Weak", (Argon2id,), {"memory_cost": 1024, "time_cost": 1})()
    Member.objects.update(password=weak.encode(PASSWORD, weak.salt()))
    assert sign_in(manager.email, PASSWORD, HERE, NOW).password == Member.objects.get().password


@pytest.mark.parametrize("password", ["", "!", PASSWORD])
def test_an_invited_member_cannot_sign_in(manager: Member, password: str) -> None:
    manager.set_unusable_password()
    manager.save()
    for typed in (password, manager.password):
        with pytest.raises(SignInFailed):
            sign_in(manager.email, typed, HERE, NOW)


def test_a_password_changed_during_the_sign_in_is_not_overwritten_by_the_upgrade(
    manager: Member,
) -> None:
    stale = Member.objects.get(pk=manager.pk)
    Member.objects.update(password=make_password("changed in the meantime"))
    auth_sign_in._upgrade_hash(stale, PASSWORD)
    assert sign_in(manager.email, "changed in the meantime", HERE, NOW)


@pytest.mark.statement("S45")
def test_a_failure_is_stored_and_audited_without_the_login(manager: Member) -> None:
    with pytest.raises(SignInFailed):
        sign_in("Ada,Lovelace,1815-12-10", "x", HERE, NOW, agent="curl/8")
    failure, event = SignInFailure.objects.get(), AuditEvent.objects.get()
    assert "lovelace" not in failure.login_digest
    assert (event.action, event.result, event.member, event.agent) == (
        "sign in",
        "failed",
        None,
        "curl/8",
    )
    assert "ovelace" not in event.detail


def test_a_failure_of_a_known_member_is_audited_with_the_member(manager: Member) -> None:
    with pytest.raises(SignInFailed):
        sign_in(manager.email, "x", HERE, NOW)
    assert AuditEvent.objects.get().member == manager


def test_a_sign_in_is_audited_once_a_day_for_each_address(manager: Member) -> None:
    for hours, address in [(0, HERE), (1, HERE), (2, "203.0.113.8"), (24, HERE)]:
        sign_in(manager.email, PASSWORD, address, NOW + timedelta(hours=hours))
    assert AuditEvent.objects.filter(action="sign in", result="ok").count() == 3
    assert KnownAddress.objects.get(address=HERE).last_seen_at == NOW + timedelta(hours=24)


@pytest.mark.django_db(transaction=True)
def test_concurrent_guesses_exceed_the_limit_by_at_most_three() -> None:
    manager = make_member(make_district("Maple USD"), "ops@maple.example")
    start = Barrier(20)

    def guess() -> None:
        start.wait()
        try:
            sign_in(manager.email, "a wrong guess", HERE, NOW)
        except (SignInFailed, RateLimited):
            pass
        finally:
            connection.close()

    threads = [Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failures = SignInFailure.objects.count()
    assert (
        MAX_FAILURES_PER_LOGIN_AND_ADDRESS
        <= failures
        <= MAX_FAILURES_PER_LOGIN_AND_ADDRESS + auth_sign_in.MAX_CONCURRENT_HASHES - 1
    )


def _fail(login: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(SignInFailed):
            sign_in(login, "a wrong password", HERE, NOW)


def test_the_password_is_not_enough_with_two_step_verification(manager: Member) -> None:
    with_second_factor(manager)
    with pytest.raises(SecondFactorRequired) as caught:
        sign_in("ops@maple.example", PASSWORD, HERE, NOW)
    assert not caught.value.is_missing
    assert auth_sign_in.verify_password("ops@maple.example", PASSWORD, HERE, NOW) == manager


def test_the_password_is_not_enough_if_the_district_requires_two_steps(manager: Member) -> None:
    District.objects.update(requires_second_factor=True)
    with pytest.raises(SecondFactorRequired) as caught:
        sign_in("ops@maple.example", PASSWORD, HERE, NOW)
    assert caught.value.is_missing


def test_a_password_that_is_not_enough_is_audited_once_a_day_for_each_address(
    manager: Member,
) -> None:
    with_second_factor(manager)
    for address, now in (
        (HERE, NOW),
        (HERE, NOW),
        ("198.51.100.7", NOW),
        (HERE, NOW + timedelta(days=1)),
    ):
        with pytest.raises(SecondFactorRequired):
            sign_in("ops@maple.example", PASSWORD, address, now)
    assert not KnownAddress.objects.exists()
    assert not SignInFailure.objects.exists()
    events = AuditEvent.objects.filter(action="sign in", member=manager)
    assert [event.result for event in events] == ["two-step verification required"] * 3


def test_a_wrong_password_does_not_reveal_two_step_verification(manager: Member) -> None:
    with_second_factor(manager)
    with pytest.raises(SignInFailed):
        sign_in("ops@maple.example", "wrong", HERE, NOW)
