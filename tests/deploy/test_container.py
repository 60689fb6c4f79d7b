"""The container image and the composition of its services."""

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollbook.cli.parser import build_parser
from rollbook.environment import BY_NAME

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "deploy" / "container"


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Containerfile, with their arguments."""
    text = (CONTAINER / "Containerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def arguments_of(name: str) -> list[str]:
    return [arguments for instruction, arguments in instructions() if instruction == name]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (CONTAINER / "compose.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def services_of_rollbook(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    services = compose["services"].items()
    return {name: service for name, service in services if service["image"] == "rollbook"}


def test_images_have_versions(compose: dict[str, Any]) -> None:
    images = [line.split()[0] for line in arguments_of("FROM")]
    images += [service["image"] for service in compose["services"].values()]
    for image in set(images) - {"rollbook"}:
        assert re.fullmatch(r"[a-z]+:[0-9][\w.-]*", image), image


@pytest.mark.statement("S56")
def test_the_image_runs_without_root_and_is_stopped_gracefully() -> None:
    names = [instruction for instruction, _ in instructions()]
    assert arguments_of("USER") == ["10001"]
    assert names.index("USER") > max(at for at, name in enumerate(names) if name == "RUN")
    assert arguments_of("STOPSIGNAL") == ["SIGTERM"]
    assert not arguments_of("ADD")


def test_packages_are_pinned_and_their_lists_removed() -> None:
    runs = " ".join(arguments_of("RUN"))
    assert "pip install --no-cache-dir --require-hashes -r /build/requirements/run.txt" in runs
    assert "apt-get install --yes --no-install-recommends" in runs
    assert "rm -rf /var/lib/apt/lists/*" in runs
    assert "sudo" not in runs


def test_what_is_copied_exists_and_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = [line[1:].rstrip("/") for line in ignored if line.startswith("!")]
    for arguments in arguments_of("COPY"):
        if arguments.startswith("--from"):
            continue
        for source in arguments.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(fnmatch(source, pattern) for pattern in sent), source


def test_its_commands_are_ours(compose: dict[str, Any]) -> None:
    [command] = arguments_of("CMD")
    commands = [shlex.split(command.strip("[]").replace(",", " "))]
    services = services_of_rollbook(compose)
    commands += [service["command"] for service in services.values() if "command" in service]
    assert {words[0] for words in commands} == {"web", "worker", "migrate"}
    for words in commands:
        build_parser().parse_args(words)


@pytest.mark.statement("S56")
def test_there_are_two_web_servers_and_two_workers_without_rights(compose: dict[str, Any]) -> None:
    services = services_of_rollbook(compose)
    assert {name: service.get("deploy") for name, service in services.items()} == {
        "migrate": None,
        "web": {"replicas": 2},
        "worker": {"replicas": 2},
    }
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True
        assert "ports" not in service
    assert [name for name, each in compose["services"].items() if "ports" in each] == ["caddy"]


def test_settings_exist_and_secrets_are_files(compose: dict[str, Any]) -> None:
    for service in services_of_rollbook(compose).values():
        for name in service["environment"]:
            assert name.endswith("_FILE") == BY_NAME[name.removesuffix("_FILE")].is_secret
        assert set(service["secrets"]) <= set(compose["secrets"])
    volumes = [
        volume.partition(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", ())
    ]
    assert {name for name in volumes if not name.startswith(".")} == set(compose["volumes"])
