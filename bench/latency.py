"""Measures calls: cancel at any point of a large update, status when idle and during an update.

Cancel is called with curl. Status is called 20 times a second over one persistent connection; each
call is measured from the time it was due, so a slow answer also counts for the calls it delayed.
"""

import http.client
import json
import random
import ssl
import time
from collections.abc import Callable
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from bench import students
from bench.databases import Database
from bench.door import PASSWORD, moment
from bench.plan import BenchFailed, Plan, say
from bench.results import Results
from bench.works import UNKNOWN, Enrolled, enroll

CALLS_A_SECOND = 20
_IDLE_SECONDS = 15.0  # in all runs together
_ENOUGH_ROWS = 100_000  # an update of so many lasts for a hundred calls
_BOUNDARY = "a-boundary-of-the-benchmark"


def measure(plan: Plan, database: Database, results: Results) -> None:
    """Measure status when idle; then medium rollovers, every other one with calls of status."""
    rows = max((rows for rows in plan.rows if rows <= _ENOUGH_ROWS), default=plan.most)
    enrolled = enroll(plan, database, students.write(plan.folder, rows, order=plan.order))
    with enrolled.serving():
        enrolled.send("base")
    for run in range(plan.runs):
        with enrolled.serving():
            calls = _Calls(enrolled)
            _note(
                results,
                database.name,
                rows,
                run,
                "idle",
                calls.make(_lasting(_IDLE_SECONDS / plan.runs)),
            )
        _rollover(enrolled, results, run, watched=False)
        _rollover(enrolled, results, run, watched=True)


def cancels(plan: Plan, enrolled: Enrolled, results: Results) -> None:
    """Cancel twice as many updates as there are runs, at points spread over the time of a rollover.

    The next file is the one that more students differ from. If an update had less to do and ended
    before its point, the next try has a whole rollover.
    """
    database, rows = enrolled.database.name, enrolled.files.rows
    chance = random.Random(1)
    count = 2 * plan.runs
    next_file = enrolled.current_file
    last_file = "base" if next_file == "rollover" else "rollover"
    with enrolled.serving():
        lasts = enrolled.send(last_file).seconds
        for run in range(count):
            after, facts = lasts * (run + chance.random()) / count, {"canceled": False}
            while not facts["canceled"]:
                seconds, facts = _cancel(enrolled, next_file, after)
                if not facts["canceled"] or 2 * facts["updated"] > rows:
                    next_file, last_file = last_file, next_file
                after *= 1.0 if facts["canceled"] else 0.9
            values = {"after": round(after, 3), "read": facts["read"], "updated": facts["updated"]}
            results.add("cancel", database=database, rows=rows, run=run, seconds=seconds, **values)
            say(
                f"{database:9} cancel      {rows:>9,} rows  "
                f"after {after:6.1f} s: answered in {seconds:.3f} s"
            )


def _cancel(enrolled: Enrolled, name: str, after: float) -> tuple[float, dict[str, Any]]:
    """Send a file and cancel it so many seconds later; the answer's seconds and facts."""
    upload = enrolled.begin(name)
    enrolled.current_file = UNKNOWN
    time.sleep(max(0.0, upload.last_byte + after - time.time()))
    facts, seconds = enrolled.rollbook.cancel(enrolled.district, upload.number)
    time.sleep(0.5)
    later = enrolled.rollbook.status(enrolled.district, upload.number)
    if facts["canceled"] and (later["state"], later["updated"]) != ("canceled", facts["updated"]):
        raise BenchFailed(
            f"it went on after it was canceled: {facts['message']}; then {later['message']}"
        )
    return seconds, facts


def _lasting(seconds: float) -> Callable[[dict[str, Any]], bool]:
    """That is enough after so many seconds from now."""
    until = time.monotonic() + seconds
    return lambda facts: time.monotonic() > until


def _rollover(enrolled: Enrolled, results: Results, run: int, *, watched: bool) -> None:
    database, rows = enrolled.database.name, enrolled.files.rows
    name = "rollover" if enrolled.current_file == "base" else "base"
    with enrolled.serving():
        if watched:
            calls = _Calls(enrolled)
            upload = enrolled.begin(name)
            facts: dict[str, Any] = {}
            seconds = calls.make(
                lambda status: bool(facts.update(status) or status["ended_at"]),
                update=upload.number,
            )
            _note(results, database, rows, run, "running", seconds)
            enrolled.check_result(name, facts)
            took = moment(facts["ended_at"]) - upload.last_byte
        else:
            took = enrolled.send(name).seconds
    results.add(
        "watched", database=database, rows=rows, run=run, watched=watched, seconds=round(took, 4)
    )
    condition = "with calls" if watched else "alone"
    say(f"{database:9} rollover    {rows:>9,} rows  {condition}: {took:.2f} s")


def _note(
    results: Results, database: str, rows: int, run: int, while_: str, seconds: list[float]
) -> None:
    rounded = [round(each, 5) for each in seconds]
    results.add("status", database=database, rows=rows, run=run, update=while_, seconds=rounded)
    middle = median(seconds) * 1000
    say(f"{database:9} status      {while_}: {len(seconds)} calls, median {middle:.0f} ms")


class _Calls:
    """One connection, over which status is called in a steady beat."""

    def __init__(self, enrolled: Enrolled) -> None:
        parts = urlsplit(enrolled.rollbook.url)
        tls = ssl.create_default_context(cafile=str(enrolled.rollbook.data / "certificate.pem"))
        self._connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, context=tls, timeout=60
        )
        self._fields = {"login": enrolled.district.login, "password": PASSWORD}
        self._call({})  # the handshake, and what a server does once

    def make(self, enough: Callable[[dict[str, Any]], bool], **fields: object) -> list[float]:
        """Call until that is enough; returns the seconds of each call from when it was due."""
        seconds = []
        due = time.monotonic()
        while True:
            time.sleep(max(0.0, due - time.monotonic()))
            facts = self._call(fields)
            seconds.append(time.monotonic() - due)
            if enough(facts):
                return seconds
            due += 1 / CALLS_A_SECOND

    def _call(self, fields: dict[str, object]) -> dict[str, Any]:
        form = {**self._fields, **fields}
        parts = [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in form.items()
        ]
        body = "".join([*parts, f"--{_BOUNDARY}--\r\n"]).encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
            "Accept": "application/json",
        }
        self._connection.request("POST", "/slc/studentupdate/status", body, headers)
        answer = self._connection.getresponse()
        facts: dict[str, Any] = json.loads(answer.read())
        if answer.status != http.HTTPStatus.OK:
            raise BenchFailed(f"status was answered {answer.status}: {facts}")
        return facts
