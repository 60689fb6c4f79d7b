"""An installation as a look sees it, and what it finds there."""

from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from django.conf import settings

from rollbook.doctor.environment import Variables
from rollbook.doctor.installation import Installation, opened
from rollbook.doctor.result import CheckResult, Level
from tests.doctor import host

Here = Callable[..., Installation]


def told(findings: Iterable[CheckResult]) -> list[tuple[Level, str]]:
    """Mark and what was found; whatever is not well says what to do, and whatever is well does not."""
    found = list(findings)
    for finding in found:
        assert bool(finding.fix) == (finding.mark in (Level.WARNING, Level.ERROR))
        assert not finding.what.endswith(".")
        assert not finding.fix.endswith(".")
    return [(finding.mark, finding.what) for finding in found]


def marks(findings: Iterable[CheckResult]) -> list[Level]:
    """The marks alone."""
    return [mark for mark, _ in told(findings)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder as Rollbook makes it."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def here(data: Path) -> Here:
    """That folder, with the settings of this test run and these variables."""

    def installation(
        cert: Path | None = None, key: Path | None = None, **environment: str
    ) -> Installation:
        asked = Namespace(cert=cert, key=key, behind_proxy=False, mail_to=None)
        made = opened(data, Variables(environment), asked)
        assert made.settings is settings
        return made

    return installation


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A data folder whose database has tables; the command's, not this process's."""
    return host.installed(tmp_path / "installed")
