"""Accepting the loss of a key: what is lost, what is reset, and that everything works again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rollbook.accounts import key_fingerprints, key_ring, mails
from rollbook.accounts.audit import log, seals
from rollbook.accounts.auth import emailed_links, second_factor
from rollbook.accounts.key_fingerprints import KeysDoNotMatch
from rollbook.accounts.key_ring import LOGINS, NAMES, SESSION
from rollbook.accounts.models import (
    AccountMail,
    AccountMailKind,
    AuditEvent,
    KeyFingerprint,
    Member,
    RecoveryCode,
)
from rollbook.accounts.notices import Notice
from rollbook.districts.models import District
from rollbook.operations.keys import loss, rotation
from rollbook.students import passwords
from rollbook.updates.cancel import cancel
from rollbook.updates.receiving import files
from tests.accounts.browser import HERE, NOW, Browser
from tests.accounts.phone import with_second_factor
from tests.conftest import make_member
from tests.updates.night import a_class, counts, enroll, finish, password_of, run, send

DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "short": lambda path: path.write_bytes(bytes(31)),
    "another": lambda path: path.write_bytes(bytes(32)),
}


@pytest.fixture
def class_file(folder: Path, maple: District) -> str:
    """The file of two students who are enrolled."""
    text = a_class(2, PASSWORD="secret{0}")
    enroll(maple, text)
    run(maple, text)
    return text


def lose(folder: Path, name: str) -> list[str]:
    """Delete the key, accept that, and return what is lost with it."""
    (folder / name).unlink()
    with pytest.raises(KeysDoNotMatch):
        key_fingerprints.verify_keys()
    found = loss.find_losses(name)
    assert loss.accept(name, NOW)
    key_fingerprints.verify_keys()
    assert loss.find_losses(name) == []
    return [sentence for each in found for sentence in each.consequences]


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", NAMES)
def test_each_key_can_be_replaced(folder: Path, name: str, how: str) -> None:
    DAMAGE[how](folder / name)
    with pytest.raises(KeysDoNotMatch):
        key_fingerprints.verify_keys()
    new = loss.accept(name, NOW)
    assert new
    assert new.version == 2
    key_fingerprints.verify_keys()
    assert key_ring.ring(name).key == (folder / f"{name}.2").read_bytes()
    [event] = AuditEvent.objects.filter(action="keys accept-loss")
    assert event.detail.startswith(f"{name} version 1: ")


def test_a_key_that_can_be_used_is_not_replaced(folder: Path) -> None:
    assert loss.find_losses(LOGINS) == []
    assert loss.accept(LOGINS, NOW) is None
    assert not AuditEvent.objects.exists()


def test_a_damaged_key_that_was_never_used_is_replaced(folder: Path) -> None:
    KeyFingerprint.objects.filter(name=LOGINS).delete()
    (folder / LOGINS).write_bytes(b"")
    assert loss.accept(LOGINS, NOW)
    key_fingerprints.verify_keys()
    assert key_ring.ring(LOGINS).current == 2


def test_an_acceptance_that_was_interrupted_uses_the_file_it_had_created(folder: Path) -> None:
    (folder / LOGINS).unlink()
    (folder / "logins.2").write_bytes(bytes(32))
    assert loss.accept(LOGINS, NOW)
    assert key_ring.ring(LOGINS).key == bytes(32)


def test_without_the_session_key_everyone_signs_in_again(folder: Path, manager: Member) -> None:
    browser = Browser()
    browser.sign_in(manager)
    lost = lose(folder, SESSION)
    assert lost[0] == "1 session will end; everyone has to sign in again."
    assert browser.member() is None
    browser.sign_in(manager)
    assert browser.member() == manager


def test_without_the_key_of_logins_second_factors_are_turned_off(
    folder: Path, manager: Member
) -> None:
    with_second_factor(manager)
    log.record("student", "seen", member=manager, now=NOW)
    seals.seal_pending(NOW)
    assert lose(folder, LOGINS) == [
        "1 staff member must set up two-step verification again; until then the password alone is "
        "enough to sign in.",
        "1 audit seal can no longer be verified.",
    ]
    assert not Member.objects.get(pk=manager.pk).has_second_factor
    assert not RecoveryCode.objects.exists()
    detail = AuditEvent.objects.get(action="staff second-factor-off").detail
    assert detail == f"turned off for {manager.email}: the key is lost"
    setup = with_second_factor(Member.objects.get(pk=manager.pk))
    assert second_factor.verify_code(manager, setup.recovery_codes[0], HERE, NOW) == 9


def notices_sent() -> dict[str, str]:
    """Return recipient and text of the notices that are queued."""
    queued = AccountMail.objects.filter(notice=Notice.KEY_LOST).order_by("pk")
    texts = [(mail.member.email, str(mails.message(mail).body)) for mail in queued]
    return {email: text.split("In your district: ")[1].split("\n")[0] for email, text in texts}


@pytest.mark.statement("S49")
def test_managers_hear_of_staff_without_two_step_verification(
    folder: Path, manager: Member, neighbor: Member
) -> None:
    ben = make_member(manager.district, "ben@maple.example", "school manager")
    for member in (manager, ben):
        with_second_factor(member)
    make_member(manager.district, "eve@maple.example")
    lose(folder, LOGINS)
    lost = (
        "2 staff members must set up two-step verification again, and until then sign in with the "
        "password alone."
    )
    assert notices_sent() == {manager.email: lost, "eve@maple.example": lost}
    of_ben = AccountMail.objects.filter(member=ben).values_list("kind", flat=True)
    assert AccountMailKind.SECOND_FACTOR_OFF in of_ben


@pytest.mark.statement("S49")
def test_managers_hear_of_passwords_and_files_of_their_own_district(
    folder: Path, maple: District, manager: Member, neighbor: Member, class_file: str
) -> None:
    send(neighbor.district, a_class(1))
    lose(folder, "student-passwords")
    assert notices_sent() == {
        manager.email: "2 student passwords can no longer be used; the next file with the column "
        "PASSWORD sets them again."
    }
    AccountMail.objects.all().delete()
    lose(folder, "district-keys")
    assert notices_sent() == {
        manager.email: "2 uploaded files can no longer be read; updates that hadn't ended fail.",
        neighbor.email: "1 uploaded file can no longer be read; updates that hadn't ended fail.",
    }


def test_managers_hear_nothing_of_a_key_that_concerns_nobody(
    folder: Path, manager: Member, class_file: str
) -> None:
    for name in (SESSION, LOGINS, "student-password-marks", "row-digests"):
        lose(folder, name)
    rotation.stage(LOGINS, NOW)
    (folder / "logins.3").unlink()
    loss.accept(LOGINS, NOW)
    assert notices_sent() == {}


def test_seals_of_a_lost_key_are_counted_and_the_others_verified(
    folder: Path, manager: Member
) -> None:
    log.record("student", "seen", member=manager, now=NOW)
    seals.seal_pending(NOW)
    lose(folder, LOGINS)
    assert seals.seal_pending(NOW) > 0
    result = seals.verify()
    assert (result.seals, result.unverifiable_seals, result.broken) == (2, 1, ())
    sealed = seals.load_valid_seal(1)
    assert sealed
    seals.remove_events(sealed, [event.pk for event in sealed.events])
    assert seals.verify().broken == ()


def test_only_recovery_codes_are_lost_with_a_retired_key(folder: Path, manager: Member) -> None:
    with_second_factor(manager)
    rotation.stage(LOGINS, NOW)
    rotation.activate(LOGINS, NOW)
    assert rotation.encrypt_again() == 1
    (folder / LOGINS).unlink()
    [found] = loss.find_losses(LOGINS)
    assert found.consequences == ("1 staff member must create new recovery codes.",)
    assert loss.accept(LOGINS, NOW) is None
    key_fingerprints.verify_keys()
    assert Member.objects.get(pk=manager.pk).has_second_factor
    assert second_factor.recovery_codes_left(manager) == 0
    assert notices_sent() == {manager.email: "1 staff member must create new recovery codes."}
    assert key_ring.ring(LOGINS).current == 2


def test_the_next_file_sets_passwords_whose_key_is_lost(
    folder: Path, maple: District, class_file: str
) -> None:
    student_id = class_file.splitlines()[1].partition(",")[0]
    [lost] = lose(folder, "student-passwords")
    assert lost.startswith("2 student passwords can no longer be used; the next file with the")
    assert not passwords.verify(password_of(maple, student_id), "secret0")
    assert counts(run(maple, class_file)) == {"updated": 2}
    assert passwords.verify(password_of(maple, student_id), "secret0")
    assert counts(run(maple, class_file)) == {"unchanged": 2}


def test_passwords_still_work_without_the_key_of_marks(
    folder: Path, maple: District, class_file: str
) -> None:
    student_id = class_file.splitlines()[1].partition(",")[0]
    lose(folder, "student-password-marks")
    assert passwords.verify(password_of(maple, student_id), "secret0")
    assert counts(run(maple, class_file)) == {"unchanged": 2}
    assert passwords.verify(password_of(maple, student_id), "secret0")


def test_without_the_key_of_rows_a_file_is_read_in_full(
    folder: Path, maple: District, class_file: str
) -> None:
    lost = lose(folder, "row-digests")
    assert lost == ["The next file of each district is read in full, which takes longer."]
    assert counts(run(maple, class_file)) == {"unchanged": 2}


def test_without_the_key_of_districts_their_files_are_lost_and_new_ones_are_stored(
    folder: Path, maple: District, class_file: str
) -> None:
    update = send(maple, a_class(1))
    lost = lose(folder, "district-keys")
    assert lost == [
        "3 uploaded files can no longer be read, nor can drafts; an update that hasn't ended "
        "fails, and its file has to be uploaded again.",
        "Students' passwords can still be used, but will count as changed when a file contains "
        "them again.",
    ]
    with pytest.raises(files.FileMissing, match="no longer exists"):
        finish(update)
    cancel(maple)
    assert counts(run(maple, class_file)) == {"updated": 2}
    assert counts(run(maple, class_file)) == {"unchanged": 2}


def test_links_of_a_lost_key_are_invalid(folder: Path, manager: Member) -> None:
    link = emailed_links.make_token(manager, AccountMailKind.INVITATION)
    lose(folder, SESSION)
    with pytest.raises(emailed_links.LinkExpired):
        emailed_links.read_token(link)
