"""The forms of the pages, and what can be entered in them, for the tests of bad input."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Model
from django.utils import timezone

from rollbook.accounts import roles
from rollbook.accounts.models import Member, Role
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District, FileSchedule, SchedulePause, School
from rollbook.students.manual import groups
from rollbook.students.models import Group, Student, Transfer
from rollbook.updates.models import Expectation, LimitSet
from rollbook.updates.planning import limit_changes
from rollbook.updates.planning.limit_document import LimitDocument, Profile
from rollbook.updates.planning.limits import DEFAULT_LIMITS
from tests.conftest import PASSWORD, make_member
from tests.updates.night import a_class, enroll
from tests.web.pages.conftest import Visitor
from tests.web.pages.students.test_edit_views import ANA

STUDENT = ANA | {"student_id": "77"}
MEMBER = {
    "first_name": "Ida",
    "last_name": "Stone",
    "email": "ida@maple.example",
    "role": "district manager",
}


DAYS = {"first": "2099-12-21", "last": "2099-12-31"}


@dataclass(frozen=True)
class FormCase:
    """A form, and what can be entered in it.

    Attributes:
        address: where it is; ``{student}``, ``{school}``, ``{group}``, ``{member}`` and ``{role}``
            are keys.
        valid: fields that are accepted.
        required: fields that can't be left blank.
        texts: fields for text, which has a maximum length and no control characters.
        page: the address of the page with the form, if it is another one.
        secrets: fields that are never shown again.
        is_once: whether the same form is refused, or does nothing, the second time.
    """

    address: str
    valid: Mapping[str, Any]
    required: tuple[str, ...]
    texts: tuple[str, ...] = ()
    page: str = ""
    secrets: tuple[str, ...] = ()
    is_once: bool = field(default=False)

    @property
    def leads_back(self) -> bool:
        """Whether the address of the form also shows its page, for the sign-in to lead there."""
        return self.page.partition("?")[0] in {"", self.address}


FORMS: dict[str, FormCase] = {
    "new student": FormCase(
        "/students/new",
        STUDENT,
        ("first_name", "last_name", "dob", "gender", "grade", "school_id"),
        ("first_name", "last_name", "student_id", "username", "parent_email_1"),
        page="/students/new?school=100",
        secrets=("password",),
        is_once=True,
    ),
    "student": FormCase(
        "/students/{student}/edit",
        {"first_name": "Bea", "version": "0"},
        ("first_name", "last_name", "dob", "username"),
        ("first_name", "student_id", "username", "additional_info_1"),
        is_once=True,
    ),
    "transfer": FormCase("/transfers/new/student/{student}", {"target": "200"}, ("target",)),
    "new school": FormCase(
        "/schools/new",
        {"organization_id": "300", "name": "Hill"},
        ("organization_id", "name"),
        ("organization_id", "name"),
        is_once=True,
    ),
    "school": FormCase("/schools/{school}", {"name": "Hill"}, ("name",), ("name",)),
    "new group": FormCase(
        "/groups/new",
        {"school": "100", "name": "Choir"},
        ("school", "name"),
        ("name",),
        is_once=True,
    ),
    "group's name": FormCase(
        "/groups/{group}/rename", {"name": "Choir"}, ("name",), ("name",), page="/groups/{group}"
    ),
    "group's students": FormCase(
        "/groups/{group}/put-in",
        {"students": "s000"},
        ("students",),
        ("students",),
        page="/groups/{group}",
    ),
    "invitation": FormCase(
        "/staff/invite",
        MEMBER,
        ("first_name", "last_name", "email", "role"),
        ("first_name", "last_name", "email"),
        is_once=True,
    ),
    "member": FormCase(
        "/staff/{member}",
        {"first_name": "Benno"},
        ("first_name", "last_name", "email"),
        ("first_name", "last_name"),
        secrets=("password",),
    ),
    "new role": FormCase(
        "/roles/new/instructor",
        {"name": "Aide", "description": "Helps"},
        ("name",),
        ("name", "description"),
        is_once=True,
    ),
    "role": FormCase("/roles/{role}", {"name": "Aide"}, ("name",), ("name", "description")),
    "new token": FormCase(
        "/account/tokens/new",
        {"name": "Night", "password": PASSWORD},
        ("name", "password"),
        ("name", "networks"),
        secrets=("password",),
    ),
    "password": FormCase(
        "/account/password",
        {"old": PASSWORD, "new": "blue horse walks home", "again": "blue horse walks home"},
        ("old", "new", "again"),
        secrets=("old", "new", "again"),
        is_once=True,
    ),
    "emails": FormCase("/account/emails", {"choice": "weekly"}, ("choice",)),
    "settings": FormCase(
        "/settings",
        {"files_kept_days": "30"},
        ("time_zone", "encoding", "date_order", "files_kept_days", "audit_kept_years"),
        ("grade_codes",),
    ),
    "full sync": FormCase("/full-sync", {"absent_files": "5"}, ("absent_files", "absent_days")),
    "expected files": FormCase(
        "/expected-files",
        {"grace_minutes": "45", "Monday": "06:30"},
        ("grace_minutes",),
        ("Monday",),
    ),
    "quiet hours": FormCase(
        "/quiet-hours", {"Monday": "7:30 AM–3:30 PM"}, (), ("Monday", "Sunday")
    ),
    "pause": FormCase(
        "/expected-files/pauses", DAYS, ("first", "last"), page="/expected-files", is_once=True
    ),
    "limits": FormCase(
        "/limits", {"discard_after_hours": "30"}, ("when_exceeded", "discard_after_hours")
    ),
    "new profile": FormCase(
        "/limits/profiles/new",
        {"name": "rollover", **DAYS},
        ("name", "first", "last"),
        ("name",),
        is_once=True,
    ),
    "profile": FormCase(
        "/limits/profiles/1", {"name": "rollover", **DAYS}, ("name", "first", "last"), ("name",)
    ),
    "expected changes": FormCase(
        "/limits/expect",
        {"columns": ["GRADE"], "until": "next"},
        ("columns", "until"),
        page="/limits",
    ),
}


class Maple:
    """Maple USD with one of everything that a form is about."""

    def __init__(self, manager: Member, browser: Visitor) -> None:
        district = manager.district
        enroll(district, a_class(1))
        self.browser = browser
        browser.get("/roles")  # the standard roles are stored when they are first needed
        student = Student.objects.get(district=district)
        ben = make_member(district, "ben@maple.example")
        band = groups.create(student.school, "Band")
        helper = roles.create_role(
            manager, RoleType.INSTRUCTOR, "Helper", "", [Permission.SEE_STUDENTS]
        )
        summer = Profile("summer", date(2099, 7, 1), date(2099, 7, 31), DEFAULT_LIMITS)
        limits = LimitDocument(profiles=(summer,))
        limit_changes.change(district, limits, manager, timezone.now())
        self.keys = {
            "student": student.pk,
            "school": student.school_id,
            "group": band.pk,
            "member": ben.pk,
            "role": helper.pk,
        }

    def address(self, case: FormCase) -> str:
        return case.address.format(**self.keys)

    def as_shown(self, case: FormCase) -> dict[str, Any]:
        """Return the fields of the form as its page has them now."""
        address = self.address(case)
        page = self.browser.read((case.page or case.address).format(**self.keys))
        actions = [form.get("action", "") for form in page.main.iter("form")]
        form = page.form(address) if address in actions else page.form_with(next(iter(case.valid)))
        return dict(form.values)

    def filled(self, case: FormCase) -> dict[str, Any]:
        """Return the fields of the form as its page has them, and what a person enters."""
        return {**self.as_shown(case), **case.valid}

    def submit(self, case: FormCase, fields: Mapping[str, Any]) -> Any:
        return self.browser.post(self.address(case), fields)


def everything() -> list[tuple[Any, ...]]:
    """Return all that the forms change, without passwords' hashes, which differ each time."""
    accounts: tuple[type[Model], ...] = (Member, Role, District, School)
    settings: tuple[type[Model], ...] = (FileSchedule, SchedulePause, LimitSet, Expectation)
    students: tuple[type[Model], ...] = (Student, Group, Transfer)
    rows: list[tuple[Any, ...]] = []
    for model in (*students, *accounts, *settings):
        rows += model._default_manager.order_by("pk").values_list()
    return rows
