"""Writes the list of components that Rollbook runs with (SBOM), in CycloneDX's JSON.

    python tools/sbom.py PYTHON FILE

PYTHON is that of an environment with the packages of ``requirements/run.txt`` and nothing else.
``cyclonedx-py`` reads their names, versions, licenses and dependencies. We add the version of
Rollbook and the script that is inside a package, and leave out addresses.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SBOM = ROOT / "requirements" / "sbom.cdx.json"

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)(?: ; ([^\\\n]*[^\\\s]))?", re.MULTILINE)
_HTMX = "django_htmx/static/django_htmx/htmx-2.min.js"
_FIND = (
    "import sysconfig, pathlib, sys; "
    "sys.stdout.write(pathlib.Path(sysconfig.get_path('purelib'), sys.argv[1]).read_text())"
)


def canonical(name: str) -> str:
    """Return a package's name in the form that is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def all_pins(lock: Path) -> list[tuple[str, str]]:
    """Return the packages that a lock file pins, and their versions, without those for Windows.

    A package is there twice if another Python gets another version.
    """
    found = _PIN.findall(lock.read_text(encoding="utf-8"))
    return [(canonical(name), version) for name, version, only in found if "win32" not in only]


def pins(lock: Path) -> dict[str, str]:
    """Return the versions of the packages that a lock file pins, one of each, as `all_pins`."""
    return dict(all_pins(lock))


def version() -> str:
    """Return the version of Rollbook."""
    source = (ROOT / "src" / "rollbook" / "__init__.py").read_text(encoding="utf-8")
    found: list[str] = re.findall(r'^__version__ = "(.+)"', source, re.MULTILINE)
    return found[0]


def finish(sbom: dict[str, Any], htmx: str) -> dict[str, Any]:
    """Return the SBOM with what ``cyclonedx-py`` can't know, and without addresses.

    Args:
        sbom: What ``cyclonedx-py`` wrote.
        htmx: The source of the script.
    """
    tools = sbom["metadata"]["tools"]["components"]
    for component in (*sbom["components"], *tools):
        component.pop("externalReferences", None)
    sbom["metadata"]["component"]["version"] = version()
    found = re.search(r'version:"([\d.]+)"', htmx)
    if not found:
        raise ValueError("htmx doesn't say its version")
    sbom["components"].append(
        {
            "bom-ref": f"htmx.org=={found[1]}",
            "description": "script of the pages, inside the package django-htmx",
            "licenses": [{"license": {"id": "0BSD", "acknowledgement": "declared"}}],
            "name": "htmx.org",
            "purl": f"pkg:npm/htmx.org@{found[1]}",
            "type": "library",
            "version": found[1],
        }
    )
    return sbom


def main(words: Sequence[str]) -> None:
    """Write the file."""
    python, target = words
    command = [
        str(Path(sys.executable).parent / "cyclonedx-py"),
        *("environment", "--pyproject", str(ROOT / "pyproject.toml")),
        *("--output-reproducible", "--short-PURLs", "--output-format", "JSON", python),
    ]
    sbom = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    htmx = subprocess.run(
        [python, "-c", _FIND, _HTMX], capture_output=True, text=True, check=True
    ).stdout
    text = json.dumps(finish(json.loads(sbom), htmx), indent=2, sort_keys=True)
    Path(target).write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
