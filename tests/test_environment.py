"""The table of settings."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rollbook import environment, settings_reference
from rollbook.environment import BY_NAME, SETTINGS
from rollbook.setting import Setting

SOURCE = Path(environment.__file__).parent
SECRETS = [
    "DATABASE_URL",
    "ROLLBOOK_MIGRATE_DATABASE_URL",
    "ROLLBOOK_SMTP_PASSWORD",
    "ROLLBOOK_METRICS_TOKEN",
    "ROLLBOOK_PING_URL",
    "SENTRY_DSN",
]


def test_every_setting_is_in_the_table_once() -> None:
    defined = [value for value in vars(environment).values() if isinstance(value, Setting)]
    assert set(map(id, defined)) == set(map(id, SETTINGS))
    assert len(BY_NAME) == len(SETTINGS)


def test_settings_reads_every_setting_and_no_variable_by_itself() -> None:
    text = (SOURCE / "settings.py").read_text(encoding="utf-8")
    read = re.findall(r"environment\.([A-Z_]+)\.read\(\)", text)
    # Only a few commands connect as the owner, see cli/bootstrap.py.
    names = {setting.name.removeprefix("ROLLBOOK_") for setting in SETTINGS}
    assert sorted(read) == sorted(names - {"MIGRATE_DATABASE_URL"})
    assert "os.environ" not in text


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_default_is_read_without_an_error_and_is_right(setting: Setting[Any]) -> None:
    assert setting.read({}) == setting.parse(setting.default)
    if setting.default:
        assert setting.check(setting.default) is None


def test_a_number_that_is_set_to_nothing_has_its_default() -> None:
    assert environment.MAX_ROWS.read({"ROLLBOOK_MAX_ROWS": ""}) == 2_000_000
    assert environment.MAX_ROWS.read({"ROLLBOOK_MAX_ROWS": "5"}) == 5
    with pytest.raises(ValueError, match="many"):
        environment.MAX_ROWS.read({"ROLLBOOK_MAX_ROWS": "many"})


@pytest.mark.statement("S53")
def test_a_file_goes_before_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "host"
    file.write_text("from-file\r\n", encoding="utf-8")
    both = {"ROLLBOOK_SMTP_HOST": "from-variable", "ROLLBOOK_SMTP_HOST_FILE": str(file)}
    assert environment.SMTP_HOST.read(both) == "from-file"
    assert environment.SMTP_HOST.text({"ROLLBOOK_SMTP_HOST_FILE": ""}) is None


def test_a_misspelled_mail_security_is_no_value() -> None:
    with pytest.raises(
        ValueError, match="ROLLBOOK_SMTP_SECURITY is 'ssl' and not starttls, tls or none"
    ):
        environment.SMTP_SECURITY.read({"ROLLBOOK_SMTP_SECURITY": "ssl"})


BAD = {
    "ROLLBOOK_LOG_FORMAT": ("xml", "is 'xml', which is not text or json; use one of them"),
    "ROLLBOOK_LOG_LEVEL": (
        "INFO",
        "is 'INFO', which is not debug, info, warning or error; use one of them",
    ),
    "ROLLBOOK_METRICS_TOKEN": (
        "too short",
        "is no token of at least 16 ASCII characters; create one with `openssl rand -hex 32`",
    ),
    "ROLLBOOK_SECURITY_CONTACT": (
        "security@maple.example, http://maple.example/report",
        "has an entry that is no contact ('http://maple.example/report' is not an email address, "
        "an https:// address or a tel: number); write it like security@maple.example",
    ),
    "ROLLBOOK_METRICS_NETWORKS": (
        "10.0.0.0/8, here",
        "has an entry that is no network ('here' does not appear to be an IPv4 or IPv6 network); "
        "write it like 10.0.0.0/8, ::1",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_reported_and_never_used(name: str) -> None:
    value, problem = BAD[name]
    assert BY_NAME[name].check(value) == problem
    with pytest.raises(ValueError, match=r"\w"):
        BY_NAME[name].read({name: value})


@pytest.mark.parametrize("name", BAD)
def test_a_setting_that_is_set_to_nothing_has_its_default(name: str) -> None:
    assert BY_NAME[name].check("") is None
    assert BY_NAME[name].read({name: ""}) == BY_NAME[name].read({})


def test_networks_are_separated_by_commas() -> None:
    read = environment.METRICS_NETWORKS.read({"ROLLBOOK_METRICS_NETWORKS": "10.0.0.0/8, ::1,"})
    assert list(map(str, read)) == ["10.0.0.0/8", "::1/128"]


def test_security_contacts_are_addresses_with_their_scheme() -> None:
    value = "security@maple.example, mailto:it@maple.example,https://maple.example/report"
    assert environment.SECURITY_CONTACT.read({"ROLLBOOK_SECURITY_CONTACT": value}) == (
        "mailto:security@maple.example",
        "mailto:it@maple.example",
        "https://maple.example/report",
    )
    for bad in ("nobody", "https://", "javascript:alert(1)", "a@b\nExpires: never"):
        assert environment.SECURITY_CONTACT.check(bad)


def test_a_flag_that_is_neither_on_nor_off_is_reported() -> None:
    check = environment.LOG_CLIENT_ADDRESS.check
    assert (check("1"), check("0")) == (None, None)
    assert check("yes") == "is 'yes', which is neither 1 nor 0; use 1 to turn it on"


@pytest.mark.statement("S53")
def test_the_secret_ones_are_marked_and_no_check_repeats_their_value() -> None:
    assert [setting.name for setting in SETTINGS if setting.is_secret] == SECRETS
    for name in SECRETS:
        assert "s3cret" not in str(BY_NAME[name].check("s3cret://a:s3cret@b/s3cret"))


def test_the_table_is_written_between_its_markers() -> None:
    page = "before\n<!-- settings -->\nold\n<!-- /settings -->\nafter\n"
    written = settings_reference.with_table(page)
    assert written.startswith("before\n<!-- settings -->\n| Variable |")
    assert written.endswith("|\n<!-- /settings -->\nafter\n")
    assert "| `ROLLBOOK_SMTP_PORT` | `587` |" in written
    assert settings_reference.with_table(written) == written
    with pytest.raises(ValueError, match="must have"):
        settings_reference.with_table("before\n<!-- settings -->\n")


@pytest.mark.process
def test_the_table_needs_no_django() -> None:
    code = (
        "import sys, rollbook.environment, rollbook.settings_reference; "
        "print('django' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
