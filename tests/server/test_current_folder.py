"""No process that Rollbook starts executes a module from the current folder."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import rollbook
from rollbook.child_python import python_command
from rollbook.studentfile.reading.conversion import workbooks
from rollbook.updates.checking import parallel
from tests.installations import environment, installed
from tests.patience import TIMEOUT_S
from tests.server.test_supervisor import descendants

SOURCES = Path(rollbook.__file__).parent
PLANTED = ("rollbook", "django", "json", "gunicorn", "sqlite3", "logging")
MARK = "executed"
NO_CORE_FILE = re.compile(r"^Max core file size +0 +0 ", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with modules that leave a mark when they are executed."""
    folder = tmp_path / "anyone"
    folder.mkdir()
    mark = f"open({str(folder / MARK)!r}, 'a').write(__name__)\nraise ImportError('planted')\n"
    for name in PLANTED:
        (folder / f"{name}.py").write_text(mark)
    return folder


def test_every_python_process_is_started_by_one_function() -> None:
    starts = re.compile(r"sys\.executable|multiprocessing|ProcessPoolExecutor")
    found = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if starts.search(path.read_text())
    }
    assert found == {"child_python.py"}


@pytest.mark.process
@pytest.mark.without_database
@pytest.mark.parametrize("module", ["rollbook", workbooks.WORKER, parallel.WORKER])
def test_a_child_process_ignores_the_current_folder(folder: Path, module: str) -> None:
    subprocess.run(
        python_command(module, "--version"),
        cwd=folder,
        env=environment(folder / "data"),
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert not (folder / MARK).exists()


@pytest.mark.process
@pytest.mark.statement("S54")
def test_serve_ignores_the_current_folder_and_writes_no_core_files(
    folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    installed(data)
    command = [str(Path(sys.executable).with_name("rollbook")), "serve", "--port", "0"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        pids = [process.pid, *descendants(process.pid)]
        limits = {Path(f"/proc/{pid}/limits").read_text() for pid in pids}
        process.terminate()
        process.wait(TIMEOUT_S)
    assert line.startswith("Rollbook is ready at ")
    assert not (folder / MARK).exists()
    assert len(pids) >= 4
    assert all(NO_CORE_FILE.search(text) for text in limits)
