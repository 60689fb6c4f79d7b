"""Measures how long the list of students takes to load: whole HTTPS requests when signed in.

The time of a call includes what the network adds on one machine, so the server itself takes less.
"""

import re
import ssl
import time
from statistics import median
from urllib.parse import urlencode
from urllib.request import (
    BaseHandler,
    HTTPCookieProcessor,
    HTTPSHandler,
    OpenerDirector,
    Request,
    build_opener,
)

from bench import students
from bench.databases import Database
from bench.door import PASSWORD
from bench.plan import BenchFailed, Plan, say
from bench.results import Results
from bench.works import Enrolled, enroll

MAX_ROWS = 100_000
CALLS = 10
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def measure(plan: Plan, database: Database, results: Results) -> None:
    """Measure the first page, the last page, a search and a filter; medium number of students."""
    rows = max((rows for rows in plan.rows if rows <= MAX_ROWS), default=plan.most)
    enrolled = enroll(plan, database, students.write(plan.folder, rows, order=plan.order))
    with enrolled.serving():
        enrolled.send("base")
        browser = signed_in(enrolled)
        for what, query in _asked(rows).items():
            address = _address(browser, f"{enrolled.rollbook.url}/students", query)
            seconds = [_open(browser, address) for _ in range(CALLS * plan.runs)]
            rounded = [round(each, 5) for each in seconds]
            results.add("pages", database=database.name, rows=rows, what=what, seconds=rounded)
            middle = median(seconds) * 1000
            say(f"{database.name:9} students    {rows:>9,} rows  {what}: median {middle:.0f} ms")


def _asked(rows: int) -> dict[str, dict[str, str]]:
    """What is opened, and which page or filters that is."""
    return {
        "first page": {},
        "last page": {"page": str(-(-rows // 50))},
        "searched": {"search": "ana oak"},
        "filtered": {"grade": "7", "status": "active"},
    }


def _address(browser: OpenerDirector, url: str, asked: dict[str, str]) -> str:
    """Return the address of the list: the one to which its submitted filters lead."""
    if not asked or "page" in asked:
        return f"{url}?{urlencode(asked)}"
    token = TOKEN.search(browser.open(url).read().decode())
    if token is None:
        raise BenchFailed("the list of students has no form")
    form = {"csrfmiddlewaretoken": token[1], **asked}
    answer = browser.open(Request(url, urlencode(form).encode(), {"Origin": url.rsplit("/", 1)[0]}))
    return str(answer.geturl())


def signed_in(enrolled: Enrolled, *handlers: BaseHandler) -> OpenerDirector:
    """Return a browser, with these handlers, in which the district's member is signed in."""
    tls = ssl.create_default_context(cafile=str(enrolled.rollbook.data / "certificate.pem"))
    browser = build_opener(HTTPSHandler(context=tls), HTTPCookieProcessor(), *handlers)
    browser.addheaders = [("Accept", "text/html")]
    url = f"{enrolled.rollbook.url}/sign-in"
    token = TOKEN.search(browser.open(url).read().decode())
    if token is None:
        raise BenchFailed("the sign-in page has no form")
    form = {"csrfmiddlewaretoken": token[1], "login": enrolled.district.login, "password": PASSWORD}
    answer = browser.open(Request(url, urlencode(form).encode(), {"Origin": enrolled.rollbook.url}))
    if answer.geturl().endswith("/sign-in"):
        raise BenchFailed("the member could not sign in")
    return browser


def _open(browser: OpenerDirector, url: str) -> float:
    began = time.monotonic()
    page = browser.open(url).read()
    seconds = time.monotonic() - began
    if b"<tbody>" not in page:
        raise BenchFailed(f"{url} shows no students")
    return seconds
