"""Emails that Django saves as files are removed one by one, also where a file has several."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.filebased import EmailBackend
from pytest_django import Settings

from rollbook.operations import durable
from rollbook.operations.saved_emails import remove_saved_emails

MAPLE, CEDAR = "ops@maple.example", "ops@cedar.example"


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MAIL_FOLDER = tmp_path / "mail"
    return tmp_path / "mail"


def save(folder: Path, *recipients: str) -> Path:
    """Save emails to these recipients in one file, as Django does in the same second."""
    backend = EmailBackend(file_path=str(folder))
    for number, recipient in enumerate(recipients):
        email = EmailMultiAlternatives(f"Update {number}", f"For {recipient} – ok", to=[recipient])
        email.attach_alternative(f"<p>For {recipient}</p>", "text/html")
        backend.send_messages([email])
    [path] = folder.iterdir()
    return path


@pytest.mark.parametrize(
    "recipients",
    [
        [MAPLE],
        [CEDAR],
        [MAPLE, MAPLE],
        [MAPLE, CEDAR],
        [CEDAR, MAPLE],
        [CEDAR, MAPLE, CEDAR],
        ["Ops <OPS@Maple.Example>", CEDAR],
    ],
)
def test_each_email_to_an_address_is_removed_and_no_other(
    folder: Path, tmp_path: Path, recipients: Sequence[str]
) -> None:
    before = save(folder, *recipients).read_bytes()
    remove_saved_emails({MAPLE})
    after = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"maple" not in after.lower()
    others = before.count(b"For " + CEDAR.encode())
    assert after.count(b"For " + CEDAR.encode()) == others
    assert bool(after) == bool(others)


def test_files_without_such_an_email_stay_as_they_are(folder: Path) -> None:
    path = save(folder, CEDAR, CEDAR)
    (folder / "empty.log").touch()
    seen = path.stat()
    remove_saved_emails({MAPLE})
    remove_saved_emails(set())
    assert path.stat() == seen
    assert sorted(folder.iterdir()) == sorted([path, folder / "empty.log"])


def test_what_a_kill_left_is_searched_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(folder, MAPLE, CEDAR)

    def killed(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(durable, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            remove_saved_emails({MAPLE})
    assert len(list(folder.iterdir())) == 2
    remove_saved_emails({MAPLE})
    remove_saved_emails({CEDAR})
    assert list(folder.iterdir()) == []


def test_without_a_folder_there_is_nothing_to_remove(folder: Path) -> None:
    remove_saved_emails({MAPLE})
    assert not folder.exists()
