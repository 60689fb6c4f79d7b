"""The third axis of the matrix: which students every page records as seen, by every role.

The expected set is what the response contains: each student of the district has a name, an ID and
a username that no other text contains, and whoever is found in a response must be recorded.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from rollbook.accounts.audit import student_sets
from rollbook.accounts.models import AuditEvent, Member
from rollbook.accounts.permissions import RoleType
from rollbook.districts.models import District, School
from rollbook.students.manual import transfers
from rollbook.students.models import Group, Student, Transfer
from rollbook.updates import cancel
from rollbook.updates.models import Draft
from rollbook.updates.receiving import drafts
from rollbook.updates.state_machine import Mode
from tests.conftest import make_member
from tests.updates.night import enroll, finish, incoming, send
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.test_matrix import FOR_MEMBERS, KEYS_OF_CEDAR, RULES, SHARED_KEYS, text_of

pytestmark = [pytest.mark.daily_on("sqlite"), pytest.mark.statement("S20", "S45", "S57")]

CANARIES = {
    # first name and last name, which no page shows for another reason, by student ID
    "zq71a": ("Quillaxa", "Vorbennix"),
    "zq71b": ("Quillaxb", "Vorbenniy"),
    "zq71c": ("Quillaxc", "Vorbenniz"),
    "zq71d": ("Quillaxd", "Vorbennig"),
    "zq71e": ("Quillaxe", "Vorbennih"),
}
SCHOOLS = {"zq71d": "200", "zq71e": "200"}
STAFF = {"zq71a": "instructor@maple.example"}
HEADER = "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID,GROUPS,STAFF"

Keys = dict[str, Any]


class Maple:
    """A district whose students are spread over everything that can show them."""

    def __init__(self, district: District) -> None:
        self.district = district
        self.manager = make_member(district, "manager@maple.example")
        for role in (RoleType.SCHOOL_MANAGER, RoleType.INSTRUCTOR):
            member = make_member(district, f"{role.replace(' ', '-')}@maple.example", role)
            member.schools.set(School.objects.filter(district=district, organization_id="100"))
        enroll(district, "\n".join([HEADER, *map(_row, CANARIES)]))
        self.keys = {str(student.student_id): student.pk for student in Student.objects.all()}
        self.update = send(
            district,
            "STUDENT_ID,USERNAME,GRADE\n"
            "zq71a,,5\n"  # changed
            "zq71b,,99\n"  # rejected
            "zq71e,uzq71d,6\n"  # rejected: another student has the username
            "nobody,,4",
        )
        finish(self.update)
        self.update.refresh_from_db()
        assert self.update.rows_rejected
        self.canceled = send(district, "STUDENT_ID,GRADE\nzq71c,7\nzq71d,8\nunknown,9")
        cancel.cancel(district, self.canceled.number)
        named = [_row(key) for key in CANARIES if key != "zq71c"]
        self.sync = send(district, "\n".join([HEADER, *named]), Mode.SYNC, is_check=True)
        finish(self.sync)
        self.sync.refresh_from_db()
        self.plan = send(
            district,
            "STUDENT_ID,USERNAME,GRADE,SCHOOL_ID\nzq71a,,7,200\nzq71b,uzq71d,,\n",
            is_check=True,
        )
        finish(self.plan)
        self.plan.refresh_from_db()
        self.group = Group.objects.get(school__organization_id="100", name="Choir")
        self.pending = self._request("zq71c")
        self.draft = self._draft()

    def _request(self, student_id: str) -> Transfer:
        chosen = transfers.select_student(self.manager, self.keys[student_id])
        assert chosen
        return transfers.request_transfer(self.manager, chosen, "away", timezone.now())

    def _draft(self) -> Draft:
        """Return a draft whose problems quote the ID of one student."""
        text = "STUDENT_ID,GRADE\n  zq71a ,99\n"
        return drafts.create_draft(
            self.manager, incoming(text.encode()), file_name="x.csv", now=timezone.now()
        )

    def member(self, role: RoleType) -> Member:
        if role is RoleType.DISTRICT_MANAGER:
            return self.manager
        return Member.objects.get(email=f"{role.replace(' ', '-')}@maple.example")


def _row(student_id: str) -> str:
    first, last = CANARIES[student_id]
    school = SCHOOLS.get(student_id, "100")
    cells = (f"u{student_id}", first, last, "2012-05-13", school, "Choir")
    return ",".join([student_id, *cells, STAFF.get(student_id, "")])


def _one(name: str, student_id: str = "zq71a", /, **fields: Any) -> "Call":
    return lambda maple: (name, {"key": maple.keys[student_id]}, fields)


def _transfer(name: str, /, **fields: Any) -> "Call":
    return lambda maple: (name, {"key": maple.pending.pk}, fields)


def _group(name: str, /, **fields: Any) -> "Call":
    return lambda maple: (name, {"key": maple.group.pk}, fields)


def _update(name: str, /, **fields: Any) -> "Call":
    return lambda maple: (name, {"number": maple.update.number}, fields)


def _plan(name: str, /, **fields: Any) -> "Call":
    return lambda maple: (name, {"number": maple.plan.number}, fields)


def _sync(name: str) -> "Call":
    return lambda maple: (name, {"number": maple.sync.number}, {})


def _canceled(name: str) -> "Call":
    return lambda maple: (name, {"number": maple.canceled.number}, {})


Call = Callable[[Maple], tuple[str, Keys, dict[str, Any]]]


# Requests that show students, besides one of each address without fields.
def _selected(name: str, **fields: str) -> Call:
    """Return a request with two selected students of one school, as they are now."""

    def call(maple: Maple) -> tuple[str, Keys, dict[str, Any]]:
        students = Student.objects.filter(student_id__in=("zq71a", "zq71b"))
        return name, {}, {"student": [f"{one.pk}:{one.version}" for one in students], **fields}

    return call


CALLS: dict[str, Call] = {
    "the list, filtered": lambda _: ("students", {}, {"search": "uillaxb"}),
    "a student": _one("student"),
    "a student of another school": _one("student", "zq71d"),
    "a rejected row that names others": _one("student", "zq71e"),
    "confidential fields": _one("student-confidential"),
    "who saw one": _one("student-seen"),
    "the form of a student": lambda maple: ("student-edit GET", {"key": maple.keys["zq71a"]}, {}),
    "the form of a student, refused": _one("student-edit", last_name=""),
    "a new student, refused": lambda _: ("student-new", {}, {"last_name": ""}),
    "a new student with a taken ID": lambda _: (
        "student-new",
        {},
        _new_student(student_id="zq71b", first_name="Somebody", last_name="Else"),
    ),
    "a new student who resembles one": lambda _: (
        "student-new",
        {},
        _new_student(first_name="Quillaxb", last_name="Vorbenniy"),
    ),
    "a question before a new password": _one("student-password"),
    "a new password": lambda maple: (
        "student-password",
        {"key": maple.keys["zq71a"]},
        {"sure": "yes", "version": Student.objects.get(student_id="zq71a").version},
    ),
    "a question about a student": _one("student-deactivate"),
    "a message about a student": _one("student-deactivate", sure="yes"),
    "a question about selected students": _selected("students-deactivate"),
    "a question before new passwords": _selected("students-passwords"),
    "sign-in cards": _selected("students-passwords", sure="yes"),
    "selected students to be transferred": _selected("students-transfer"),
    "a transfer of selected students, refused": _selected("students-transfer", target="nowhere"),
    "the list as a file": lambda _: ("students-csv GET", {}, {}),
    "a student to be transferred": lambda maple: (
        "transfer-new GET",
        {"slug": "student", "key": maple.keys["zq71a"]},
        {},
    ),
    "a transfer, refused": lambda maple: (
        "transfer-new",
        {"slug": "student", "key": maple.keys["zq71a"]},
        {"target": "nowhere"},
    ),
    "a group to be transferred": lambda maple: (
        "transfer-new GET",
        {"slug": "group", "key": maple.group.pk},
        {},
    ),
    "a transfer with its students": _transfer("transfer"),
    "a transfer that is not completed": _transfer("transfer-finish", target="nowhere"),
    "a group": _group("group"),
    "a group that is not renamed": _group("group-rename", name=""),
    "students not added to a group": _group("group-put-in", students="zq71d nobody"),
    "an update": _update("update"),
    "rows of an update": _update("update-rows"),
    "rows of an update with confidential fields": _update("update-rows", confidential="yes"),
    "rows of an update, filtered": _update("update-rows", search="zq71b"),
    "rejected rows": _update("update-rejected"),
    "changes": _update("update-changes"),
    "rows not processed": _canceled("update-not-processed"),
    "missing students": _sync("update-missing"),
    "missing students as a file": _sync("update-missing-csv"),
    "a plan": _plan("update"),
    "rows of a plan": _plan("update-rows GET"),
    "rows of a figure of a plan": _plan("update-rows GET", figure="moved_out", school="100"),
    "rejected rows of a plan": _plan("update-rejected"),
    "a plan that is not approved": _plan("update-approve", plan="another"),
    "a plan that is not discarded": _plan("update-discard", plan="another"),
    "the roster": lambda _: ("students-template GET", {}, {"students": "yes"}),
    "the template": lambda _: ("students-template", {}, {}),
    "a draft": lambda maple: ("draft", {"key": maple.draft.pk}, {}),
}


def _new_student(**fields: str) -> dict[str, str]:
    return {
        "dob": "05/13/2012",
        "gender": "f",
        "grade": "4",
        "school_id": "100",
        "ell": "n",
        "special_ed": "n",
        **fields,
    }


@pytest.fixture
def canaries(maple: District) -> Maple:
    return Maple(maple)


@pytest.mark.parametrize("role", list(RoleType))
def test_what_a_response_shows_is_recorded_and_nothing_else(
    role: RoleType, canaries: Maple, visitor: SignedIn
) -> None:
    browser = visitor(canaries.member(role))
    calls = {**_calls_without_keys(), **CALLS}
    seen_by_somebody: set[str] = set()
    wrong = {}
    for title, call in calls.items():
        before = transaction.savepoint()
        response = _send(browser, *call(canaries))
        shown = _shown_in(response)
        recorded = _recorded(canaries)
        seen_by_somebody |= {title} if shown else set()
        if shown != recorded:
            wrong[title] = (response.status_code, shown, recorded)
        transaction.savepoint_rollback(before)
    assert wrong == {}
    if role is RoleType.DISTRICT_MANAGER:
        without = {"the template", "a new student, refused", "a group to be transferred"}
        assert set(CALLS) - seen_by_somebody == without


def _calls_without_keys() -> dict[str, Call]:
    """Return a request of each address that belongs to no object."""
    names = set(FOR_MEMBERS) - KEYS_OF_CEDAR.keys() - SHARED_KEYS.keys()
    return {f"/{name}": _plain(name) for name in sorted(names)}


def _plain(name: str) -> Call:
    return lambda _: (name, {}, {})


def _send(browser: Visitor, name: str, keys: Keys, fields: dict[str, Any]) -> Any:
    """Send the request and discard the events of what came before it."""
    AuditEvent.objects.all().delete()
    name, _, method = name.partition(" ")
    address = reverse(name, kwargs=keys)
    if method != "GET" and RULES[name].methods[-1] == "POST":
        response = browser.post(address, fields)
        if response.status_code == 302:
            return browser.get(response["Location"])  # it shows a message about what was done
        return response
    return browser.get(address, fields)


def _shown_in(response: Any) -> set[str]:
    """Return the IDs of the students who are named in a response, and in its messages."""
    text = text_of(response)
    found = set()
    for student_id, names in CANARIES.items():
        words = (student_id, *map(str.casefold, names))
        if any(word in text for word in words):
            found.add(student_id)
    return found


def _recorded(canaries: Maple) -> set[str]:
    by_key = {key: student_id for student_id, key in canaries.keys.items()}
    recorded: set[str] = set()
    for event in AuditEvent.objects.exclude(students=""):
        recorded.update(by_key[key] for key in student_sets.decode(event.students))
    return recorded
