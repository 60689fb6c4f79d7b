"""Test the access to every page by every role of both districts, generated from the URLconf.

A page without an access rule fails the tests.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from rollbook.accounts import roles
from rollbook.accounts.auth import api_tokens
from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.members import members
from rollbook.accounts.models import AuditEvent, Member, Role, Session, Token
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District, School
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.students.manual import transfers
from rollbook.students.models import Change, Group, Student, Transfer
from rollbook.updates.mappings import store
from rollbook.updates.models import ColumnMapping, Draft, Expectation, LimitSet, UpdateJob
from rollbook.updates.planning import expectations, limit_changes
from rollbook.updates.planning.expectations import Wanted
from rollbook.updates.planning.limit_document import LimitDocument, Profile
from rollbook.updates.planning.limits import Limits
from rollbook.updates.receiving import drafts
from rollbook.updates.receiving.files import IncomingFile
from rollbook.urls import urlpatterns
from rollbook.web.pages.base.view import SAFE, AccessRule
from tests.conftest import PASSWORD, make_member
from tests.updates.night import a_class, enroll, finish, send
from tests.web.test_matrix import COMMANDS_AND_CHECKS

pytestmark = pytest.mark.daily_on("sqlite")

PAGES: dict[str, URLPattern] = {
    pattern.name or "?": pattern
    for pattern in urlpatterns
    if pattern.name not in COMMANDS_AND_CHECKS
}
RULES: dict[str, AccessRule] = {
    name: getattr(page.callback, "rule", None)  # type: ignore[misc]
    for name, page in PAGES.items()
}
FOR_MEMBERS = [name for name, rule in RULES.items() if rule and not rule.public]
ROLES = list(RoleType)

Keys = dict[str, Any]

# For each address with a key: the keys of an object of the other district.
KEYS_OF_CEDAR: dict[str, Callable[["Cedar"], Keys]] = {
    **dict.fromkeys(
        (
            "student",
            "student-confidential",
            "student-seen",
            "student-edit",
            "student-password",
            "student-deactivate",
            "student-reactivate",
        ),
        lambda cedar: {"key": cedar.student.pk},
    ),
    "transfer-new": lambda cedar: {"slug": "student", "key": cedar.student.pk},
    **dict.fromkeys(
        ("transfer", "transfer-finish", "transfer-withdraw", "transfer-back"),
        lambda cedar: {"key": cedar.transfer.pk},
    ),
    **dict.fromkeys(
        ("group", "group-rename", "group-remove", "group-put-in", "group-take-out"),
        lambda cedar: {"key": cedar.group.pk},
    ),
    "draft": lambda cedar: {"key": cedar.draft.pk},
    "draft-apply": lambda cedar: {"key": cedar.draft.pk},
    "draft-discard": lambda cedar: {"key": cedar.draft.pk},
    "draft-columns": lambda cedar: {"key": cedar.draft.pk},
    "draft-mapping": lambda cedar: {"key": cedar.draft.pk},
    "mapping": lambda cedar: {"name": "cedars"},
    "mapping-remove": lambda cedar: {"name": "cedars"},
    "update-columns": lambda cedar: {"number": cedar.update.number},
    "update-mapping": lambda cedar: {"number": cedar.update.number},
    "update": lambda cedar: {"number": cedar.update.number},
    "update-progress": lambda cedar: {"number": cedar.update.number},
    "update-rows": lambda cedar: {"number": cedar.update.number},
    "update-missing": lambda cedar: {"number": cedar.update.number},
    "update-missing-csv": lambda cedar: {"number": cedar.update.number},
    "update-fix": lambda cedar: {"number": cedar.update.number},
    "update-again": lambda cedar: {"number": cedar.update.number},
    "update-undo": lambda cedar: {"number": cedar.update.number},
    "update-cancel": lambda cedar: {"number": cedar.update.number},
    "update-approve": lambda cedar: {"number": cedar.update.number},
    "update-discard": lambda cedar: {"number": cedar.update.number},
    "update-rejected": lambda cedar: {"number": cedar.update.number},
    "update-changes": lambda cedar: {"number": cedar.update.number},
    "update-not-processed": lambda cedar: {"number": cedar.update.number},
    "member": lambda cedar: {"key": cedar.invited.pk},
    "staff-invite-again": lambda cedar: {"key": cedar.invited.pk},
    "member-deactivate": lambda cedar: {"key": cedar.invited.pk},
    "member-reactivate": lambda cedar: {"key": cedar.invited.pk},
    "member-second-factor-off": lambda cedar: {"key": cedar.invited.pk},
    "member-tokens-revoke": lambda cedar: {"key": cedar.invited.pk},
    "token-revoke": lambda cedar: {"key": cedar.token.pk},
    "automation-first-call": lambda cedar: {"key": cedar.token.pk},
    "school": lambda cedar: {"key": cedar.student.school_id},
    "school-close": lambda cedar: {"key": cedar.student.school_id},
    "role": lambda cedar: {"key": cedar.role.pk},
    "role-remove": lambda cedar: {"key": cedar.role.pk},
    "limits-profile": lambda cedar: {"number": 1},
    "limits-profile-remove": lambda cedar: {"number": 1},
    "limits-version": lambda cedar: {"version": 1},
    "limits-expect-end": lambda cedar: {"key": cedar.expectation.pk},
    "end-session": lambda cedar: {"handle": cedar.handle},
}
# Addresses whose key belongs to no district: they are called with one that exists.
SHARED_KEYS: dict[str, Keys] = {
    "automation-script": {"name": "nightly.sh"},
    "automation-setup": {"platform": "cron"},
    "password": {"token": "nothing"},
    "role-new": {"slug": "instructor"},
}
# The handle of another member's session ends nothing, and the next page shows that.
ENDS_NOTHING = {"end-session"}


class Cedar:
    """The other district, with one of everything that has a key."""

    student: Student
    group: Group
    transfer: Transfer
    update: UpdateJob
    invited: Member
    role: Role
    draft: Draft
    token: Token
    expectation: Expectation
    handle: str

    def __init__(self, district: District) -> None:
        self.manager = make_member(district, "ops@cedar.example")
        enroll(district, a_class(3))
        for grade in ("8", "9", "10"):
            finish(send(district, a_class(3, GRADE=grade)))
        self.update = UpdateJob.objects.filter(district=district).latest("number")
        self.student = Student.objects.filter(district=district).latest("pk")
        self.group = Group.objects.get(school=self.student.school_id)
        chosen = transfers.select_student(self.manager, self.student.pk)
        assert chosen
        self.transfer = transfers.request_transfer(
            self.manager, chosen, "To the new school", timezone.now()
        )
        self.invited = members.invite(
            district,
            "new@cedar.example",
            "Neil",
            "Cedarson",
            RoleType.DISTRICT_MANAGER,
            [],
            self.manager,
            timezone.now(),
        )
        self.role = roles.create_role(
            self.manager, RoleType.INSTRUCTOR, "Cedar's helper", "", [Permission.SEE_STUDENTS]
        )
        incoming = IncomingFile()
        incoming.write(a_class(3, GRADE="11").encode())
        self.draft = drafts.create_draft(
            self.manager, incoming, file_name="cedar.csv", now=timezone.now()
        )
        self.token, _ = api_tokens.create(
            self.manager, "Cedar's night", tuple(Scope), timezone.now()
        )
        now = timezone.now()
        summer = Profile("Cedar's summer", now.date(), now.date(), Limits({}, {}))
        limit_changes.change(district, LimitDocument(profiles=(summer,)), self.manager, now)
        columns = [{"to": "STUDENT_ID", "from": ["Cedar's number"]}]
        mapping = MappingDocument.from_json({"name": "cedars", "columns": columns})
        store.save(district, mapping, self.manager, now)
        wanted = Wanted(("GRADE",), now + timedelta(days=1))
        self.expectation = expectations.expect(district, wanted, self.manager, now)
        self.visitor = signed_in(self.manager)
        self.handle = str(Session.objects.get(member=self.manager).pk)

    def keys(self, name: str) -> Keys | None:
        """Return the keys with which the address belongs to the other district."""
        return KEYS_OF_CEDAR[name](self) if name in KEYS_OF_CEDAR else None

    def everything(self) -> list[tuple[Any, ...]]:
        """Return all data of the other district, to check that nothing has changed."""
        found = [
            Member.objects.filter(district=self.manager.district),
            School.objects.filter(district=self.manager.district),
            Role.objects.filter(district=self.manager.district),
            Student.objects.filter(district=self.manager.district),
            Group.objects.filter(school__district=self.manager.district),
            Transfer.objects.filter(district=self.manager.district),
            Change.objects.filter(student__district=self.manager.district),
            UpdateJob.objects.filter(district=self.manager.district),
            Draft.objects.filter(district=self.manager.district),
            Token.objects.filter(member__district=self.manager.district),
            LimitSet.objects.filter(district=self.manager.district),
            ColumnMapping.objects.filter(district=self.manager.district),
            Expectation.objects.filter(district=self.manager.district),
        ]
        return [row for query in found for row in query.order_by("pk").values_list()]


@pytest.fixture
def neighbors(cedar: District) -> Cedar:
    return Cedar(cedar)


@pytest.fixture
def ours(maple: District) -> District:
    """Maple USD with two students and one update, fewer than Cedar County."""
    enroll(maple, a_class(2))
    return maple


def a_browser() -> Client:
    return Client(raise_request_exception=False, headers={"Accept": "text/html"})


def signed_in(member: Member) -> Client:
    client = a_browser()
    answer = client.post("/sign-in", {"login": member.email, "password": PASSWORD}, secure=True)
    assert answer.status_code == 302, answer.content
    return client


def again(client: Client) -> Client:
    """Return a copy of the browser, so that changes of its cookies don't last."""
    browser = a_browser()
    browser.cookies = SimpleCookie({name: cookie.value for name, cookie in client.cookies.items()})
    return browser


def one_of(district: District, role: RoleType) -> Member:
    member = make_member(district, f"{role.replace(' ', '-')}@maple.example", role.value)
    if role is not RoleType.DISTRICT_MANAGER:
        member.schools.add(School.objects.filter(district=district).first())  # type: ignore[arg-type]
    return member


def call(client: Client, name: str, keys: Keys | None = None) -> HttpResponse:
    """Call the address with the last method of its rule."""
    address = reverse(name, kwargs=keys if keys is not None else SHARED_KEYS.get(name))
    post = RULES[name].methods[-1] == "POST"
    return client.post(address, secure=True) if post else client.get(address, secure=True)  # type: ignore[return-value]


def text_of(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return bytes(body).decode().casefold()


@pytest.mark.statement("S20")
def test_every_page_has_a_rule_and_every_key_a_district() -> None:
    assert [name for name, rule in RULES.items() if rule is None] == []
    with_keys = {name for name, page in PAGES.items() if page.pattern.converters}
    assert with_keys == KEYS_OF_CEDAR.keys() | SHARED_KEYS.keys()


@pytest.mark.statement("S20")
@pytest.mark.parametrize("role", ROLES)
def test_access_is_limited_to_role_and_district(
    role: RoleType, ours: District, neighbors: Cedar
) -> None:
    member = one_of(ours, role)
    client = signed_in(member)
    AuditEvent.objects.all().delete()
    before = neighbors.everything()

    def check(name: str) -> None:
        answer = call(again(client), name, neighbors.keys(name))
        if not RULES[name].allows(member):
            assert answer.status_code == 403
            event = AuditEvent.objects.get(result="not allowed")
            assert (event.member, event.detail) == (member, name)
        elif name in KEYS_OF_CEDAR and name not in ENDS_NOTHING:
            assert answer.status_code == 404
        else:
            assert answer.status_code < 500
            assert answer.status_code not in {403, 404}
        assert "cedar" not in text_of(answer)
        assert neighbors.everything() == before
        assert again(neighbors.visitor).get("/account", secure=True).status_code == 200

    assert failures(FOR_MEMBERS, check) == {}


def test_people_who_are_not_signed_in_are_redirected_to_the_sign_in(
    ours: District, neighbors: Cedar
) -> None:
    before = neighbors.everything()

    def check(name: str) -> None:
        answer = call(a_browser(), name, neighbors.keys(name))
        assert answer.status_code == 302
        assert answer["Location"].partition("?")[0] == "/sign-in"
        assert neighbors.everything() == before

    assert failures(FOR_MEMBERS, check) == {}


@pytest.mark.statement("S05")
def test_a_deactivated_member_is_signed_out_at_once(ours: District, neighbors: Cedar) -> None:
    Member.objects.filter(pk=neighbors.manager.pk).update(is_active=False)

    def check(name: str) -> None:
        answer = call(again(neighbors.visitor), name, neighbors.keys(name))
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in")

    assert failures(FOR_MEMBERS, check) == {}


@pytest.mark.statement("S54")
def test_a_page_accepts_only_its_methods_and_https(ours: District) -> None:
    """This holds for any key, so that responses disclose nothing about what exists."""

    def check(name: str) -> None:
        address = reverse(name, kwargs=_some_keys(name))
        client = a_browser()
        assert client.delete(address, secure=True).status_code == 405
        if not set(SAFE) & set(RULES[name].methods):
            assert client.get(address, secure=True).status_code == 405
        plain = client.get(address)
        assert plain.status_code == 403
        assert text_of(plain).startswith("error use_https")

    assert failures(PAGES, check) == {}


@pytest.mark.statement("S16", "S17", "S19")
def test_every_response_has_the_security_headers(ours: District) -> None:
    client = signed_in(one_of(ours, RoleType.DISTRICT_MANAGER))

    def check(name: str) -> None:
        answer = call(again(client), name, _some_keys(name))
        assert len(answer["X-Request-Id"]) == 16
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Strict-Transport-Security"] == "max-age=31536000"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert "unsafe" not in answer["Content-Security-Policy"]
        for cookie in answer.cookies.values():
            assert cookie.key.startswith("__Host-")
            assert cookie["secure"]
            assert cookie["httponly"]
            assert cookie["samesite"] == "Lax"

    assert failures(PAGES, check) == {}


def failures(names: Iterable[str], check: Callable[[str], None]) -> dict[str, str]:
    """Return the failed checks by address. Each check is rolled back before the next."""
    failed = {}
    for name in names:
        before = transaction.savepoint()
        try:
            check(name)
        except AssertionError as error:
            failed[name] = str(error)
        finally:
            transaction.set_rollback(False)
            transaction.savepoint_rollback(before)
    return failed


def _some_keys(name: str) -> Keys:
    return {key: _any(converter) for key, converter in PAGES[name].pattern.converters.items()}


def _any(converter: Any) -> Any:
    """Return a key of the right type."""
    return converter.to_python(
        {"IntConverter": "1", "UUIDConverter": "0" * 8 + "-0000-4000-8000-" + "0" * 12}.get(
            type(converter).__name__, "nothing"
        )
    )
