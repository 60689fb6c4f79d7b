"""The environment and what becomes of it, in processes of their own."""

import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.installations import environment

pytestmark = pytest.mark.process


def setting(setting_name: str, **variables: object) -> str:
    """Return the text of a setting under these variables."""
    code = f"import django; from django.conf import settings; print(settings.{setting_name})"
    texts = {name: str(value) for name, value in variables.items()}
    env = environment(None, DJANGO_SETTINGS_MODULE="rollbook.settings", **texts)
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_everything_lives_in_the_data_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert setting("DATABASES['default']['NAME']", ROLLBOOK_DATA=data) == str(
        data / "rollbook.sqlite3"
    )
    assert setting("SPOOL", ROLLBOOK_DATA=data) == str(data / "spool")
    assert not data.exists()


def test_the_session_key_is_created_at_first_use_and_stays(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = setting("SECRET_KEY", ROLLBOOK_DATA=data)
    assert key == (data / "keys" / "session").read_bytes().hex()
    assert stat.S_IMODE((data / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "keys" / "session").stat().st_mode) == 0o600
    assert setting("SECRET_KEY", ROLLBOOK_DATA=data) == key


def test_two_processes_that_start_at_once_sign_with_the_same_key(tmp_path: Path) -> None:
    code = "from django.core.signing import Signer; print(Signer().sign('a'))"
    env = environment(
        None, DJANGO_SETTINGS_MODULE="rollbook.settings", ROLLBOOK_DATA=str(tmp_path / "data")
    )
    command = [sys.executable, "-c", code]
    both = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = [process.communicate()[0] for process in both]
    assert first == second
    assert first.startswith("a:")
    assert [file.name for file in (tmp_path / "data" / "keys").iterdir()] == ["session"]


def test_setting_django_up_writes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    code = "import django; django.setup(); import rollbook.web.operators.settings"
    env = environment(None, DJANGO_SETTINGS_MODULE="rollbook.settings", ROLLBOOK_DATA=str(data))
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    assert not data.exists()


def test_a_web_process_fails_at_once_if_its_key_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "keys" / "session").mkdir(parents=True)
    env = environment(None, ROLLBOOK_DATA=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", "import rollbook.wsgi"], env=env, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "session cannot be read (Is a directory)" in done.stderr


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n", encoding="utf-8")
    found = setting(
        "EMAIL_HOST_PASSWORD",
        ROLLBOOK_DATA=tmp_path,
        ROLLBOOK_SMTP_PASSWORD_FILE=tmp_path / "password",
    )
    assert found == "s3cret"


def test_mail_goes_to_files_until_a_server_is_named(tmp_path: Path) -> None:
    assert setting("EMAIL_BACKEND", ROLLBOOK_DATA=tmp_path).endswith("filebased.EmailBackend")
    assert setting("EMAIL_BACKEND", ROLLBOOK_DATA=tmp_path, ROLLBOOK_SMTP_HOST="mail").endswith(
        "smtp.EmailBackend"
    )


@pytest.mark.parametrize(
    ("security", "starttls", "tls"),
    [("", "True", "False"), ("tls", "False", "True"), ("none", "False", "False")],
)
def test_the_mail_server_is_spoken_to_in_the_way_that_is_named(
    tmp_path: Path, security: str, starttls: str, tls: str
) -> None:
    named = {"ROLLBOOK_SMTP_SECURITY": security} if security else {}
    assert setting("EMAIL_USE_TLS", ROLLBOOK_DATA=tmp_path, **named) == starttls
    assert setting("EMAIL_USE_SSL", ROLLBOOK_DATA=tmp_path, **named) == tls


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())


@pytest.mark.statement("S17", "S44", "S54")
def test_the_deployment_checks_of_django_find_nothing() -> None:
    call_command("check", deploy=True, fail_level="WARNING", stdout=StringIO())


def test_what_only_postgresql_needs_is_not_loaded_on_sqlite(tmp_path: Path) -> None:
    code = (
        "import sys, django; django.setup(); import rollbook.cli.actions.serve;"
        "import rollbook.jobs.single_worker.loop, rollbook.updates.checking.check;"
        " print('psycopg' in sys.modules)"
    )
    env = environment(None, DJANGO_SETTINGS_MODULE="rollbook.settings", ROLLBOOK_DATA=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
