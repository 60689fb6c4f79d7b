"""The choice of the engine."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from rollbook import jobs as engines
from rollbook.updates import engine
from tests.installations import environment


def test_the_engine_depends_on_the_database() -> None:
    from rollbook.jobs.many_workers import worker
    from rollbook.jobs.single_worker import loop

    assert engines.selected() is (worker if connection.vendor == "postgresql" else loop)
    assert engine.engine() is engines.selected()


def test_before_django_is_set_up_there_is_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_load", None)
    with pytest.raises(RuntimeError, match="no engine is set"):
        engine.engine()


@pytest.mark.process
def test_setting_up_django_imports_no_engine(tmp_path: Path) -> None:
    code = (
        "import sys, django; django.setup();"
        " print({'rollbook.jobs.single_worker.loop', 'rollbook.jobs.many_workers.worker',"
        " 'rollbook.updates.runner'} & set(sys.modules))"
    )
    env = environment(
        tmp_path / "data", DJANGO_SETTINGS_MODULE="rollbook.settings", DATABASE_URL=""
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
