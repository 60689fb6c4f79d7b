"""Students' passwords: write-only, verified before and after wrapping, useless without the keys."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from rollbook.districts.models import District
from rollbook.students import passwords
from rollbook.students.models import Student
from rollbook.students.passwords import (
    hash_for_import,
    matches_import_mark,
    random_password,
    upgrade_some_hashes,
    verify,
)
from tests.updates.night import a_class, enroll, password_of, run

Rekey = Callable[[Path], None]


@pytest.fixture
def rekey(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rekey]:
    """Looks for the keys in another folder."""

    def to(folder: Path) -> None:
        monkeypatch.setattr(settings, "KEYS", folder)
        passwords._key.cache_clear()

    yield to
    monkeypatch.undo()
    passwords._key.cache_clear()


@pytest.fixture
def three(maple: District) -> District:
    enroll(maple, a_class(3, PASSWORD="secret{0}"))
    return maple


def wrapped(district: District) -> list[bool]:
    stored = (
        Student.objects.filter(district=district).order_by("pk").values_list("password", flat=True)
    )
    return [password.startswith("argon2id$") for password in stored]


def test_the_right_password_opens_and_no_other() -> None:
    stored = hash_for_import("secret")
    assert verify(stored, "secret")
    assert not verify(stored, "secre")
    assert not verify(stored, "secret ")
    assert not verify(stored, "")


def test_capitals_do_not_matter() -> None:
    assert verify(hash_for_import("se-cret"), "SE-Cret")


def test_composed_and_combining_letters_are_one_password(maple: District) -> None:
    enroll(maple, a_class(1, PASSWORD="caf\u00e9-au-lait"))
    stored = password_of(maple, "s000")
    assert verify(stored, "caf\u00e9-au-lait")
    assert verify(stored, "cafe\u0301-AU-lait")


def test_what_is_stored_tells_nothing_and_never_twice_the_same() -> None:
    one, other = hash_for_import("secret"), hash_for_import("secret")
    assert "secret" not in one
    assert not {*one.split("$")[1:]} & {*other.split("$")[1:]}


def test_a_file_can_see_that_a_password_is_the_same() -> None:
    stored = hash_for_import("secret")
    assert matches_import_mark(stored, "secret")
    assert not matches_import_mark(stored, "secreu")


def test_a_password_nobody_knows_is_long_and_new_each_time() -> None:
    made = {random_password() for _ in range(50)}
    assert len(made) == 50
    assert {len(password) for password in made} == {12}


def test_wrapping_keeps_what_opens_and_what_is_the_same(three: District) -> None:
    assert upgrade_some_hashes(8) == 3
    assert wrapped(three) == [True, True, True]
    stored = password_of(three, "s001")
    assert verify(stored, "Secret1")
    assert not verify(stored, "secret2")
    assert matches_import_mark(stored, "secret1")
    assert not matches_import_mark(stored, "secret2")


def test_wrapping_goes_on_until_nothing_is_left_and_then_does_nothing(three: District) -> None:
    assert [upgrade_some_hashes(2), upgrade_some_hashes(2)] == [2, 1]
    stored = password_of(three, "s000")
    assert upgrade_some_hashes(2) == 0
    assert password_of(three, "s000") == stored


def test_a_file_with_the_same_password_does_not_unwrap_it(three: District) -> None:
    upgrade_some_hashes(8)
    run(three, a_class(3, PASSWORD="SECRET{0}"))
    assert wrapped(three) == [True, True, True]


def test_a_new_password_after_wrapping_is_fresh_and_is_wrapped_again(three: District) -> None:
    upgrade_some_hashes(8)
    run(three, "STUDENT_ID,PASSWORD\ns001,another")
    assert wrapped(three) == [True, False, True]
    assert upgrade_some_hashes(8) == 1
    assert verify(password_of(three, "s001"), "another")


def test_a_password_that_changes_while_it_is_wrapped_is_left_alone(
    three: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrap = passwords._upgrade

    def meanwhile(stored: str) -> str:
        Student.objects.filter(student_id="s001").update(password=hash_for_import("changed"))
        return wrap(stored)

    monkeypatch.setattr(passwords, "_upgrade", meanwhile)
    upgrade_some_hashes(8)
    assert wrapped(three) == [True, False, True]
    assert verify(password_of(three, "s001"), "changed")


@pytest.mark.parametrize("wrap", [False, True])
def test_the_database_alone_opens_nothing(
    three: District, rekey: Rekey, tmp_path: Path, wrap: bool
) -> None:
    if wrap:
        upgrade_some_hashes(8)
    stored = password_of(three, "s001")
    rekey(tmp_path / "other")
    assert not verify(stored, "secret1")
    assert not matches_import_mark(stored, "secret1")


def test_there_are_two_keys_and_each_serves_one_thing(rekey: Rekey, tmp_path: Path) -> None:
    stored = hash_for_import("secret")
    for name, still_verified, still_same in (
        ("student-passwords", True, False),
        ("student-password-marks", False, True),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes((settings.KEYS / name).read_bytes())
        own = settings.KEYS
        rekey(folder)
        assert (verify(stored, "secret"), matches_import_mark(stored, "secret")) == (
            still_verified,
            still_same,
        )
        rekey(own)
    assert verify(stored, "secret")


def test_the_keys_are_for_our_eyes_only() -> None:
    hash_for_import("secret")
    for name in ("student-passwords", "student-password-marks"):
        path = settings.KEYS / name
        assert path.stat().st_mode & 0o777 == 0o600
        assert len(path.read_bytes()) == 32
    assert settings.KEYS.stat().st_mode & 0o777 == 0o700


@pytest.mark.django_db(transaction=True)
def test_no_table_holds_a_password_as_it_was_sent(maple: District) -> None:
    enroll(maple, a_class(3, PASSWORD="Canary{0}"))
    run(maple, "STUDENT_ID,PASSWORD\ns000,Canary9\ns001,Canary8\ns001,Canary7\ns002,Can")
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        assert "updates_stagedrow" in tables
        tables.remove(
            "updates_filechunk"
        )  # the file as it was sent, which on SQLite stands in the spool folder alone
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            told = repr(cursor.fetchall()).casefold()
            assert "canary" not in told, table
