"""What a plan costs: to judge it, to open its page, and to decide about it.

A rollover changes every student, so its plan has as many rows as there are students.
"""

import json
import time
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request

from bench import students
from bench.databases import Database
from bench.pages import TOKEN, signed_in
from bench.plan import BenchFailed, Plan, say
from bench.results import Results
from bench.works import Enrolled, enroll

JUDGE, PAGE, APPROVE, DISCARD = "judge", "open the page", "approve", "discard"
CALLS = 5


def measure(plan: Plan, database: Database, results: Results) -> None:
    """Hold a rollover of the largest number of students; judge, open, discard and approve it."""
    files = students.write(plan.folder, plan.most, order=plan.order)
    enrolled = enroll(plan, database, files)
    with enrolled.serving():
        enrolled.send("base")
        enrolled.rollbook.set_limits(enrolled.district, {})
        for run in range(plan.runs):
            for what in (DISCARD, APPROVE):
                number = _hold(enrolled)
                _judge(enrolled, results, number, run)
                _decide(enrolled, results, number, run, what)
            _end(enrolled, number)


def _hold(enrolled: Enrolled) -> int:
    """Send the other of the two files; return the number of its update when it is held."""
    name = "rollover" if enrolled.current_file == "base" else "base"
    upload = enrolled.begin(name)
    enrolled.rollbook.end(enrolled.district, upload, "held")
    return upload.number


def _end(enrolled: Enrolled, number: int) -> None:
    """Wait until the approved update has ended."""
    while not enrolled.rollbook.status(enrolled.district, number)["ended_at"]:
        time.sleep(0.5)
    enrolled.current_file = "rollover" if enrolled.current_file == "base" else "base"


def _judge(enrolled: Enrolled, results: Results, number: int, run: int) -> None:
    found = json.loads(enrolled.rollbook.module("bench.judging", str(number)))
    _note(enrolled, results, JUDGE, run, found.pop("judge_seconds"), **found)


def _decide(enrolled: Enrolled, results: Results, number: int, run: int, what: str) -> None:
    """Open the page of the plan, and decide about it there.

    A decision has been answered when the browser is sent to the next page.
    """
    redirects = _Redirects()
    browser = signed_in(enrolled, redirects)
    url = f"{enrolled.rollbook.url}/updates/{number}"
    for _ in range(CALLS):
        seconds, page = _timed(browser, url)
        _note(enrolled, results, PAGE, run, seconds)
    token, digest = TOKEN.search(page), enrolled.rollbook.status(enrolled.district, number)
    if token is None:
        raise BenchFailed(f"{url} has no form")
    form = {"csrfmiddlewaretoken": token[1], "plan": digest["plan"]["digest"], "note": ""}
    request = Request(f"{url}/{what}", urlencode(form).encode(), {"Origin": enrolled.rollbook.url})
    began = time.monotonic()
    browser.open(request).read()
    seconds = redirects.at - began
    facts = enrolled.rollbook.status(enrolled.district, number)
    if (what == DISCARD) != (facts["state"] == "discarded"):
        raise BenchFailed(f"{what} did nothing: {facts['message']}")
    _note(enrolled, results, what, run, seconds)


class _Redirects(HTTPRedirectHandler):
    """Follows redirects, and knows when the last one came."""

    at = 0.0

    def redirect_request(self, *arguments: Any) -> Request | None:
        self.at = time.monotonic()
        return super().redirect_request(*arguments)


def _timed(browser: OpenerDirector, request: str | Request) -> tuple[float, str]:
    began = time.monotonic()
    page = browser.open(request).read().decode()
    return time.monotonic() - began, page


def _note(
    enrolled: Enrolled, results: Results, what: str, run: int, seconds: float, **more: float
) -> None:
    name, rows = enrolled.database.name, enrolled.files.rows
    results.add(
        "plans", database=name, rows=rows, what=what, run=run, seconds=round(seconds, 4), **more
    )
    details = "".join(f", {key} {value}" for key, value in more.items())
    say(f"{name:9} plan of {rows:>9,} rows  {what}: {seconds * 1000:.0f} ms{details}")
