"""``rollbook admin``: the operators' site, which the server of the members does not include."""

import re
import ssl
import subprocess
import sys
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPSHandler, OpenerDirector, Request, build_opener

import pytest
from django.conf import settings
from django.test import Client

from tests.endtoend.conftest import Rollbook
from tests.endtoend.operators import Operators, lived_in, operators
from tests.installations import execute
from tests.patience import TIMEOUT_S

pytestmark = pytest.mark.daily_on("sqlite")

__all__ = ["lived_in", "operators"]

TABLES = {
    "operations/alert",
    "operations/alertmail",
    "districts/district",
    "students/group",
    "districts/school",
    "accounts/auditevent",
    "accounts/auditseal",
    "accounts/member",
    "accounts/role",
    "accounts/accountmail",
    "updates/expectation",
    "updates/columnmapping",
    "updates/limitset",
    "updates/resultmail",
    "updates/updateevent",
    "updates/updatejob",
    "operations/destruction",
}
HISTORY = (
    "accounts/auditevent",
    "updates/updatejob",
    "accounts/member",
    "accounts/role",
    "districts/school",
)


@dataclass
class Answer:
    """Where it came from in the end."""

    status: int
    text: str
    url: str


def _opener() -> OpenerDirector:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return build_opener(HTTPSHandler(context=trusting), HTTPCookieProcessor(CookieJar()))


@dataclass
class Browser:
    """One that keeps its cookies."""

    url: str
    opener: OpenerDirector = field(default_factory=_opener)

    def get(self, path: str) -> Answer:
        return self._answer(Request(self.url + path))

    def post(self, path: str, token: str = "", **fields: str) -> Answer:
        data = urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        return self._answer(Request(self.url + path, data, {"Origin": self.url}))

    def enter(self, secret: str) -> Answer:
        return self.post("/login/", self.token("/login/"), secret=secret)

    def token(self, path: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(path).text)
        assert found
        return found[1]

    def _answer(self, request: Request) -> Answer:
        try:
            with self.opener.open(request, timeout=TIMEOUT_S) as answer:
                return Answer(answer.status, answer.read().decode(), answer.url)
        except HTTPError as refused:
            return Answer(refused.code, refused.read().decode(), refused.url or "")


@pytest.fixture
def inside(operators: Operators) -> Browser:
    browser = Browser(operators.url)
    assert browser.enter(operators.secret).status == 200
    return browser


def audited(operators: Operators) -> list[tuple[str | None, str, str]]:
    """District, result and detail."""
    return [
        (district, result, detail)
        for district, result, detail in execute(
            operators.data,
            "SELECT d.slug, e.result, e.detail FROM accounts_auditevent e "
            "LEFT JOIN districts_district d ON d.id = e.district_id "
            "WHERE e.action = 'operators'' pages' ORDER BY e.id",
        )
    ]


def links(answer: Answer, table: str) -> list[str]:
    return re.findall(rf'href="(/{table}/[^/"]+/change/)', answer.text)


@pytest.mark.statement("S54")
@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/admin/", "/login/", "/accounts/member/", "/districts/district/", "/logout/"]
)
def test_the_server_of_the_members_has_none_of_it(path: str) -> None:
    assert Client(headers={"Accept": "text/html"}).get(path, secure=True).status_code == 404
    assert not [app for app in settings.INSTALLED_APPS if "admin" in app]


def test_without_the_secret_nobody_is_in(operators: Operators) -> None:
    browser = Browser(operators.url)
    for path in (
        "/",
        *(f"/{table}/" for table in sorted(TABLES)),
        "/accounts/member/1/change/",
        "/nothing/",
    ):
        answer = browser.get(path)
        assert "One-time secret" in answer.text, path
        assert "maple" not in answer.text.casefold()
    answer = browser.enter("a" * 32)
    assert (answer.status, "The secret is wrong" in answer.text) == (422, True)
    assert (
        browser.post("/login/", secret=operators.secret).status == 403
    )  # from a page that is not ours
    assert audited(operators) == [(None, "wrong secret", "")]


def test_the_secret_lets_one_browser_in_until_it_leaves(operators: Operators) -> None:
    browser, other = Browser(operators.url), Browser(operators.url)
    assert "Server data" in browser.enter(operators.secret).text
    assert other.enter(operators.secret).status == 422
    assert "Server data" in browser.get("/").text
    assert "One-time secret" in browser.post("/logout/", browser.token("/")).text
    assert "One-time secret" in browser.get("/").text
    assert browser.enter(operators.secret).status == 422
    results = [result for _, result, _ in audited(operators)]
    assert results == ["signed in", "wrong secret", "signed out", "wrong secret"]


def test_every_table_is_listed_and_each_row_shown_without_secrets_and_students(
    inside: Browser,
) -> None:
    index = inside.get("/")
    assert {match.strip("/") for match in re.findall(r'href="(/\w+/\w+/)"', index.text)} == TABLES
    for table in sorted(TABLES):
        listed = inside.get(f"/{table}/")
        assert listed.status == 200, table
        assert "<style" not in listed.text, (
            table
        )  # which our content security policy does not let in
        for path in links(listed, table)[:3]:
            shown = inside.get(path)
            assert shown.status == 200, path
            for secret in (
                "argon2",
                "Zuzanna",
                "Quill",
                "a very secret word",
                '<input type="password"',
            ):
                assert secret not in shown.text + listed.text, path
    assert "550 no such box" in inside.get("/updates/resultmail/").text
    assert inside.get("/students/student/").status == 404
    assert inside.get("/accounts/session/").status == 404
    assert inside.get("/password_change/").status == 404


@pytest.mark.statement("S54")
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("accounts/member/?is_active__exact=1", 200),
        ("accounts/member/?district__id__exact=1", 200),
        ("updates/updatejob/?state=completed", 200),
        ("updates/resultmail/?update__district__id__exact=1", 200),
        ("accounts/member/?password__startswith=argon2", 400),
        ("accounts/member/?email__startswith=a", 400),
        ("accounts/member/?second_factor__encrypted_secret__startswith=a", 400),
        ("students/group/?student__last_name__startswith=Q", 400),
        ("accounts/auditevent/?students__contains=1", 400),
    ],
)
def test_only_the_listed_fields_are_filters(inside: Browser, query: str, status: int) -> None:
    """Otherwise a column that isn't shown could be guessed, letter by letter."""
    assert inside.get(f"/{query}").status == status


def test_the_same_headers_as_everywhere(operators: Operators) -> None:
    with Browser(operators.url).opener.open(f"{operators.url}/login/", timeout=TIMEOUT_S) as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_another_name_for_this_machine_leads_nowhere(operators: Operators) -> None:
    request = Request(f"{operators.url}/login/", headers={"Host": "evil.example"})
    assert Browser(operators.url)._answer(request).status == 400


@pytest.mark.statement("S54")
def test_nothing_can_be_changed_added_or_removed(operators: Operators, inside: Browser) -> None:
    token = inside.token("/")
    for table in HISTORY:
        [path, *_] = links(inside.get(f"/{table}/"), table)
        row = f"SELECT * FROM {table.replace('/', '_')} WHERE id = {path.split('/')[3]}"
        before = execute(operators.data, row)
        for address in (path, path.replace("change", "delete"), f"/{table}/add/"):
            assert (
                inside.post(address, token, name="x", state="failed", detail="x", email="x").status
                == 403
            ), address
        assert inside.get(path.replace("change", "history")).status == 404
        assert execute(operators.data, row) == before


def test_a_districts_name_can_be_changed_and_nothing_else_of_it(
    operators: Operators, inside: Browser
) -> None:
    [path] = [
        path
        for path in links(inside.get("/districts/district/"), "districts/district")
        if "/1/" in path
    ]
    inside.post(
        path, inside.token(path), name="Maple  Unified", slug="other", files_kept_days="365"
    )
    facts = "SELECT name, slug, files_kept_days FROM districts_district WHERE id = 1"
    assert execute(operators.data, facts) == [("Maple Unified", "maple-usd", 14)]
    assert ("maple-usd", "changed", "name of the district") in audited(operators)
    answer = inside.post(path, inside.token(path), name="x" * 101)
    assert "at most 100 characters" in answer.text
    assert execute(operators.data, facts) == [("Maple Unified", "maple-usd", 14)]


def test_each_view_is_in_the_audit_of_the_districts_that_were_seen(
    operators: Operators, inside: Browser
) -> None:
    [path, *_] = links(inside.get("/updates/updatejob/"), "updates/updatejob")
    inside.get(path)
    inside.get("/accounts/member/")
    inside.get("/accounts/auditseal/")
    key = path.split("/")[3]
    assert audited(operators)[1:] == [
        ("maple-usd", "seen", "list of update jobs"),
        ("maple-usd", "seen", f"update job {key}"),
        ("maple-usd", "seen", "list of members"),
        ("cedar-county", "seen", "list of members"),
        (None, "seen", "list of audit seals"),
    ]


def test_it_needs_a_data_folder_that_is_there(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "rollbook",
            "admin",
            "--data",
            str(tmp_path / "none"),
            "--port",
            "0",
        ],
        env=Rollbook(tmp_path / "other").environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (done.returncode, done.stderr.split(":")[0]) == (1, "ERROR no_data_folder")
