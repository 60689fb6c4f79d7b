"""F03: a process that dies while it receives a file, at the places where that matters."""

from pathlib import Path

import pytest

from rollbook.encrypted_file import HEADER_BYTES
from tests.faults.folder import Folder, enrolled_once, eventful_night


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The students before the night; nothing is left to sweep."""
    return enrolled_once().copy(tmp_path_factory.mktemp("receiving") / "data")


@pytest.fixture
def folder(made: Folder, tmp_path: Path) -> Folder:
    (tmp_path / "night.csv").write_text(eventful_night(), encoding="utf-8")
    return made.copy(tmp_path / "data")


def spooled(folder: Folder) -> int:
    return len(list((folder.path / "spool").iterdir()))


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize(
    "place", ["before_header", "after_header", "before_rename", "after_rename", "before_commit"]
)
def test_dying_before_the_commit_leaves_no_update_and_a_file_that_is_swept(
    folder: Folder, tmp_path: Path, place: str, delimiter: str
) -> None:
    """With semicolons, only the converted file is left: what was sent has been deleted."""
    text = eventful_night().replace(",", delimiter)
    (tmp_path / "night.csv").write_text(text, encoding="utf-8")
    before = spooled(folder)
    folder.run("submit_until", place, str(tmp_path / "night.csv"), code=137)
    assert len(folder.dump()["updates"]) == 1
    assert spooled(folder) == before + 1
    assert folder.run("sweep").strip() == "1"
    assert spooled(folder) == before
    assert folder.run("submit", str(tmp_path / "night.csv"), "update").strip() == "2"


@pytest.mark.statement("S36")
@pytest.mark.parametrize("frame", [0, 1, 5])
def test_dying_while_a_frame_is_written_leaves_a_file_that_nobody_can_read(
    folder: Folder, tmp_path: Path, frame: int
) -> None:
    before = {path.name for path in (folder.path / "spool").iterdir()}
    folder.run("submit_until_frame", str(frame), str(tmp_path / "night.csv"), code=137)
    assert len(folder.dump()["updates"]) == 1
    [left] = [path for path in (folder.path / "spool").iterdir() if path.name not in before]
    assert left.read_bytes()[:HEADER_BYTES] == bytes(HEADER_BYTES)  # so its key is nowhere
    assert folder.run("sweep").strip() == "1"
    assert folder.run("submit", str(tmp_path / "night.csv"), "update").strip() == "2"
    assert folder.finish()["updates"][1]["state"] == "completed"


def test_dying_between_commit_and_answer_leaves_the_update_and_the_same_file_gets_it_again(
    folder: Folder, tmp_path: Path
) -> None:
    before = spooled(folder)
    folder.run("submit_until", "after_commit", str(tmp_path / "night.csv"), code=137)
    assert folder.run("sweep").strip() == "0"
    assert folder.run("submit", str(tmp_path / "night.csv"), "update").strip() == "2"
    assert len(folder.dump()["updates"]) == 2
    assert spooled(folder) == before + 1
    assert folder.finish()["updates"][1]["state"] == "completed"
