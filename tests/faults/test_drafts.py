"""A process dies while it stores or sends a draft: the file is removed, or sent exactly once."""

import json
from pathlib import Path

import pytest

from tests import depth
from tests.faults.folder import Folder, enrolled_once, eventful_night

SAMPLES = 3  # statements to die at, on each database; every night all


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The students before the night; nothing is left to sweep."""
    return enrolled_once().copy(tmp_path_factory.mktemp("drafts") / "data")


@pytest.fixture
def night(tmp_path: Path) -> str:
    path = tmp_path / "night.csv"
    path.write_text(eventful_night(), encoding="utf-8")
    return str(path)


@pytest.fixture
def folder(made: Folder, tmp_path: Path) -> Folder:
    return made.copy(tmp_path / "data")


def spooled(folder: Folder) -> int:
    return len(list((folder.path / "spool").iterdir()))


def drafts(folder: Folder) -> list[bool]:
    drafts: list[bool] = json.loads(folder.run("all_drafts"))
    return drafts


@pytest.mark.parametrize("place", ["before_rename", "after_rename", "before_commit"])
def test_dying_before_the_commit_leaves_no_draft_and_a_file_that_is_swept(
    folder: Folder, night: str, place: str
) -> None:
    before = spooled(folder)
    folder.run("keep_draft", night, place, code=137)
    assert (drafts(folder), spooled(folder)) == ([], before + 1)
    assert folder.run("sweep").strip() == "1"
    assert spooled(folder) == before


def test_dying_behind_the_commit_leaves_a_draft_that_can_be_sent(
    folder: Folder, night: str
) -> None:
    folder.run("keep_draft", night, "after_commit", code=137)
    assert folder.run("sweep").strip() == "0"
    assert folder.run("send_draft").strip() == "2"
    assert folder.finish()["updates"][1]["state"] == "completed"


def test_dying_at_any_statement_while_it_is_sent_leaves_the_draft_and_it_is_sent_once(
    folder: Folder, night: str, tmp_path: Path
) -> None:
    folder.run("keep_draft", night)
    whole = folder.copy(tmp_path / "whole")
    statements = int(whole.run("send_draft", "1000"))
    assert (statements > 5, drafts(whole)) == (True, [True])
    for statement in depth.sample(range(1, statements + 1), "statements of a draft", daily=SAMPLES):
        cut = folder.copy(tmp_path / f"cut-at-{statement}")
        cut.run("send_draft", str(statement), code=137)
        assert drafts(cut) in ([False], [True])  # the last statements come after the commit
        assert cut.run("send_draft").strip() == "2"
    assert cut.run("sweep").strip() == "0"
    assert cut.run("send_draft").strip() == "2"
    assert cut.finish() == whole.finish()
