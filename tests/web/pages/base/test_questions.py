"""Test that what can't be undone asks first, and that only the answer does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from django.db.models import Model
from django.urls import resolve
from django.utils import timezone

from rollbook.accounts import roles
from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import Member, Role, SecondFactor, Token
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts import schedules
from rollbook.districts.file_schedule import Pause
from rollbook.districts.models import District, SchedulePause, School
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.students.manual import groups, transfers
from rollbook.students.models import Group, Student, Transfer
from rollbook.updates.mappings import store
from rollbook.updates.mappings.models import ColumnMapping
from rollbook.updates.planning import limit_changes
from rollbook.updates.planning.limit_document import LimitDocument, Profile
from rollbook.updates.planning.limits import DEFAULT_LIMITS
from rollbook.updates.planning.models import LimitSet
from rollbook.urls import urlpatterns
from tests.accounts.browser import Clock
from tests.accounts.phone import with_second_factor
from tests.conftest import PASSWORD, make_member
from tests.updates.night import a_class, enroll
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read, text_of


class Everything:
    """One of everything in Maple USD that can be ended, closed or removed."""

    def __init__(self, manager: Member) -> None:
        self.manager = manager
        district = manager.district
        enroll(district, a_class(2))
        self.student, self.moved = Student.objects.filter(district=district).order_by("pk")
        self.school = School.objects.create(
            district=district, organization_id="900", name="Old School"
        )
        self.group = groups.create(self.student.school, "Band")
        self.ben = make_member(district, "ben@maple.example")
        self.token, _ = api_tokens.create(manager, "Night", tuple(Scope), timezone.now())
        api_tokens.create(self.ben, "Ben's night", tuple(Scope), timezone.now())
        self.role = roles.create_role(
            manager, RoleType.INSTRUCTOR, "Helper", "", [Permission.SEE_STUDENTS]
        )
        selection = transfers.select_student(manager, self.moved.pk)
        target = School.objects.get(district=district, organization_id="200")
        assert selection
        with_second_factor(self.ben)
        now = timezone.now()
        schedules.add_pause(district, Pause(date(2099, 12, 21), date(2099, 12, 31)), now)
        summer = Profile("summer", date(2099, 7, 1), date(2099, 7, 31), DEFAULT_LIMITS)
        limit_changes.change(district, LimitDocument(profiles=(summer,)), manager, now)
        columns = [{"to": "STUDENT_ID", "from": ["Our number"]}]
        mapping = MappingDocument.from_json({"name": "own", "columns": columns})
        store.save(district, mapping, manager, now)
        self.transfer = transfers.move(manager, selection, target, timezone.now())

    def state(self) -> list[tuple[Any, ...]]:
        """Return what the questions are about."""
        settings: tuple[type[Model], ...] = (District, SchedulePause, LimitSet, SecondFactor)
        students: tuple[type[Model], ...] = (Student, School, Group, Transfer, ColumnMapping)
        people: tuple[type[Model], ...] = (Member, Token, Role)
        rows: list[tuple[Any, ...]] = []
        for model in (*people, *settings, *students):
            rows += model._default_manager.order_by("pk").values_list()
        return rows


SETTINGS: Mapping[str, Any] = {
    "time_zone": "America/Chicago",
    "encoding": "utf-8",
    "date_order": "mdy",
    "files_kept_days": "14",
    "details_kept_days": "90",
    "audit_kept_years": "7",
    "history_kept_days": "2562",
    "leavers_kept_days": "0",
    "staff_kept_days": "0",
}
"""The settings of a new district."""


@dataclass(frozen=True)
class Asking:
    """An address that asks.

    Attributes:
        to_address: Returns it.
        title: The question.
        fields: What is submitted to it.
    """

    to_address: Callable[[Everything], str]
    title: str
    fields: Mapping[str, Any] = field(default_factory=dict)


ASKING: dict[str, Asking] = {
    "a student deactivated": Asking(
        lambda all_: f"/students/{all_.student.pk}/deactivate",
        "Deactivate Ann000 Lee000?",
    ),
    "a password of a student": Asking(
        lambda all_: f"/students/{all_.student.pk}/password",
        "Set a new password for Ann000 Lee000?",
    ),
    "a school": Asking(lambda all_: f"/schools/{all_.school.pk}/close", "Close Old School?"),
    "a group": Asking(lambda all_: f"/groups/{all_.group.pk}/remove", "Delete Band?"),
    "a member": Asking(lambda all_: f"/staff/{all_.ben.pk}/deactivate", "Deactivate Ana Ruiz?"),
    "tokens of a member": Asking(
        lambda all_: f"/staff/{all_.ben.pk}/revoke-tokens",
        "Revoke all tokens of Ana Ruiz?",
    ),
    "two-step verification of a member": Asking(
        lambda all_: f"/staff/{all_.ben.pk}/second-factor-off",
        "Turn off two-step verification for Ana Ruiz?",
    ),
    "tokens of the district": Asking(lambda _: "/staff/tokens/revoke", "Revoke 2 tokens?"),
    "a token": Asking(lambda all_: f"/account/tokens/{all_.token.pk}/revoke", "Revoke Night?"),
    "a role": Asking(lambda all_: f"/roles/{all_.role.pk}/remove", "Remove Helper?"),
    "a transfer": Asking(
        lambda all_: f"/transfers/{all_.transfer.pk}/back",
        "Move 1 student back to School 100?",
    ),
    "a pause": Asking(
        lambda _: "/expected-files/pauses/remove",
        "Remove the pause from Dec 21, 2099 to Dec 31, 2099?",
        {"first": "2099-12-21"},
    ),
    "a profile of limits": Asking(
        lambda _: "/limits/profiles/1/remove", "Remove the profile summer?", {"version": "1"}
    ),
    "a column mapping": Asking(lambda _: "/mappings/own/remove", "Remove the column mapping own?"),
    "shorter retention": Asking(
        lambda _: "/settings", "Keep data for a shorter time?", {**SETTINGS, "files_kept_days": "7"}
    ),
}
ASKING_FOR_MANY = ("students-deactivate", "students-reactivate", "students-passwords")
"""Addresses that ask about selected students: tests/web/pages/students/test_chosen_views.py."""

NOT_ASKING = {
    "sign-in": "begins a session",
    "sign-in-code": "begins a session",
    "sign-out": "signing in again undoes it",
    "forgotten-password": "sends an email",
    "password": "has a page of its own, with the new password",
    "account-password": "has a page of its own, with both passwords",
    "account-emails": "can be chosen again",
    "second-factor": "can be turned off",
    "recovery-codes": "has a page of its own, with password and code",
    "second-factor-off": "has a page of its own, with password and code",
    "token-new": "adds a token, which can be revoked",
    "end-session": "signing in again undoes it",
    "end-other-sessions": "signing in again undoes it",
    "students": "searches",
    "students-csv": "downloads",
    "students-transfer": "opens the page on which the transfer is made",
    "student-new": "adds a student, who can be deactivated",
    "student-edit": "has a page of its own, and a history",
    "student-reactivate": "can be deactivated again",
    "students-template": "downloads",
    "students-file": "keeps a file, which is applied later",
    "draft-apply": "starts a check that is reviewed before it is applied, or says what it does",
    "draft-columns": "reads the file again, and applies nothing",
    "draft-mapping": "adds a version; older ones are kept",
    "draft-discard": "the file can be uploaded again",
    "transfer-new": "has a page of its own, and can be moved back",
    "transfer-finish": "has a page of its own, and can be moved back",
    "transfer-withdraw": "can be requested again",
    "group-new": "adds a group, which can be deleted",
    "group-rename": "can be renamed again",
    "group-put-in": "can be taken out again",
    "group-take-out": "can be put in again",
    "update-rows": "searches",
    "update-fix": "starts an update, which is checked first",
    "update-again": "starts an update, which is checked first",
    "update-cancel": "can be resumed",
    "update-mapping": "opens the file again",
    "update-columns": "reads the file again, and applies nothing",
    "update-undo": "asks by itself, and applies nothing before its plan is approved",
    "update-approve": "has a page of its own, the plan",
    "update-discard": "can be retried",
    "automation-setup": "adds a token, which can be revoked",
    "staff-invite": "can be deactivated",
    "staff-import": "asks for the password",
    "staff-import-file": "each person can be deactivated",
    "member": "has a page of its own, and can be changed back",
    "staff-invite-again": "sends an email",
    "member-reactivate": "can be deactivated again",
    "school-new": "adds a school, which can be closed",
    "schools-import-file": "adds and renames schools, and closes none",
    "school": "can be renamed again",
    "role-new": "adds a role, which can be removed",
    "role": "can be changed back",
    "full-sync": "students whom it deactivates can be reactivated",
    "expected-files": "can be changed back",
    "quiet-hours": "can be changed back",
    "pause-add": "can be removed",
    "limits": "adds a version; older ones are kept",
    "limits-profile-new": "can be removed",
    "limits-profile": "adds a version; older ones are kept",
    "limits-expect": "can be ended",
    "limits-expect-end": "can be expected again",
}
"""Addresses that accept a form and don't ask, and why not."""


@pytest.fixture
def everything(manager: Member) -> Everything:
    return Everything(manager)


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """The district manager's."""
    return visitor(manager)


@pytest.mark.parametrize("name", ASKING)
def test_it_is_done_only_after_the_answer(
    everything: Everything, browser: Visitor, name: str
) -> None:
    asking = ASKING[name]
    address, title = asking.to_address(everything), asking.title
    before = everything.state()
    for _ in range(2):
        asked = browser.post(address, asking.fields)
        page = read(asked)
        assert (asked.status_code, page.heading) == (200, title)
        assert everything.state() == before
    assert browser.get(page.links["Cancel"]).status_code == 200
    answered = browser.post(address, page.form(address).values)
    assert answered.status_code in {200, 302}
    assert everything.state() != before


@pytest.mark.parametrize("name", ASKING)
def test_an_answer_that_is_submitted_twice_is_no_failure(
    everything: Everything, browser: Visitor, name: str
) -> None:
    asking = ASKING[name]
    address = asking.to_address(everything)
    answer = read(browser.post(address, asking.fields)).form(address).values
    browser.post(address, answer)
    after = everything.state()
    again = browser.post(address, answer)
    assert again.status_code in {302, 404}
    assert everything.state() == after


@pytest.mark.parametrize("answer", ["", "no", "YES", "yes yes"])
def test_another_answer_asks_again(everything: Everything, browser: Visitor, answer: str) -> None:
    before = everything.state()
    page = read(browser.post(f"/schools/{everything.school.pk}/close", {"sure": answer}))
    assert page.heading == "Close Old School?"
    assert everything.state() == before


def test_fields_of_the_form_are_kept_in_the_question(
    everything: Everything, browser: Visitor
) -> None:
    address = f"/roles/{everything.role.pk}/remove"
    page = read(browser.post(address, {"note": ["<b>", "x"]}))
    assert page.form(address).values["note"] == ["<b>", "x"]


def test_every_address_with_a_form_asks_or_need_not(everything: Everything) -> None:
    asking = {resolve(each.to_address(everything)).url_name for each in ASKING.values()}
    accepting = {pattern.name for pattern in urlpatterns if "POST" in _methods(pattern.callback)}
    assert accepting == asking | set(ASKING_FOR_MANY) | NOT_ASKING.keys()
    assert not asking & NOT_ASKING.keys()


def _methods(view: Any) -> tuple[str, ...]:
    return view.rule.methods if hasattr(view, "rule") else ()


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"files_kept_days": "7"}, ["Student files, in days: 7 instead of 14"]),
        ({"leavers_kept_days": "30"}, ["Students who left, in days: 30 instead of no limit"]),
        (
            {"audit_kept_years": "6", "history_kept_days": "400"},
            [
                "Audit, in years: 6 instead of 7",
                "History of students, in days: 400 instead of 2,562",
            ],
        ),
    ],
)
def test_shorter_retention_is_listed(
    everything: Everything, browser: Visitor, changes: dict[str, str], kept: list[str]
) -> None:
    page = read(browser.post("/settings", {**SETTINGS, **changes}))
    assert [text_of(item) for item in page.main.iter("li")] == kept


@pytest.mark.parametrize(
    "changes", [{"files_kept_days": "15"}, {"encoding": "cp1252"}, {"staff_kept_days": "0"}]
)
def test_longer_retention_and_other_settings_are_saved_at_once(
    everything: Everything, browser: Visitor, changes: dict[str, str]
) -> None:
    assert browser.post("/settings", {**SETTINGS, **changes}).status_code == 302


def test_a_password_that_was_just_entered_is_not_in_the_question(
    everything: Everything, clock: Clock, visitor: SignedIn
) -> None:
    browser = visitor(everything.manager)
    clock.move(minutes=20)
    browser.get("/roles")
    clock.move(minutes=20)
    address = f"/roles/{everything.role.pk}/remove"
    assert browser.post(address).status_code == 403
    asked = browser.post(address, {"confirmation": PASSWORD})
    assert read(asked).heading == "Remove Helper?"
    assert PASSWORD not in asked.content.decode()
