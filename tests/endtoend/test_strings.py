"""No name, password or ID of a student is readable where it doesn't have to be.

Like ``strings`` over everything that a server leaves behind after updates that completed, were
canceled and failed, and with a draft: all files, and each column of the database but those of the
data sheet.
"""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.conftest import PASSWORD
from tests.endtoend.conftest import UNFINISHED, Rollbook
from tests.installations import execute
from tests.patience import TIMEOUT_S

CANARY = re.compile(rb"zq(id|user|pass|first|last|mail)\d{5}", re.IGNORECASE)
STUDENTS_PASSWORD = re.compile(rb"zqpass", re.IGNORECASE)
HEADER = (
    "STUDENT_ID,USERNAME,PASSWORD,FIRST_NAME,LAST_NAME,DOB,PARENT_EMAIL_1,GENDER,GRADE,SCHOOL_ID,"
    "ELL,SPECIAL_ED"
)
MANY = 4000
DATA_SHEET = Path(__file__).parents[2] / "docs" / "security" / "data-sheet.md"
STAGED = "SELECT rows_staged FROM updates_updatejob WHERE ended_at IS NULL AND rows_staged > 0"
UNSENT = "SELECT count(*) FROM updates_resultmail WHERE sent_at IS NULL"
LEFTOVERS = "SELECT count(*) FROM updates_updatejob WHERE leftovers_removed_at IS NULL"
MAX_TRIES = 5


def row(number: int, name: int | None = None, dob: str = "2012-05-13") -> str:
    """Return a row with canaries; ``name`` is another number for the names and the password."""
    other = number if name is None else name
    return (
        f"zqid{number:05},zquser{number:05},zqpass{other:05},Zqfirst{number:05},Zqlast{other:05},"
        f"{dob},zqmail{other:05}@home.example,f,4,100,n,n"
    )


def a_file(folder: Path, *rows: str) -> Path:
    path = folder / "students.csv"
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return path


class Browser:
    """A member who uses the pages, with curl and its cookies."""

    def __init__(self, rollbook: Rollbook, folder: Path) -> None:
        self._rollbook = rollbook
        self._cookies = str(folder / "cookies.txt")

    def post(self, page: str, address: str, *fields: str) -> str:
        """Send the form of a page; return the address that the answer leads to."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self._curl(page))
        assert token
        form = (f"csrfmiddlewaretoken={token[1]}", *fields)
        arguments = [argument for field in form for argument in ("-F", field)]
        referer = ("-e", f"{self._rollbook.url}{page}")
        return self._curl(address, "-o", "/dev/null", "-w", "%{redirect_url}", *referer, *arguments)

    def _curl(self, address: str, *arguments: str) -> str:
        jar = ("-b", self._cookies, "-c", self._cookies)
        return subprocess.run(
            ["curl", "-sS", *jar, *arguments, f"{self._rollbook.url}{address}"],
            env=self._rollbook.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=TIMEOUT_S,
        ).stdout


def upload_draft(rollbook: Rollbook, folder: Path, file: Path) -> None:
    browser = Browser(rollbook, folder)
    login = rollbook.district.login
    browser.post("/sign-in", "/sign-in", f"login={login}", f"password={PASSWORD}")
    page = browser.post("/students/update", "/students/update/file", f"file=@{file}")
    assert "/students/update/drafts/" in page


def until_staged(rollbook: Rollbook, file: Path) -> None:
    """Start an update, and wait until it has staged rows or has ended."""
    assert rollbook.start_update(file, "mode=add").status == 200
    wait_for(lambda: bool(execute(rollbook.data, STAGED)) or not count(rollbook, UNFINISHED))


def cancel_one(rollbook: Rollbook, folder: Path) -> None:
    for attempt in range(MAX_TRIES):
        until_staged(rollbook, a_file(folder, *many(attempt)))
        rollbook.curl("cancel")
        if rollbook.until_ended().startswith("CANCELED"):
            return
    raise AssertionError("every update completed before it was canceled")


def fail_one(rollbook: Rollbook, folder: Path) -> None:
    """Kill the server during an update, which fails as if that were the third time."""
    port = int(rollbook.url.rpartition(":")[2])
    for attempt in range(MAX_TRIES):
        until_staged(rollbook, a_file(folder, *many(attempt + MAX_TRIES)))
        rollbook.kill()
        if is_killed := count(rollbook, UNFINISHED) > 0:
            assert "updates_stagedrow.values_json" in columns_with_canaries(rollbook)
            thrice = "UPDATE updates_updatejob SET attempts_without_progress = 3"
            execute(rollbook.data, f"{thrice} WHERE ended_at IS NULL")
        rollbook.start(port)
        if is_killed:
            assert rollbook.until_ended().startswith("FAILED")
            return
    raise AssertionError("every update completed before the server was killed")


def many(part: int) -> Iterator[str]:
    """Yield rows of new students, other ones for each part."""
    return (row(10_000 + part * MANY + number) for number in range(MANY))


def count(rollbook: Rollbook, query: str) -> int:
    [(number,)] = execute(rollbook.data, query)
    return int(number)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def columns_with_canaries(rollbook: Rollbook) -> set[str]:
    """Return the columns of the database in which a canary is, each with its table."""
    return {
        f"{table}.{column}"
        for table, column in columns(rollbook)
        if any(
            CANARY.search(as_bytes(value))
            for (value,) in execute(rollbook.data, f'SELECT "{column}" FROM "{table}"')
        )
    }


def columns(rollbook: Rollbook) -> list[tuple[str, str]]:
    query = (
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table'"
    )
    if settings.ON_POSTGRESQL:
        query = (
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema()"
        )
    return [(str(table), str(column)) for table, column in execute(rollbook.data, query)]


def as_bytes(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode()


def plain_columns() -> set[str]:
    """Return the columns of students and their history that the data sheet doesn't call secret."""
    found = set()
    for line in DATA_SHEET.read_text(encoding="utf-8").splitlines():
        listed = re.match(r"\| `students\.(Student|Change)` \| (.+?) \| (\w+)", line)
        if listed and listed[3] != "secret":
            table = f"students_{listed[1].lower()}"
            found |= {f"{table}.{column}" for column in re.findall(r"`(\w+)`", listed[2])}
    return found


def files_with(pattern: "re.Pattern[bytes]", folder: Path) -> list[str]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in paths if pattern.search(path.read_bytes())]


@pytest.mark.statement("S36", "S37", "S40", "S43")
def test_no_name_password_or_id_is_readable_where_it_need_not_be(
    rollbook: Rollbook, tmp_path: Path
) -> None:
    rollbook.start()
    rollbook.start_update(a_file(tmp_path, *map(row, range(300))), "mode=add")
    assert rollbook.until_ended().startswith("COMPLETED update 1")
    changed = [row(number, number + 500) for number in range(100)]
    bad = [row(number, dob="2/30/2012") for number in range(100, 120)]
    rollbook.start_update(a_file(tmp_path, *changed, *bad, row(400), row(200), row(200, 600)))
    assert rollbook.until_ended().startswith("COMPLETED WITH ERRORS update 2")
    upload_draft(rollbook, tmp_path, a_file(tmp_path, *bad))
    cancel_one(rollbook, tmp_path)
    fail_one(rollbook, tmp_path)
    updates = count(rollbook, "SELECT count(*) FROM updates_updatejob")
    rollbook.until_mailed(updates)
    wait_for(lambda: not count(rollbook, UNSENT) and not count(rollbook, LEFTOVERS))
    rollbook.stop()

    found = columns_with_canaries(rollbook)
    assert {"students_student.student_id", "students_change.new"} <= found <= plain_columns()
    assert count(rollbook, "SELECT count(*) FROM updates_draft") == 1
    stored = [path for path in (rollbook.data / "spool").iterdir() if path.stat().st_size > 1000]
    assert len(stored) > updates
    database = {"rollbook.sqlite3", "rollbook.sqlite3-wal"}
    assert set(files_with(CANARY, rollbook.data)) <= database
    assert files_with(STUDENTS_PASSWORD, rollbook.data) == []
    assert not CANARY.search(rollbook.log.read_bytes())
    assert len(rollbook.mails()) >= updates
