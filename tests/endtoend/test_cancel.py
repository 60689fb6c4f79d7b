"""F42, F43: cancel at any moment, and start, status and cancel racing each other."""

import random
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests import depth
from tests.endtoend.conftest import Rollbook
from tests.faults.folder import HEADER, row
from tests.patience import TIMEOUT_S

RACE_S = depth.choose(daily=6, nightly=12)
MOMENTS = [0.0, 0.2, 0.6, 1.0, 1.6]
COUNTS = re.compile(r"([\d,]+) (updated|added|unchanged|rejected|not processed)")


def counts(verdict: str) -> dict[str, int]:
    return {name: int(number.replace(",", "")) for number, name in COUNTS.findall(verdict)}


def enrolled(rollbook: Rollbook) -> int:
    return rollbook.export().count("\n") - 1


@pytest.mark.parametrize("moment", depth.sample(MOMENTS, "moments of a cancel", daily=2))
def test_whenever_it_is_canceled_the_counts_are_true_and_there_is_one_mail(
    serving: Rollbook, tmp_path: Path, moment: float
) -> None:
    file = tmp_path / "students.csv"
    file.write_text(HEADER + "".join(row(n) for n in range(12000)), encoding="utf-8")
    serving.start_update(file, "mode=add")
    time.sleep(moment)
    serving.curl("cancel")
    after = enrolled(serving)
    verdict = serving.curl("status").verdict
    found = counts(verdict)
    assert verdict.startswith(("CANCELED update 1", "COMPLETED update 1"))
    assert found.get("added", 0) == after
    assert sum(found.values()) == 12000
    assert serving.curl("cancel").verdict.startswith("NOTHING TO CANCEL update 1")
    assert serving.curl("cancel").status == 200
    serving.until_mailed(1)
    time.sleep(0.8)
    assert len(serving.mails()) == 1
    assert enrolled(serving) == after


def test_an_update_that_only_waits_can_be_canceled_by_its_number(
    serving: Rollbook, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        file = tmp_path / f"{number}.csv"
        file.write_text(HEADER + "".join(row(n) for n in range(number, 8000)), encoding="utf-8")
        serving.start_update(file, "mode=add")
    canceled = serving.curl("cancel", "-F", "update=3")
    assert canceled.verdict.startswith(
        "OK update 3 canceled: 0 students stay updated, 7,997 were not processed"
    )
    assert [update["state"] for update in all_ended(serving)] == [
        "canceled",
        "completed",
        "completed",
    ]


def test_racing_calls_see_one_history(serving: Rollbook, tmp_path: Path) -> None:
    """Three clients call for a while; all get the same answers about an update that ended."""
    files = []
    for number in range(4):
        file = tmp_path / f"{number}.csv"
        file.write_text(
            HEADER + "".join(row(n) for n in range(number * 3000, number * 3000 + 3000)),
            encoding="utf-8",
        )
        files.append(file)
    stop = time.monotonic() + RACE_S
    ended: list[tuple[int, str]] = []
    statuses: list[int] = []

    def caller(seed: int) -> None:
        choice = random.Random(seed)
        while time.monotonic() < stop:
            action = choice.choice(["start", "status", "cancel", "status"])
            answer = (
                serving.start_update(choice.choice(files), "mode=add")
                if action == "start"
                else serving.curl(action)
            )
            statuses.append(answer.status)
            match = re.match(r"(CANCELED|COMPLETED) update (\d+): (.*?)(, in .*)?$", answer.verdict)
            if match:
                ended.append((int(match[2]), f"{match[1]} {match[3]}"))

    callers = [threading.Thread(target=caller, args=(seed,)) for seed in range(3)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert set(statuses) <= {200, 429}
    assert len(set(ended)) == len({number for number, _ in ended})
    assert sum(update["added"] for update in all_ended(serving)) == enrolled(serving)


def all_ended(rollbook: Rollbook, seconds: float = TIMEOUT_S) -> list[dict[str, Any]]:
    """Return the JSON of every update when each has ended."""
    deadline = time.monotonic() + seconds
    while True:
        updates = rollbook.list_updates()
        if {update["state"] for update in updates} <= {"completed", "canceled"}:
            return updates
        assert time.monotonic() < deadline, updates
        time.sleep(0.1)
