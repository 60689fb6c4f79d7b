"""One night as the mission tells it: real curl, real TLS, real processes, real mail files."""

import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import depth
from tests.endtoend.conftest import LOGIN, NEIGHBOUR, Rollbook
from tests.faults.folder import HEADER, base, eventful_night, row

LARGE = depth.choose(daily=15_000, nightly=30_000)


def a_file(folder: Path, text: str, name: str = "students.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_three_commands_and_their_mail(serving: Rollbook, tmp_path: Path) -> None:
    assert serving.curl("status").text == "NONE Maple USD has not started an update yet\n"
    accepted = serving.start_update(a_file(tmp_path, base()), "mode=add")
    assert accepted.status == 200
    assert accepted.text == (
        f"OK update 1 accepted: 60 students in students.csv, now checking\n"
        f"The results will be emailed to {LOGIN}.\n"
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
    mails = serving.until_mailed(2)
    assert "Subject: [Maple USD] Student update 1 completed: 0 updated, 60 added" in mails[0]
    assert "Student update 2 completed with errors: 41 updated, 11 added, 12 rejected" in mails[
        1
    ].replace("\n ", " ")
    time.sleep(1)
    assert len(serving.mails()) == 2


def test_mail_status_command_and_database_give_the_same_counts(
    serving: Rollbook, tmp_path: Path
) -> None:
    serving.start_update(a_file(tmp_path, base()), "mode=add")
    serving.until_ended()
    serving.start_update(a_file(tmp_path, eventful_night()), "mode=add")
    verdict = serving.until_ended()
    told = serving.told()
    counts = {name: told[name] for name in ("updated", "added", "unchanged", "rejected")}
    assert counts == {"updated": 41, "added": 11, "unchanged": 12, "rejected": 12}
    mail = serving.until_mailed(2)[1]
    for name, count in counts.items():
        assert f"{count} {name}" in verdict
        assert f"  {name:<21} {count}" in mail
    rejected = list(
        csv.DictReader(io.StringIO(serving.run("update", "show", "maple-usd", "2", "--rejected")))
    )
    assert len(rejected) == 12
    assert {problem["line"] for problem in told["problems"] if problem["severity"] == "error"} == {
        int(line["_LINE_OF_UPDATE_2"]) for line in rejected
    }


def test_the_mail_names_no_student(serving: Rollbook, tmp_path: Path) -> None:
    serving.start_update(a_file(tmp_path, base()), "mode=add")
    serving.until_ended()
    serving.start_update(a_file(tmp_path, eventful_night()), "mode=add")
    serving.until_ended()
    mails = "".join(serving.until_mailed(2))
    log = (tmp_path / "serve.log").read_text()
    for said in (
        "First5",
        "Last5",
        "user5",
        "secret5",
        "00005",
        "changed50",
        "02/30/2012",
        "2012-",
    ):
        assert said not in mails
        assert said not in log


def test_twenty_times_the_same_file_at_once_is_one_update_and_one_mail(
    serving: Rollbook, tmp_path: Path
) -> None:
    file = a_file(tmp_path, HEADER + "".join(row(n) for n in range(5000)))
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
    assert len(list((serving.data / "spool").iterdir())) == 1


def test_the_neighbor_sees_nothing_and_changes_nothing(serving: Rollbook, tmp_path: Path) -> None:
    serving.start_update(a_file(tmp_path, base()), "mode=add")
    serving.until_ended()
    before = serving.run("student", "export", "maple-usd")
    assert (
        serving.curl("status", login=NEIGHBOUR).text
        == "NONE Cedar County has not started an update yet\n"
    )
    assert (
        serving.curl("status", "-F", "update=1", login=NEIGHBOUR).text
        == "NONE Cedar County has no update 1\n"
    )
    assert serving.curl("cancel", login=NEIGHBOUR).verdict.startswith("NOTHING TO CANCEL")
    file = a_file(tmp_path, HEADER + "".join(row(n, grade="9") for n in range(1, 61)))
    serving.curl("start", "-F", f"file=@{file}", login=NEIGHBOUR)
    time.sleep(1)
    status = serving.curl("status", login=NEIGHBOUR).verdict
    assert status.startswith(
        "COMPLETED WITH ERRORS update 1: 60 students: 0 updated, 0 unchanged, 60 rejected"
    )
    assert serving.run("student", "export", "maple-usd") == before


def test_cancel_keeps_what_is_done_and_nothing_changes_after_its_answer(
    serving: Rollbook, tmp_path: Path
) -> None:
    serving.start_update(
        a_file(tmp_path, HEADER + "".join(row(n) for n in range(LARGE))), "mode=add"
    )
    while f" of {LARGE:,} changed students" not in serving.curl("status").verdict:
        time.sleep(0.05)
    answer = serving.curl("cancel")
    exported = serving.run("student", "export", "maple-usd").count("\n") - 1
    assert answer.verdict.startswith(
        f"OK update 1 canceled: {exported:,} students stay updated, {LARGE - exported:,} "
    )
    assert 0 < exported < LARGE
    again = serving.curl("cancel")
    assert again.verdict.startswith("NOTHING TO CANCEL update 1 was canceled at ")
    told = serving.told()
    assert (told["state"], told["added"], told["not_processed"]) == (
        "canceled",
        exported,
        LARGE - exported,
    )
    mail = serving.until_mailed(1)[0].replace("\n ", " ")
    assert (
        f"Student update 1 canceled: 0 updated, {exported:,} added, "
        f"{LARGE - exported:,} not processed" in mail
    )
    assert serving.run("student", "export", "maple-usd").count("\n") - 1 == exported
    serving.start_update(tmp_path / "students.csv", "mode=add")
    assert f"0 updated, {LARGE - exported:,} added, {exported:,} unchanged" in serving.until_ended()
