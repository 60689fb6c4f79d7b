"""One night as the mission tells it: real curl, real TLS, real processes, real mail files."""

import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import depth
from tests.endtoend.conftest import Rollbook
from tests.faults.folder import HEADER, base, eventful_night, row

LARGE = depth.choose(daily=15_000, nightly=30_000)


def a_file(folder: Path, text: str, name: str = "students.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_three_commands_and_their_mail(serving: Rollbook, tmp_path: Path) -> None:
    name = serving.district.name
    assert serving.curl("status").text == f"NONE {name} has not started an update yet\n"
    accepted = serving.start_update(a_file(tmp_path, base()), "mode=add")
    assert accepted.status == 200
    assert accepted.text == (
        f"OK update 1 accepted: 60 students in students.csv, now checking\n"
        f"The results will be emailed to {serving.district.login}.\n"
    )
    assert serving.until_ended().startswith(
        "COMPLETED update 1: 60 students: 0 updated, 60 added, 0 unchanged, 0 rejected"
    )
    serving.start_update(a_file(tmp_path, eventful_night()), "mode=add")
    assert serving.until_ended().startswith(
        "COMPLETED WITH ERRORS update 2: 76 students: 41 updated, 11 added"
    )
    nothing = serving.curl("cancel")
    assert (
        nothing.status,
        nothing.verdict.startswith("NOTHING TO CANCEL update 2 completed at"),
    ) == (200, True)
    serving.until_mailed(2)
    assert serving.subjects() == [
        f"60 students added · {name} update 1",
        f"12 rows rejected, 41 students changed, 11 added · {name} update 2",
    ]
    time.sleep(1)
    assert len(serving.mails()) == 2


def test_mail_status_command_and_database_give_the_same_counts(
    serving: Rollbook, tmp_path: Path
) -> None:
    serving.start_update(a_file(tmp_path, base()), "mode=add")
    serving.until_ended()
    serving.start_update(a_file(tmp_path, eventful_night()), "mode=add")
    verdict = serving.until_ended()
    shown = serving.show_update()
    counts = {name: shown[name] for name in ("updated", "added", "unchanged", "rejected")}
    assert counts == {"updated": 41, "added": 11, "unchanged": 12, "rejected": 12}
    mail = serving.until_mailed(2)[1]
    for name, count in counts.items():
        assert f"{count} {name}" in verdict
        word = name.replace("updated", "changed")
        assert f"  {word:<13}  {count}\n" in mail
    output = serving.run("update", "show", serving.district.slug, "2", "--rejected")
    rejected = list(csv.DictReader(io.StringIO(output)))
    assert len(rejected) == 12
    assert {problem["line"] for problem in shown["problems"] if problem["severity"] == "error"} == {
        int(line["_LINE_OF_UPDATE_2"]) for line in rejected
    }


@pytest.mark.statement("S40")
def test_the_mail_names_no_student(serving: Rollbook, tmp_path: Path) -> None:
    serving.start_update(a_file(tmp_path, base()), "mode=add")
    serving.until_ended()
    serving.start_update(a_file(tmp_path, eventful_night()), "mode=add")
    serving.until_ended()
    mails = "".join(serving.until_mailed(2))
    log = serving.read_log()
    for text in (
        "First5",
        "Last5",
        "user5",
        "secret5",
        "00005",
        "changed50",
        "02/30/2012",
        "2012-",
    ):
        assert text not in mails
        assert text not in log


def test_twenty_times_the_same_file_at_once_is_one_update_and_one_mail(
    serving: Rollbook, tmp_path: Path
) -> None:
    file = a_file(tmp_path, HEADER + "".join(row(n) for n in range(5000)))
    spooled = set((serving.data / "spool").iterdir())
    serving.curl("status")  # an address from which nobody has signed in gets fewer uploads
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: serving.start_update(file, "mode=add"), range(20)))
    assert {answer.status for answer in answers} == {200}
    assert all("update 1" in answer.verdict for answer in answers)
    assert serving.until_ended().startswith(
        "COMPLETED update 1: 5,000 students: 0 updated, 5,000 added"
    )
    serving.until_mailed(1)
    time.sleep(1)
    assert len(serving.mails()) == 1
    assert len(set((serving.data / "spool").iterdir()) - spooled) == 1


@pytest.mark.statement("S21")
def test_the_neighbor_sees_nothing_and_changes_nothing(serving: Rollbook, tmp_path: Path) -> None:
    serving.start_update(a_file(tmp_path, base()), "mode=add")
    serving.until_ended()
    neighbor = serving.neighbor.login
    before = serving.export()
    assert (
        serving.curl("status", login=neighbor).text
        == f"NONE {serving.neighbor.name} has not started an update yet\n"
    )
    assert (
        serving.curl("status", "-F", "update=1", login=neighbor).text
        == f"NONE {serving.neighbor.name} has no update 1\n"
    )
    assert serving.curl("cancel", login=neighbor).verdict.startswith("NOTHING TO CANCEL")
    file = a_file(tmp_path, HEADER + "".join(row(n, grade="9") for n in range(1, 61)))
    serving.curl("start", "-F", f"file=@{file}", login=neighbor)
    assert serving.until_ended(login=neighbor).startswith(
        "COMPLETED WITH ERRORS update 1: 60 students: 0 updated, 0 unchanged, 60 rejected"
    )
    assert serving.export() == before


def test_cancel_keeps_what_is_done_and_nothing_changes_after_its_answer(
    serving: Rollbook, tmp_path: Path
) -> None:
    serving.start_update(
        a_file(tmp_path, HEADER + "".join(row(n) for n in range(LARGE))), "mode=add"
    )
    while f" of {LARGE:,} changed students" not in serving.curl("status").verdict:
        time.sleep(0.05)
    answer = serving.curl("cancel")
    exported = serving.export().count("\n") - 1
    assert answer.verdict.startswith(
        f"OK update 1 canceled: {exported:,} students stay updated, {LARGE - exported:,} "
    )
    assert 0 < exported < LARGE
    again = serving.curl("cancel")
    assert again.verdict.startswith("NOTHING TO CANCEL update 1 was canceled at ")
    shown = serving.show_update()
    assert (shown["state"], shown["added"], shown["not_processed"]) == (
        "canceled",
        exported,
        LARGE - exported,
    )
    serving.until_mailed(1)
    assert serving.subjects() == [
        f"Update canceled, {exported:,} students added, {LARGE - exported:,} not processed · "
        f"{serving.district.name} update 1"
    ]
    assert serving.export().count("\n") - 1 == exported
    serving.start_update(tmp_path / "students.csv", "mode=add")
    assert f"0 updated, {LARGE - exported:,} added, {exported:,} unchanged" in serving.until_ended()
