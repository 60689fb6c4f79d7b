"""An installation as the checks get it, and their results."""

from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from django.conf import settings

from rollbook.doctor.environment import Variables
from rollbook.doctor.installation import Installation, load_installation
from rollbook.doctor.result import CheckResult, Level
from tests.doctor import host

Here = Callable[..., Installation]


def results(findings: Iterable[CheckResult]) -> list[tuple[Level, str]]:
    """Return level and text of each; check that problems, and only they, say how to fix them."""
    all_findings = list(findings)
    for finding in all_findings:
        assert bool(finding.fix) == (finding.level in (Level.WARNING, Level.ERROR))
        assert not finding.what.endswith(".")
        assert not finding.fix.endswith(".")
    return [(finding.level, finding.what) for finding in all_findings]


def levels(findings: Iterable[CheckResult]) -> list[Level]:
    """Return the levels only."""
    return [level for level, _ in results(findings)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder as Rollbook creates it."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def here(data: Path) -> Here:
    """The installation in that folder, with the settings of this test run and these variables."""

    def installation(
        cert: Path | None = None, key: Path | None = None, **environment: str
    ) -> Installation:
        arguments = Namespace(cert=cert, key=key, behind_proxy=False, mail_to=None)
        opened_installation = load_installation(data, Variables(environment), arguments)
        assert opened_installation.settings is settings
        return opened_installation

    return installation


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A data folder with a database of its own, which the command uses and not this process."""
    return host.installed(tmp_path / "installed")
