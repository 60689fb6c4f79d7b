"""What an older database becomes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.installations import environment, execute, forget

pytestmark = pytest.mark.process

TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The data folder of a database from before roles were rows, with members of each role."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    migrate(data, "staff", "0003_sessions_letters_schools")
    execute(
        data,
        "INSERT INTO districts_district (id, name, slug, time_zone, encoding) VALUES"
        " (7, 'Maple USD', 'maple-usd', 'UTC', 'utf-8'), (8, 'Cedar County', 'cedar-county', 'UTC', 'utf-8')",
    )
    execute(
        data,
        "INSERT INTO accounts_member"
        " (password, district_id, email, first_name, last_name, role, is_active, receives_results) VALUES"
        " ('x', 7, 'ops@maple.example', 'Ana', 'Ruiz', 'district manager', true, true),"
        " ('x', 7, 'head@maple.example', 'Ben', 'Ito', 'school manager', true, false),"
        " ('x', 7, 'also@maple.example', 'Cy', 'Loe', 'school manager', false, false),"
        " ('x', 8, 'ops@cedar.example', 'Di', 'Loe', 'district manager', true, false)",
    )
    return data


def migrate(data: Path, *target: str) -> None:
    command = [sys.executable, "-m", "django", "migrate", "--settings", "rollbook.settings", *target]
    done = subprocess.run(command, env=environment(data), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_members_keep_the_roles_they_had(older: Path) -> None:
    migrate(older)
    roles = execute(
        older,
        "SELECT m.email, m.is_active, r.district_id, r.type, r.name, r.is_standard, r.permissions"
        " FROM accounts_member m JOIN accounts_role r ON r.id = m.role_id ORDER BY m.email",
    )
    told = [
        (email, bool(active), district, type_, name, bool(own))
        for email, active, district, type_, name, own, _ in roles
    ]
    assert told == [
        ("also@maple.example", False, 7, "school manager", "school manager", True),
        ("head@maple.example", True, 7, "school manager", "school manager", True),
        ("ops@cedar.example", True, 8, "district manager", "district manager", True),
        ("ops@maple.example", True, 7, "district manager", "district manager", True),
    ]
    permissions = roles[0][-1]
    assert (json.loads(permissions) if isinstance(permissions, str) else permissions) == [
        "see students",
        "manage staff",
        "edit students",
        "manage groups",
    ]
    assert execute(older, "SELECT count(*) FROM accounts_role") == [(3,)]
    forget(older)


def test_every_trigger_is_still_there(older: Path) -> None:
    before = {name for (name,) in execute(older, TRIGGERS[connection.vendor])}
    migrate(older)
    after = {name for (name,) in execute(older, TRIGGERS[connection.vendor])}
    assert "digests_member_renamed" in before
    assert before <= after
    forget(older)
