"""A made-up next release of Rollbook: this tree with more migrations and a higher version.

The tests have today's version and the next one instead of the previous one and today's, because
that needs no history of git: what they show holds for the step from any version to the next one.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERSION = "99.0.0"
APP = "updates"

_MIGRATION = """\
from django.db import migrations, models
{imports}

class Migration(migrations.Migration):
    dependencies = [("updates", "{previous}")]
    operations = [{operations}]
"""

ADDITIVE = """
    migrations.AddField(
        "updatejob", "of_next_release", models.TextField(default="", db_default="")
    ),
    migrations.CreateModel("Novelty", [("id", models.BigAutoField(primary_key=True))]),
"""
"""What a release may do while the one before it is running."""


def add_migrations(tree: Path, operations: Mapping[str, str], imports: str = "") -> None:
    """Add migrations to the app ``updates`` of a copy of the tree.

    Args:
        tree: The copy.
        operations: Name to Python text of the operations.
        imports: Lines that all of them begin with.
    """
    folder = tree / "src" / "rollbook" / APP / "migrations"
    previous = max(folder.glob("0*.py")).stem
    for name, text in operations.items():
        source = _MIGRATION.format(imports=imports, previous=previous, operations=text)
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
        previous = name


def copied_tree(to: Path, version: str = VERSION) -> Path:
    """Copy what a wheel is built from, with the version of the next release.

    Args:
        to: The new folder.
        version: Another version; empty for today's.
    """
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", to / "src", ignore=ignored)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, to / name)
    init = to / "src" / "rollbook" / "__init__.py"
    text = init.read_text(encoding="utf-8")
    if version:
        text = re.sub(r'"[\d.]+\w*"', f'"{version}"', text)
    init.write_text(text, encoding="utf-8")
    return to


def unpacked_wheel(tree: Path, to: Path) -> Path:
    """Build the wheel of a tree and unpack it; the folder is for PYTHONPATH."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    build += ["--disable-pip-version-check", "--no-index", "--wheel-dir", str(to), str(tree)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = to.glob("rollbook-*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(to / "unpacked")
    return to / "unpacked"
