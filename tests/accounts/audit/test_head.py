"""The newest seal is kept outside the database; a kill at any step leaves the old or new one."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.audit import head, log, seals
from rollbook.accounts.audit.head import Head
from rollbook.accounts.models import Member

pytestmark = [pytest.mark.django_db, pytest.mark.statement("S48")]


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@pytest.fixture
def kept(manager: Member) -> Iterator[Head]:
    """The seal in the file; the log has a newer one."""
    head.path().unlink(missing_ok=True)
    add_seal(manager)
    assert head.keep_newest() == ""
    first = head.newest()
    assert first
    add_seal(manager)
    yield first
    head.path().unlink(missing_ok=True)


def add_seal(member: Member) -> None:
    log.record("sign in", "ok", member=member)
    while seals.seal_pending(timezone.now()):
        pass


STEPS = ("open", "write", "sync", "replace", "sync of the folder")


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_leaves_the_old_or_the_new_seal(
    kept: Head, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patch:
        kill_at(patch, step)
        with pytest.raises(Killed):
            head.keep_newest()
    newest = head.newest()
    expected = newest if step == "sync of the folder" else kept
    assert head.path().read_text() == f"{expected}\n"
    assert head.find_mismatch_with_file() == ""
    assert head.keep_newest() == ""
    assert head.path().read_text() == f"{newest}\n"


def test_the_file_is_read_once(kept: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    read_text = Path.read_text

    def counted(path: Path, *args: Any, **options: Any) -> str:
        reads.append(path)
        return read_text(path, *args, **options)

    monkeypatch.setattr(Path, "read_text", counted)
    assert head.keep_newest() == ""
    assert reads == [head.path()]


def kill_at(patch: pytest.MonkeyPatch, step: str) -> None:
    """Let the process end instead of doing this step of writing the file."""
    synced = []

    def kill(*args: object, **options: object) -> None:
        raise Killed

    def kill_second_sync(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) > 1:
            raise Killed

    targets: dict[str, tuple[object, str, Any]] = {
        "open": (tempfile, "mkstemp", kill),
        "write": (os, "fdopen", kill),
        "sync": (os, "fsync", kill),
        "replace": (Path, "replace", kill),
        "sync of the folder": (os, "fsync", kill_second_sync),
    }
    patch.setattr(*targets[step])
