"""Mark keys exist only while a district sends passwords; without them every guess is slow."""

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.accounts import district_keys, key_ring
from rollbook.accounts.district_keys import KeyPurpose
from rollbook.accounts.models import DistrictKey
from rollbook.districts.models import District
from rollbook.jobs import housekeeping
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.rules import FileRules
from rollbook.students import passwords
from rollbook.students.models import Student
from rollbook.updates import password_marks
from rollbook.updates.manifest.fingerprints import RowFingerprinter
from rollbook.updates.models import CheckedRange, UpdateJob
from tests.updates.night import a_class, counts, enroll, file_of, forget, run

NOW = timezone.now()
WITH_PASSWORDS = a_class(3, PASSWORD="secret{0}")


@pytest.fixture
def sending(maple: District) -> District:
    """A district that sends passwords; the students' hashes have been upgraded."""
    enroll(maple, WITH_PASSWORDS)
    assert counts(run(maple, WITH_PASSWORDS)) == {"unchanged": 3}
    passwords.upgrade_hashes(10)
    return maple


def has_mark_key(district: District) -> bool:
    return district_keys.find(district.pk, KeyPurpose.PASSWORD_MARKS) is not None


def stored() -> list[str]:
    return list(Student.objects.order_by("pk").values_list("password", flat=True))


def tags() -> list[str]:
    return [password.split("$")[2] for password in stored()]


@pytest.mark.parametrize(
    ("days", "is_kept"), [(0, True), (29, True), (30, False), (31, False), (400, False)]
)
@pytest.mark.statement("S37")
def test_the_key_is_destroyed_30_days_after_the_last_file_with_passwords(
    sending: District, days: int, is_kept: bool
) -> None:
    latest = UpdateJob.objects.order_by("number").last()
    assert latest
    password_marks.destroy_unused(latest.received_at + timedelta(days=days))
    assert has_mark_key(sending) is is_kept


def test_files_without_passwords_do_not_keep_it(sending: District, cedar: District) -> None:
    UpdateJob.objects.update(received_at=NOW - timedelta(days=31))
    run(sending, a_class(3, GRADE="9"))
    enroll(cedar, WITH_PASSWORDS)
    assert housekeeping.maintain_password_marks() == 1
    assert (has_mark_key(sending), has_mark_key(cedar)) == (False, True)
    assert housekeeping.maintain_password_marks() == 0


def test_a_file_without_passwords_creates_none(maple: District) -> None:
    enroll(maple, a_class(2))
    assert not has_mark_key(maple)
    assert tags() == ["", ""]


@pytest.mark.statement("S37")
def test_without_the_key_nothing_that_is_stored_tests_a_password_quickly(
    sending: District,
) -> None:
    """Everything that the folder with its keys offers, but not slow hashes."""
    assert len(list(fast_guesses(sending, "secret1"))) == 2  # while passwords are sent
    UpdateJob.objects.update(received_at=NOW - timedelta(days=31))
    housekeeping.maintain_password_marks()
    assert list(fast_guesses(sending, "secret1")) == []
    assert all(re.match(r"argon2id\$", password) for password in stored())
    assert passwords.verify(stored()[1], "secret1")


def fast_guesses(district: District, password: str) -> Iterator[str]:
    """Yield what confirms the password of the student in the second row."""
    key = DistrictKey.objects.filter(
        district=district, purpose=KeyPurpose.PASSWORD_MARKS.value
    ).first()
    secret = district_keys.get(key.pk).secret if key else None
    student = Student.objects.get(student_id="s001")
    if passwords.ImportedPasswords(secret).is_unchanged(student.password, password):
        yield "tag"
    inner = passwords._change_tag(
        student.password.split("$")[1],
        password,
        key_ring.ring(key_ring.STUDENT_PASSWORD_MARKS).key,
    )
    if inner in student.password:
        yield "tag without the mark key"
    header, *rows = file_of(WITH_PASSWORDS).splitlines()
    record = next(row for row in rows if row.startswith("s001")).encode()
    parsed, _ = Header.parse(header.split(","))
    for mark_key in {secret, None}:
        fingerprinter = RowFingerprinter(district.pk, parsed, FileRules(), mark_key)
        fingerprint = fingerprinter.compute([record]).tobytes()
        packed = CheckedRange.objects.values_list("fingerprints", flat=True)
        if any(fingerprint in bytes(fingerprints) for fingerprints in packed):
            yield "fingerprint"


def test_after_a_break_passwords_are_set_once_more(sending: District) -> None:
    """The price: the first file counts every row as changed."""
    password_marks.destroy_unused(NOW + timedelta(days=31))
    assert counts(run(sending, WITH_PASSWORDS)) == {"updated": 3}
    assert counts(run(sending, WITH_PASSWORDS)) == {"unchanged": 3}
    assert passwords.verify(stored()[1], "secret1")


# Tags of older versions


def make_old(district: District) -> None:
    """Give students the tags of an older version, two of a rotated key."""
    ring = key_ring.ring(key_ring.STUDENT_PASSWORD_MARKS)
    for student in Student.objects.filter(district=district):
        method, salt, _, verifier = student.password.split("$", 3)
        number = (student.student_id or "")[-1]
        tag = passwords._change_tag(salt, f"secret{number}", ring.key)
        student.password = f"{method}${salt}${tag}${verifier}"
        student.save(update_fields=["password"])
    forget(district)


def test_they_are_protected_with_the_key_and_still_recognize_passwords(
    sending: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_marks, "TAGS_PER_STEP", 2)
    make_old(sending)
    old = tags()
    assert counts(run(sending, WITH_PASSWORDS)) == {"unchanged": 3}
    steps = [housekeeping.seal_old_tags() for _ in range(3)]
    assert steps == [2, 1, 0]
    assert all(tag.startswith("~") and tag[1:] not in old for tag in tags())
    forget(sending)
    assert counts(run(sending, WITH_PASSWORDS)) == {"unchanged": 3}


def test_they_are_removed_if_the_district_sends_no_passwords(sending: District) -> None:
    make_old(sending)
    UpdateJob.objects.update(received_at=NOW - timedelta(days=31))
    while housekeeping.seal_old_tags():
        pass
    assert tags() == ["", "", ""]
    assert passwords.verify(stored()[1], "secret1")


@pytest.mark.statement("S37")
def test_no_digest_of_a_removed_file_is_left(sending: District) -> None:
    """The digest of a file with one student would be a fast mark without any key."""
    digest = hashlib.sha256(WITH_PASSWORDS.encode()).hexdigest()
    assert digest
    UpdateJob.objects.update(ended_at=NOW - timedelta(days=400))
    while housekeeping.remove_expired():
        pass
    removed = UpdateJob.objects.exclude(file_removed_at=None)
    assert set(removed.values_list("file_digest", "spool_digest")) == {("", "")}
