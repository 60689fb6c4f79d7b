"""Students' passwords: write-only, verified before and after wrapping, useless without the keys."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from rollbook.accounts import district_keys
from rollbook.accounts.district_keys import KeyPurpose
from rollbook.districts.models import District
from rollbook.students import passwords
from rollbook.students.models import Student
from rollbook.students.passwords import (
    ImportedPasswords,
    hash_for_import,
    random_password,
    upgrade_hashes,
    verify,
)
from tests.updates.night import a_class, enroll, password_of, run

Rekey = Callable[[Path], None]


@pytest.fixture
def rekey(monkeypatch: pytest.MonkeyPatch) -> Rekey:
    """Return a function that uses the keys in another folder."""

    def to(folder: Path) -> None:
        monkeypatch.setattr(settings, "KEYS", folder)

    return to


@pytest.fixture
def three(maple: District) -> District:
    enroll(maple, a_class(3, PASSWORD="secret{0}"))
    return maple


MARK_KEY = bytes(range(32))


def mark_key(district: District) -> bytes | None:
    key = district_keys.find(district.pk, KeyPurpose.PASSWORD_MARKS)
    return key.secret if key else None


def wrapped(district: District) -> list[bool]:
    stored = (
        Student.objects.filter(district=district).order_by("pk").values_list("password", flat=True)
    )
    return [password.startswith("argon2id$") for password in stored]


def test_only_the_right_password_is_accepted() -> None:
    stored = hash_for_import("secret", MARK_KEY)
    assert verify(stored, "secret")
    assert not verify(stored, "secre")
    assert not verify(stored, "secret ")
    assert not verify(stored, "")


def test_case_makes_no_difference() -> None:
    assert verify(hash_for_import("se-cret"), "SE-Cret")


def test_composed_and_combining_characters_are_the_same_password(maple: District) -> None:
    enroll(maple, a_class(1, PASSWORD="caf\u00e9-au-lait"))
    stored = password_of(maple, "s000")
    assert verify(stored, "caf\u00e9-au-lait")
    assert verify(stored, "cafe\u0301-AU-lait")


def test_the_same_password_is_never_stored_twice_in_the_same_way() -> None:
    one, other = hash_for_import("secret", MARK_KEY), hash_for_import("secret", MARK_KEY)
    assert "secret" not in one
    assert not {*one.split("$")[1:]} & {*other.split("$")[1:]}


def test_an_import_detects_an_unchanged_password() -> None:
    stored = hash_for_import("secret", MARK_KEY)
    assert ImportedPasswords(MARK_KEY).is_unchanged(stored, "secret")
    assert not ImportedPasswords(MARK_KEY).is_unchanged(stored, "secreu")


@pytest.mark.statement("S37")
@pytest.mark.parametrize("other", [None, bytes(32)])
def test_without_the_mark_key_the_tag_is_of_no_use(other: bytes | None) -> None:
    stored = hash_for_import("secret", MARK_KEY)
    assert not ImportedPasswords(other).is_unchanged(stored, "secret")
    assert verify(stored, "secret")


@pytest.mark.statement("S37")
def test_a_password_that_no_file_contains_has_no_tag() -> None:
    stored = hash_for_import("secret")
    assert stored.split("$")[2] == ""
    assert not ImportedPasswords(MARK_KEY).is_unchanged(stored, "secret")
    assert verify(stored, "secret")


def test_random_passwords_are_long_and_unique() -> None:
    generated = {random_password() for _ in range(50)}
    assert len(generated) == 50
    assert {len(password) for password in generated} == {12}


def test_a_wrapped_password_is_still_verified_and_detected(three: District) -> None:
    assert upgrade_hashes(8) == 3
    assert wrapped(three) == [True, True, True]
    stored = password_of(three, "s001")
    assert verify(stored, "Secret1")
    assert not verify(stored, "secret2")
    assert ImportedPasswords(mark_key(three)).is_unchanged(stored, "secret1")
    assert not ImportedPasswords(mark_key(three)).is_unchanged(stored, "secret2")


@pytest.mark.statement("S37")
def test_all_passwords_are_wrapped_once(three: District) -> None:
    assert [upgrade_hashes(2), upgrade_hashes(2)] == [2, 1]
    stored = password_of(three, "s000")
    assert upgrade_hashes(2) == 0
    assert password_of(three, "s000") == stored


def test_a_file_with_the_same_password_does_not_unwrap_it(three: District) -> None:
    upgrade_hashes(8)
    run(three, a_class(3, PASSWORD="SECRET{0}"))
    assert wrapped(three) == [True, True, True]


def test_a_new_password_is_wrapped_again(three: District) -> None:
    upgrade_hashes(8)
    run(three, "STUDENT_ID,PASSWORD\ns001,another")
    assert wrapped(three) == [True, False, True]
    assert upgrade_hashes(8) == 1
    assert verify(password_of(three, "s001"), "another")


def test_a_password_that_changes_while_it_is_wrapped_is_kept(
    three: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = passwords._upgrade

    def change_meanwhile(stored: str) -> str:
        Student.objects.filter(student_id="s001").update(password=hash_for_import("changed"))
        return upgrade(stored)

    monkeypatch.setattr(passwords, "_upgrade", change_meanwhile)
    upgrade_hashes(8)
    assert wrapped(three) == [True, False, True]
    assert verify(password_of(three, "s001"), "changed")


@pytest.mark.parametrize("wrap", [False, True])
def test_passwords_cannot_be_verified_without_the_keys(
    three: District, rekey: Rekey, tmp_path: Path, wrap: bool
) -> None:
    if wrap:
        upgrade_hashes(8)
    stored = password_of(three, "s001")
    key = mark_key(three)
    assert ImportedPasswords(key).is_unchanged(stored, "secret1")
    rekey(tmp_path / "other")
    assert not verify(stored, "secret1")
    assert not ImportedPasswords(key).is_unchanged(stored, "secret1")


def test_there_are_two_keys_with_one_use_each(rekey: Rekey, tmp_path: Path) -> None:
    stored = hash_for_import("secret", MARK_KEY)
    for name, still_verified, still_same in (
        ("student-passwords", True, False),
        ("student-password-marks", False, True),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes((settings.KEYS / name).read_bytes())
        own = settings.KEYS
        rekey(folder)
        assert (
            verify(stored, "secret"),
            ImportedPasswords(MARK_KEY).is_unchanged(stored, "secret"),
        ) == (
            still_verified,
            still_same,
        )
        rekey(own)
    assert verify(stored, "secret")


def test_the_keys_are_readable_by_the_owner_only() -> None:
    hash_for_import("secret", MARK_KEY)
    for name in ("student-passwords", "student-password-marks"):
        path = settings.KEYS / name
        assert path.stat().st_mode & 0o777 == 0o600
        assert len(path.read_bytes()) == 32
    assert settings.KEYS.stat().st_mode & 0o777 == 0o700


@pytest.mark.statement("S37")
@pytest.mark.django_db(transaction=True)
def test_no_table_contains_a_password_in_plain_text(maple: District) -> None:
    enroll(maple, a_class(3, PASSWORD="Canary{0}"))
    run(maple, "STUDENT_ID,PASSWORD\ns000,Canary9\ns001,Canary8\ns001,Canary7\ns002,Can")
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        assert "updates_stagedrow" in tables
        # Contains the file itself on PostgreSQL; on SQLite, files are stored in the spool only.
        tables.remove("updates_filechunk")
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            content = repr(cursor.fetchall()).casefold()
            assert "canary" not in content, table
