"""The table of settings."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rollbook import environment, settings_reference
from rollbook.environment import BY_NAME, SETTINGS, Setting

SOURCE = Path(environment.__file__).parent
SECRETS = ["DATABASE_URL", "ROLLBOOK_SMTP_PASSWORD", "ROLLBOOK_PING_URL", "SENTRY_DSN"]


def test_every_setting_is_in_the_table_once() -> None:
    defined = [value for value in vars(environment).values() if isinstance(value, Setting)]
    assert set(map(id, defined)) == set(map(id, SETTINGS))
    assert len(BY_NAME) == len(SETTINGS)


def test_settings_reads_every_setting_and_no_variable_by_itself() -> None:
    text = (SOURCE / "settings.py").read_text(encoding="utf-8")
    read = re.findall(r"environment\.([A-Z_]+)\.read\(\)", text)
    assert sorted(read) == sorted(setting.name.removeprefix("ROLLBOOK_") for setting in SETTINGS)
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
