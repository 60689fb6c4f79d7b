"""Settings, each checked separately."""

from pathlib import Path

import pytest

from rollbook.doctor.environment import Variables
from rollbook.doctor.result import Level
from tests.doctor.conftest import results


def the_only_one(**environment: str) -> tuple[Level, str]:
    (found,) = results(Variables(environment).results)
    return found


def test_set_variables_are_named_without_their_values() -> None:
    found = the_only_one(
        ROLLBOOK_SMTP_PASSWORD="s3cret", ROLLBOOK_URL="https://rollbook.example", HOME="/root"
    )
    assert found == (Level.OK, "set: ROLLBOOK_SMTP_PASSWORD, ROLLBOOK_URL")
    assert the_only_one() == (Level.OK, "none is set; the defaults apply")


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("ROLLBOOK_MAX_ROWS", "many", "is 'many', which is not a number above 0"),
        ("ROLLBOOK_MAX_UPLOAD_BYTES", "-1", "is '-1', which is not a number above 0"),
        ("ROLLBOOK_MAX_UPLOAD_BYTES", "0", "is '0', which is not a number above 0"),
        ("ROLLBOOK_SMTP_PORT", "smtp", "is 'smtp', which is not a number above 0"),
        ("ROLLBOOK_SMTP_PORT", "70000", "is 70000, which is not a port"),
        (
            "ROLLBOOK_SMTP_SECURITY",
            "ssl",
            "is 'ssl', which is not starttls, tls or none",
        ),
        (
            "ROLLBOOK_URL",
            "http://rollbook.example",
            "is 'http://rollbook.example', but plain HTTP is refused, "
            "so links in emails wouldn't work",
        ),
        ("ROLLBOOK_URL", "rollbook.example", "is 'rollbook.example', which is not an address"),
        ("ROLLBOOK_URL", "https://[::1", "is 'https://[::1', which is not an address"),
        (
            "ROLLBOOK_URL",
            "https://rollbook.example:x",
            "is 'https://rollbook.example:x', which is not an address",
        ),
        ("DATABASE_URL", "mysql://a:s3cret@b/c", "does not begin with postgres://"),
        (
            "DATABASE_URL",
            "postgres://a:s3cret@[/c",
            "is not like postgres://user:password@host:5432/database",
        ),
    ],
)
def test_a_wrong_value_is_reported_and_removed(name: str, value: str, what: str) -> None:
    assert the_only_one(**{name: value}) == (Level.ERROR, f"{name} {what}")
    variables = Variables({name: value})
    environment = {name: value, f"{name}_FILE": "x", "HOME": "/root"}
    variables.remove_wrong(environment)
    assert (variables.wrong, environment) == ({name}, {"HOME": "/root"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROLLBOOK_MAX_ROWS", "2_000_000"),
        ("ROLLBOOK_SMTP_PORT", "25"),
        ("ROLLBOOK_SMTP_SECURITY", "none"),
        ("ROLLBOOK_URL", "https://rollbook.example:8443/"),
        ("DATABASE_URL", "postgresql:///school?host=/run/postgresql"),
    ],
)
def test_a_right_value_is_accepted(name: str, value: str) -> None:
    assert the_only_one(**{name: value})[0] == Level.OK


def test_a_value_in_a_file_is_checked_and_a_missing_file_is_an_error(
    tmp_path: Path,
) -> None:
    (tmp_path / "port").write_text("smtp\n", encoding="utf-8")
    assert the_only_one(ROLLBOOK_SMTP_PORT_FILE=str(tmp_path / "port"))[0] == Level.ERROR
    missing = tmp_path / "missing"
    found = the_only_one(ROLLBOOK_SMTP_PASSWORD_FILE=str(missing))
    why = "which cannot be read: No such file or directory"
    assert found == (Level.ERROR, f"ROLLBOOK_SMTP_PASSWORD_FILE names {missing}, {why}")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in the_only_one(DATABASE_URL_FILE=str(tmp_path / "binary"))[1]


def test_a_mistyped_name_is_reported_with_the_closest_one() -> None:
    (finding,) = Variables({"ROLLBOOK_STMP_HOST": "mail"}).results
    assert (finding.level, finding.fix) == (Level.WARNING, "did you mean ROLLBOOK_SMTP_HOST?")
    assert the_only_one(ROLLBOOK_LISTENER="3")[0] == Level.OK


@pytest.mark.parametrize("url", [{}, {"ROLLBOOK_URL": "https://localhost:8443"}])
def test_links_in_emails_need_an_address_that_others_can_reach(url: dict[str, str]) -> None:
    assert the_only_one(**url)[0] == Level.OK
    level, what = the_only_one(ROLLBOOK_SMTP_HOST="mail.example", **url)
    assert (level, "links in emails use" in what) == (Level.WARNING, True)
