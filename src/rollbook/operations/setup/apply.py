"""Make districts as a file describes them, in one transaction; nothing is ever removed.

The whole file is applied even if a part of it is wrong, so that every problem is found. Then the
transaction is rolled back if there is a problem, or if only the plan was wanted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from rollbook.accounts import district_settings
from rollbook.accounts.audit import log
from rollbook.accounts.auth.sign_in import fold_login
from rollbook.accounts.district_settings import InvalidSettings
from rollbook.accounts.members import changes as member_changes
from rollbook.accounts.members import members
from rollbook.accounts.members.validation import InvalidMember
from rollbook.accounts.models import Member
from rollbook.accounts.roles import key_of
from rollbook.districts.models import District, School
from rollbook.districts.names import check_slug, normalize_name
from rollbook.districts.schools import InvalidSchool, single_spaced, validate_new_school
from rollbook.operations.setup.file import DistrictEntry, FileRefused, SetupProblem, StaffEntry
from rollbook.students.manual.schools import load_schools
from rollbook.system_accounts import command_agent

ACTION = "apply"


@dataclass(frozen=True)
class SetupChange:
    """A difference between a district and the file.

    Attributes:
        district: The short name of the district.
        text: What is different, as old and new value.
    """

    district: str
    text: str

    def __str__(self) -> str:
        return f"{self.district}: {self.text}"


class _RolledBack(Exception):
    """Only the plan was wanted."""


def apply(
    entries: list[DistrictEntry], now: datetime, *, only_plan: bool = False
) -> list[SetupChange]:
    """Change what differs from the file, and return it.

    Args:
        entries: The districts in the file.
        now: The current time.
        only_plan: Whether to change nothing.

    Raises:
        FileRefused: With every problem. Nothing is changed.
    """
    run = _Run(now)
    try:
        with transaction.atomic():
            for entry in entries:
                run.apply(entry)
            if run.problems:
                raise FileRefused(run.problems)
            if only_plan:
                raise _RolledBack
    except _RolledBack:
        pass
    return run.changes


class _Run:
    """Applies districts one after the other, and collects changes and problems."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.changes: list[SetupChange] = []
        self.problems: list[SetupProblem] = []

    def apply(self, entry: DistrictEntry) -> None:
        district = self._district(entry)
        if district is None:
            return
        self._schools(district, entry)
        for member in entry.staff:
            with self._collecting(member.place, InvalidMember):
                self._member(district, member)
        self._settings(district, entry)

    def _district(self, entry: DistrictEntry) -> District | None:
        try:
            name = normalize_name(entry.name)
        except ValueError as error:
            self._problem(f"{entry.place}, name", str(error))
            return None
        district = District.objects.select_for_update().filter(slug=entry.slug).first()
        if district is None:
            try:
                check_slug(entry.slug)
            except ValueError as error:
                self._problem(f"{entry.place}, slug", str(error))
                return None
            district = District.objects.create(slug=entry.slug, name=name)
            self._change(district, f"district added: {name}")
        elif district.name != name:
            old, district.name = district.name, name
            district.save(update_fields=["name"])
            self._change(district, f"name: {old} → {name}")
        return district

    def _schools(self, district: District, entry: DistrictEntry) -> None:
        valid: dict[str, str] = {}
        for number, (school_id, name) in enumerate(entry.schools.items(), start=1):
            with self._collecting(f"{entry.place}, school {number} ({school_id})", InvalidSchool):
                validate_new_school(school_id, name)
                valid[school_id] = single_spaced(name)
        schools = School.objects.filter(district=district, organization_id__in=valid)
        names = dict(schools.values_list("organization_id", "name"))
        if all(names.get(school_id) == name for school_id, name in valid.items()):
            return
        load_schools(district, valid)
        for school_id, name in valid.items():
            if school_id not in names:
                self._change(district, f"school {school_id} added: {name}")
            elif names[school_id] != name:
                self._change(district, f"school {school_id}: {names[school_id]} → {name}")

    def _member(self, district: District, entry: StaffEntry) -> None:
        login = fold_login(entry.email)
        member = Member.objects.filter(district=district, email=login).first()
        if member is None:
            member = members.invite(
                district,
                entry.email,
                entry.first_name,
                entry.last_name,
                entry.role,
                entry.schools,
                None,
                self.now,
            )
            self._change(district, f"staff {login} invited as {member.role}")
            return
        differences = list(_differences(member, entry))
        if differences:
            member_changes.change(
                member,
                None,
                self.now,
                email=entry.email,
                first_name=entry.first_name,
                last_name=entry.last_name,
                role=entry.role,
                schools=entry.schools,
            )
        for text in differences:
            self._change(district, f"staff {login}: {text}")

    def _settings(self, district: District, entry: DistrictEntry) -> None:
        current = district_settings.load_settings(district)
        receivers = current.receivers | self._receivers(district, entry)
        new = replace(current, receivers=receivers, **entry.settings)
        try:
            changed = district_settings.change(district, new)
        except InvalidSettings as error:
            for name, text in error.reasons.items():
                self._problem(f"{entry.place}, {name}", text)
            return
        added = Member.objects.filter(pk__in=receivers - current.receivers).order_by("email")
        for member in added:
            self._change(district, f"recipient added: {member.email}")
        for change in changed:
            if change.setting != district_settings.SETTING_LABELS["receivers"]:
                self._change(district, str(change))

    def _receivers(self, district: District, entry: DistrictEntry) -> frozenset[int]:
        logins = {fold_login(email): email for email in entry.recipients}
        found = Member.objects.filter(district=district, is_active=True, email__in=logins)
        keys = dict(found.values_list("email", "pk"))
        for login, email in logins.items():
            if login not in keys:
                text = f"{email} is not an active member of this district; add them under staff"
                self._problem(f"{entry.place}, recipients", text)
        return frozenset(keys.values())

    @contextmanager
    def _collecting(
        self, place: str, error_type: type[InvalidMember] | type[InvalidSchool]
    ) -> Iterator[None]:
        """Turn an error into problems, and undo what was done within."""
        try:
            with transaction.atomic():
                yield
        except error_type as error:
            for reason in error.reasons:
                self._problem(place, reason)

    def _problem(self, place: str, text: str) -> None:
        self.problems.append(SetupProblem(place, text))

    def _change(self, district: District, text: str) -> None:
        self.changes.append(SetupChange(district.slug, text))
        log.record(
            ACTION, "done", district=district, agent=command_agent(), detail=text, now=self.now
        )


def _differences(member: Member, entry: StaffEntry) -> Iterator[str]:
    """Yield each field of a member that differs from the file."""
    school_ids = sorted(member.schools.values_list("organization_id", flat=True))
    pairs = (
        ("first name", member.first_name, entry.first_name.strip()),
        ("last name", member.last_name, entry.last_name.strip()),
        ("schools", ", ".join(school_ids) or "none", ", ".join(sorted(entry.schools)) or "none"),
    )
    for name, old, new in pairs:
        if old != new:
            yield f"{name}: {old} → {new}"
    if member.role.name_key != key_of(entry.role):
        yield f"role: {member.role} → {key_of(entry.role)}"
