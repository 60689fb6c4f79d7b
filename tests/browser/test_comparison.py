"""Test the page that puts the screenshots of two runs side by side."""

import struct
import zlib
from pathlib import Path

import pytest

from tests.browser import comparison

pytestmark = pytest.mark.without_database


def picture(path: Path, width: int, height: int, gray: int = 0) -> None:
    """Write a gray PNG."""
    rows = (b"\0" + bytes([gray]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        content += struct.pack(">I", len(data)) + kind + data
        content += struct.pack(">I", zlib.crc32(kind + data))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        picture(folder / "same-320-light.png", 3, 2)
    picture(before / "taller-320-light.png", 3, 2)
    picture(after / "taller-320-light.png", 3, 1200)
    picture(before / "other-320-light.png", 3, 2)
    picture(after / "other-320-light.png", 3, 2, gray=9)
    picture(before / "gone-320-light.png", 3, 2)
    picture(after / "new-320-light.png", 3, 2)
    return before, after


def test_pictures_that_differ_are_listed_with_their_sizes(folders: tuple[Path, Path]) -> None:
    pairs = {pair.name: pair for pair in comparison.pairs_of(*folders, [])}
    assert not pairs.pop("same-320-light.png").is_changed
    assert all(pair.is_changed for pair in pairs.values())
    assert {name.partition("-")[0]: pair.change for name, pair in pairs.items()} == {
        "gone": "no longer there",
        "new": "new",
        "other": "changed, 3 × 2 as before",
        "taller": "3 × 2 is now 3 × 1,200, +1,198 high",
    }


def test_the_page_refers_to_the_pictures_of_both_runs(folders: tuple[Path, Path]) -> None:
    page = comparison.write(*folders, [])
    text = page.read_text()
    assert page == folders[1] / "comparison.html"
    assert "4 of 5 pictures have changed." in text
    assert 'src="../before/taller-320-light.png"' in text
    assert 'src="taller-320-light.png"' in text
    assert "same-320-light" not in text


def test_only_named_states_are_compared(folders: tuple[Path, Path]) -> None:
    assert [pair.name for pair in comparison.pairs_of(*folders, ["new"])] == ["new-320-light.png"]


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ValueError, match=r"x\.png isn't a PNG"):
        comparison.size_of(path)
