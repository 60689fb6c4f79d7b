"""Rotating keys: what was written before is still read, and what isn't needed is removed."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.signing import Signer
from django.utils import timezone

from rollbook.accounts import key_fingerprints, key_ring
from rollbook.accounts.audit import log, seals
from rollbook.accounts.auth import emailed_links, second_factor, throttle
from rollbook.accounts.key_ring import (
    DISTRICT_KEYS,
    LOGINS,
    NAMES,
    ROW_DIGESTS,
    SESSION,
    STUDENT_PASSWORDS,
)
from rollbook.accounts.models import (
    AccountMailKind,
    AuditEvent,
    AuditSeal,
    KeyFingerprint,
    KeyState,
    Member,
    SecondFactor,
)
from rollbook.districts.models import District
from rollbook.operations.keys import catalog, rotation
from rollbook.secret_keys import KeyUnusable, load_or_create_key
from rollbook.students import passwords
from rollbook.students.models import Student
from rollbook.updates.receiving import files
from tests.accounts.audit.test_seals import bypass_triggers
from tests.accounts.browser import HERE, NOW, Browser
from tests.accounts.phone import with_second_factor
from tests.updates.night import a_class, counts, enroll, finish, run, send, stored_text


def rotate(*names: str) -> None:
    for name in names or NAMES:
        rotation.stage(name, NOW)
        rotation.activate(name, NOW)


def states(name: str) -> list[tuple[int, str]]:
    rows = KeyFingerprint.objects.filter(name=name).order_by("version")
    return list(rows.values_list("version", "state"))


def test_a_new_version_is_staged_once_and_then_activated(folder: Path) -> None:
    first = key_ring.ring(LOGINS).key
    assert rotation.stage(LOGINS, NOW).version == 2
    assert rotation.stage(LOGINS, NOW).version == 2
    key_ring.refresh()
    assert key_ring.ring(LOGINS).key == first
    assert states(LOGINS) == [(1, "active"), (2, "staged")]
    rotation.activate(LOGINS, NOW)
    assert states(LOGINS) == [(1, "retired"), (2, "active")]
    assert key_ring.ring(LOGINS).key == (folder / "logins.2").read_bytes() != first
    assert key_ring.ring(LOGINS).newest_first()[1:] == [first]
    with pytest.raises(rotation.NotStaged):
        rotation.activate(LOGINS, NOW)
    key_fingerprints.verify_keys()


def test_the_file_of_an_interrupted_rotation_is_used(folder: Path) -> None:
    key = load_or_create_key(folder, LOGINS, 2)
    rotate(LOGINS)
    assert key_ring.ring(LOGINS).key == key


def test_a_staged_key_that_was_not_copied_is_not_activated(folder: Path) -> None:
    rotation.stage(LOGINS, NOW)
    (folder / "logins.2").unlink()
    with pytest.raises(KeyUnusable, match=r"logins\.2 is missing"):
        rotation.activate(LOGINS, NOW)
    assert states(LOGINS) == [(1, "active"), (2, "staged")]
    key_fingerprints.verify_keys()  # nothing needs it yet


def test_a_machine_without_the_new_key_continues_with_the_old_one(folder: Path) -> None:
    first = key_ring.ring(SESSION).key
    rotate(SESSION)
    away = (folder / "session.2").rename(folder.parent / "session.2")
    key_ring.assume({})
    key_ring.refresh()
    assert key_ring.ring(SESSION).key == first
    away.rename(folder / "session.2")
    key_ring.refresh()  # as every few seconds
    assert key_ring.ring(SESSION).key != first


def test_a_process_follows_a_rotation_of_another_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = key_ring.ring(LOGINS).key
    known = key_ring.load_versions()
    rotate(LOGINS)
    key_ring.assume(known)
    assert key_ring.ring(LOGINS).key == first
    assert 2 not in key_ring.ring_with(LOGINS, 2).keys  # they have only just been read
    monkeypatch.setattr(key_ring, "RETRY_S", -1.0)
    assert 2 in key_ring.ring_with(LOGINS, 2).keys  # a value with an unknown version
    key_ring.assume(known)
    monkeypatch.setattr(key_ring, "REFRESH_S", -1.0)
    assert key_ring.ring(LOGINS).key != first


@pytest.mark.statement("S53")
def test_sessions_and_links_stay_valid(folder: Path, manager: Member) -> None:
    browser, other = Browser(), Browser()
    browser.sign_in(manager)
    other.cookies = dict(browser.cookies)
    link = emailed_links.make_token(manager, AccountMailKind.FORGOTTEN_PASSWORD)
    key_ring.ring(SESSION)
    signed = Signer().sign("a")
    rotate(SESSION)
    key_ring.ring(SESSION)
    assert Signer().sign("a") != signed
    assert Signer().unsign(signed) == "a"
    assert browser.member() == manager
    assert other.member() == manager  # another request with the same cookie
    assert emailed_links.read_token(link)[0] == manager
    new_link = emailed_links.make_token(manager, AccountMailKind.FORGOTTEN_PASSWORD)
    assert emailed_links.read_token(new_link)[0] == manager
    now = timezone.now()
    KeyFingerprint.objects.filter(name=SESSION, version=1).update(
        changed_at=now - timedelta(days=31)
    )
    assert rotation.remove_unneeded(now) == ["session"]
    key_ring.refresh()
    assert browser.member() == manager  # signed again by the request before
    with pytest.raises(emailed_links.LinkExpired):
        emailed_links.read_token(link)


def test_second_factors_are_encrypted_again_in_steps(
    folder: Path, manager: Member, neighbor: Member
) -> None:
    setups = [(member, with_second_factor(member)) for member in (manager, neighbor)]
    rotate(LOGINS)
    assert second_factor.verify_code(manager, setups[0][1].phone.code(NOW, 1), HERE, NOW) is None
    assert [rotation.encrypt_again(1) for _ in range(3)] == [1, 1, 0]
    stored = SecondFactor.objects.values_list("encrypted_secret", flat=True)
    assert all(text.startswith("2.") for text in stored)
    for member, setup in setups:
        code = setup.phone.code(NOW + timedelta(minutes=5))
        assert second_factor.verify_code(member, code, HERE, NOW + timedelta(minutes=5)) is None
    rotate(LOGINS)
    assert [rotation.encrypt_again() for _ in range(2)] == [2, 0]


def test_recovery_codes_stay_valid_with_their_own_key(folder: Path, manager: Member) -> None:
    setup = with_second_factor(manager)
    rotate(LOGINS)
    codes = setup.recovery_codes
    assert second_factor.verify_code(manager, codes[0], HERE, NOW) == len(codes) - 1
    fresh = second_factor.new_recovery_codes(manager)
    assert second_factor.verify_code(manager, fresh[0], HERE, NOW) == len(codes) - 1
    with pytest.raises(second_factor.CodeRejected):
        second_factor.verify_code(manager, codes[1], HERE, NOW)


def test_seals_name_their_key(folder: Path, manager: Member) -> None:
    for version in (1, 2):
        log.record("student", "seen", member=manager, now=NOW)
        seals.seal_pending(NOW)
        assert AuditSeal.objects.order_by("-number")[0].key_version == version
        rotate(LOGINS)
    assert (seals.verify().seals, seals.verify().broken) == (2, ())
    first = seals.load_valid_seal(1)
    assert first
    seals.remove_events(first, [event.pk for event in first.events])
    assert seals.verify().broken == ()
    bypass_triggers("UPDATE accounts_auditseal SET key_version = 2 WHERE number = 1")
    assert [broken.number for broken in seals.verify().broken] == [1]


def test_failed_sign_ins_still_count(folder: Path, manager: Member) -> None:
    for _ in range(throttle.MAX_FAILURES_PER_LOGIN_AND_ADDRESS):
        throttle.record_failure(manager.email, HERE, NOW)
    rotate(LOGINS)
    with pytest.raises(throttle.RateLimited):
        throttle.check_sign_in(manager.email, HERE, NOW)


MARK_KEY = bytes(32)


def test_student_passwords_keep_their_key(folder: Path) -> None:
    stored = [
        passwords.hash_for_import("secret", MARK_KEY),
        passwords.hash_for_import("secret", MARK_KEY),
    ]
    stored[1] = passwords._upgrade(stored[1])
    rotate()
    stored += [
        passwords.hash_for_import("secret", MARK_KEY),
        passwords.hash_for_import("secret", MARK_KEY),
    ]
    stored[3] = passwords._upgrade(stored[3])
    methods = [password.partition("$")[0] for password in stored]
    assert methods == ["hmac", "argon2id", "hmac.2", "argon2id.2"]
    for password in stored:
        assert passwords.verify(password, "secret")
        assert not passwords.verify(password, "other")
        assert passwords.ImportedPasswords(MARK_KEY).is_unchanged(password, "secret")
        assert not passwords.ImportedPasswords(MARK_KEY).is_unchanged(password, "other")


def test_students_are_counted_by_the_version_they_need(folder: Path, maple: District) -> None:
    enroll(maple, a_class(2, PASSWORD="secret{0}"))
    assert passwords.upgrade_hashes(1) == 1
    rotate()
    name = Student.objects.order_by("pk").values_list("student_id", flat=True)[0]
    run(maple, f"STUDENT_ID,PASSWORD\n{name},other")
    assert passwords.upgrade_hashes(3) == 2
    assert passwords.upgrade_hashes(3) == 0
    needed = {
        (row.name, row.version): list(catalog.needs(row))
        for row in KeyFingerprint.objects.filter(name__startswith="student")
    }
    assert needed == {
        (key, version): ["1 student password"]
        for key in ("student-passwords", "student-password-marks")
        for version in (1, 2)
    }


def test_the_file_after_a_rotation_is_read_in_full_and_changes_nothing(
    folder: Path, maple: District
) -> None:
    text = a_class(3, PASSWORD="secret{0}")
    enroll(maple, text)
    before = key_ring.ring(ROW_DIGESTS).key
    rotate()
    assert key_ring.ring(ROW_DIGESTS).key != before
    assert counts(run(maple, text)) == {"unchanged": 3}
    assert counts(run(maple, text)) == {"unchanged": 3}


@pytest.mark.statement("S36")
def test_a_rotation_wraps_the_keys_of_districts_again_and_changes_no_file(
    folder: Path, maple: District, cedar: District
) -> None:
    updates = [send(maple, a_class(3)), send(cedar, a_class(3))]
    paths = [files.path_of(update.spool_name) for update in updates]
    stored = [path.read_bytes() for path in paths]
    rotate(DISTRICT_KEYS)
    row = KeyFingerprint.objects.get(name=DISTRICT_KEYS, version=1)
    assert list(catalog.needs(row)) == ["2 district keys"]
    assert rotation.encrypt_again(limit=1) == 1
    assert list(catalog.needs(row)) == ["1 district key"]
    assert stored_text(updates[0].spool_name)
    assert [rotation.encrypt_again(), rotation.encrypt_again()] == [1, 0]
    assert list(catalog.needs(row)) == []
    assert rotation.remove_unneeded(NOW + rotation.KEPT + timedelta(seconds=1))
    assert not (folder / DISTRICT_KEYS).exists()
    assert [path.read_bytes() for path in paths] == stored
    assert counts(finish(updates[0])) == {"rejected": 3}


def test_a_version_is_removed_when_nothing_has_needed_it_for_a_while(
    folder: Path, manager: Member
) -> None:
    with_second_factor(manager)
    rotate()
    soon, later = NOW + rotation.KEPT, NOW + rotation.KEPT + timedelta(seconds=1)
    assert rotation.remove_unneeded(soon) == []
    removed = rotation.remove_unneeded(later)
    assert "logins" not in removed  # recovery codes still need it
    assert {"row-digests", "student-passwords", "student-password-marks"} <= set(removed)
    assert not (folder / "row-digests").exists()
    assert states(ROW_DIGESTS) == [(1, KeyState.REMOVED), (2, KeyState.ACTIVE)]
    assert AuditEvent.objects.filter(action="keys remove").count() == len(removed)
    key_fingerprints.verify_keys()
    assert rotation.stage(ROW_DIGESTS, NOW).version == 3


def test_a_removal_that_was_interrupted_is_finished(folder: Path) -> None:
    rotate(STUDENT_PASSWORDS)
    KeyFingerprint.objects.filter(name=STUDENT_PASSWORDS, version=1).update(state=KeyState.REMOVED)
    assert rotation.remove_unneeded(NOW) == [STUDENT_PASSWORDS]
    (folder / STUDENT_PASSWORDS).write_bytes(bytes(32))
    assert rotation.remove_unneeded(NOW) == []
    assert (folder / STUDENT_PASSWORDS).exists()  # another key, which isn't ours to delete


@pytest.mark.statement("S53")
def test_the_session_key_of_django_is_replaced(folder: Path) -> None:
    rotate(SESSION)
    key_ring.ring(SESSION)
    assert (folder / "session.2").read_bytes().hex() == settings.SECRET_KEY
    assert [(folder / "session").read_bytes().hex()] == settings.SECRET_KEY_FALLBACKS
