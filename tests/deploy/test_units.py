"""The systemd units and their settings."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rollbook.cli.parser import build_parser
from rollbook.environment import BY_NAME

SYSTEMD = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(SYSTEMD.glob("*.service"))
TIMERS = sorted(SYSTEMD.glob("*.timer"))
COMMAND = "/opt/rollbook/bin/rollbook"

HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectControlGroups": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": "@system-service",
    "UMask": "0077",
    "User": "rollbook",
    "StateDirectory": "rollbook",
    "StateDirectoryMode": "0700",
    "EnvironmentFile": "/etc/rollbook/rollbook.env",
}

service_of = pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)


def section(unit: Path, name: str) -> dict[str, str]:
    """The settings of a section; a setting that is given twice fails."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit, encoding="utf-8")
    return dict(parser[name])


@pytest.mark.statement("S56")
@service_of
def test_a_service_has_an_account_and_no_rights_that_it_does_not_need(unit: Path) -> None:
    service = section(unit, "Service")
    assert {name: service.get(name) for name in HARDENED} == HARDENED
    assert service["CapabilityBoundingSet"] in ("", "CAP_NET_BIND_SERVICE")
    if ":443" not in service["ExecStart"] and "--port 443" not in service["ExecStart"]:
        assert "AmbientCapabilities" not in service


@service_of
def test_its_command_is_one_of_ours(unit: Path) -> None:
    command, *arguments = section(unit, "Service")["ExecStart"].split()
    assert command == COMMAND
    build_parser().parse_args(arguments)


def test_the_timer_starts_a_service_that_is_here() -> None:
    timers = {unit.stem for unit in TIMERS}
    assert timers == {"rollbook-backup"}
    assert timers <= {unit.stem for unit in SERVICES}


def test_the_environment_has_settings_that_exist_and_no_secret() -> None:
    lines = (SYSTEMD / "rollbook.env").read_text(encoding="utf-8").splitlines()
    names = [match[1] for line in lines if (match := re.match(r"#?([A-Z_]+)=", line))]
    assert names
    for name in names:
        setting = BY_NAME[name.removesuffix("_FILE")]
        assert name.endswith("_FILE") == setting.is_secret, name


@pytest.mark.process
@pytest.mark.without_database
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed here")
@service_of
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    command = tmp_path / "rollbook"
    command.write_text("#!/bin/sh\n", encoding="utf-8")
    command.chmod(0o755)
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text(encoding="utf-8").replace(COMMAND, str(command)))
    checks = (["verify"], ["security", "--offline=yes", "--threshold=25"])
    for check in checks:
        done = subprocess.run(
            ["systemd-analyze", *check, str(copy)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert unit.name not in done.stderr, done.stderr
