"""Check that the committed version can be released: build it, install it, and try it.

    python tools/check_release.py [--allow-missing]

1. Clone the commit that is checked out, and build the source distribution, and the wheel from it.
2. With each Python, install the wheel into a fresh environment, without the PostgreSQL packages.
3. Serve it on SQLite, and call the three upload commands with curl.
4. Add the packages for PostgreSQL.

A Python that isn't on this machine is an error, unless ``--allow-missing`` is given.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERSIONS = ("3.11", "3.12", "3.13")
TIMEOUT_S = 120.0
LOGIN, PASSWORD = "ops@maple.example", "correct horse battery staple"
SCHOOLS = "SCHOOL_ID,NAME\n100,Maple High\n"
STUDENTS = (
    "STUDENT_ID,USERNAME,PASSWORD,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED\n"
    "00001,abrook,secret1,Ana,Brook,01/02/2012,F,5,100,N,N\n"
    "00002,bcole,secret2,Ben,Cole,03/04/2012,M,5,100,N,N\n"
)


class CheckFailed(Exception):
    """The version can't be released; the text says why."""


def main(words: Sequence[str]) -> int:
    """Check everything; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--allow-missing", action="store_true", help="skip a Python that isn't on this machine"
    )
    arguments = parser.parse_args(words)
    try:
        with tempfile.TemporaryDirectory(prefix="rollbook-release-") as folder:
            check(Path(folder), allow_missing=arguments.allow_missing)
    except CheckFailed as failure:
        print(f"ERROR release: {failure}", file=sys.stderr)
        return 1
    return 0


def check(folder: Path, *, allow_missing: bool) -> None:
    """Build, install and try the version, in a temporary folder."""
    pythons = {version: find_python(version) for version in VERSIONS}
    missing = [version for version, python in pythons.items() if python is None]
    if missing:
        print(f"not on this machine: Python {', '.join(missing)}", flush=True)
        if not allow_missing:
            raise CheckFailed(f"Python {', '.join(missing)} is missing; install it")
    wheel, version = build(folder)
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(pins(folder / "clone" / "requirements" / "run.txt")))
    for name, python in pythons.items():
        if python:
            try_out(folder / name, python, wheel, version, constraints)
    print(f"rollbook {version} can be released")


def find_python(version: str) -> Path | None:
    """Return the program of a Python version; None if it isn't on this machine."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    candidates = [Path(folder, f"python{version}") for folder in folders]
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    candidates += sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))
    for candidate in filter(Path.is_file, candidates):
        # A program of that name may only be a placeholder that fails.
        show = [str(candidate), "-c", "import sys; print(sys.executable)"]
        shown = subprocess.run(show, capture_output=True, text=True, check=False)
        if shown.returncode == 0:
            return Path(shown.stdout.strip())
    return None


def build(folder: Path) -> tuple[Path, str]:
    """Build both distributions of the commit; return the wheel, and what ``--version`` says."""
    clone = folder / "clone"
    run("git", "clone", "--quiet", str(ROOT), str(clone))
    commit = run("git", "-C", str(clone), "rev-parse", "HEAD").strip()[:12]
    build_sdist = f"from setuptools import build_meta; build_meta.build_sdist({str(folder)!r})"
    run(sys.executable, "-c", build_sdist, cwd=clone)
    (sdist,) = folder.glob("rollbook-*.tar.gz")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    run(*pip, "--wheel-dir", str(folder), str(sdist))
    (wheel,) = folder.glob("rollbook-*.whl")
    print(f"built {sdist.name} and {wheel.name} from {commit}", flush=True)
    return wheel, f"{wheel.name.split('-')[1]} (commit {commit})"


def pins(requirements: Path) -> Iterator[str]:
    """Yield the pinned versions without hashes, as pip wants constraints."""
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            yield line.removesuffix("\\").rstrip() + "\n"


def try_out(folder: Path, python: Path, wheel: Path, version: str, constraints: Path) -> None:
    """Install the wheel into a fresh environment, and use it there."""
    started = time.monotonic()
    run(str(python), "-m", "venv", str(folder))
    install = [str(folder / "bin" / "pip"), "install", "--quiet", "--constraint", str(constraints)]
    run(*install, str(wheel))
    rollbook = folder / "bin" / "rollbook"
    expect(run(str(rollbook), "--version"), f"rollbook {version}\n")
    smoke_test(folder, rollbook)
    on_postgresql = {"DATABASE_URL": "postgres://rollbook@127.0.0.1:1/rollbook"}
    listing = [str(rollbook), "update", "list", "maple-usd", "--data", str(folder / "data")]
    expect(run(*listing, code=1, variables=on_postgresql), "ERROR missing_packages: ")
    run(*install, f"rollbook[postgresql] @ {wheel.as_uri()}")
    expect(
        run(*listing, code=1, variables=on_postgresql), "ERROR database: PostgreSQL at 127.0.0.1:1 "
    )
    run(str(folder / "bin" / "pip"), "check")
    seconds = time.monotonic() - started
    print(f"{python}: installs, serves and checks its packages ({seconds:.0f} s)", flush=True)


def smoke_test(folder: Path, rollbook: Path) -> None:
    """Set up a district, serve it, and call the three upload commands with curl."""
    for name, text in {"schools.csv": SCHOOLS, "base.csv": STUDENTS, "password": PASSWORD}.items():
        (folder / name).write_text(text, encoding="utf-8")
    data = ["--data", str(folder / "data")]
    run(str(rollbook), "district", "add", "Maple USD", "--time-zone", "America/Chicago", *data)
    run(str(rollbook), "school", "load", "maple-usd", str(folder / "schools.csv"), *data)
    who = ["--first", "Ana", "--last", "Ruiz", "--role", "district manager"]
    who += ["--password-file", str(folder / "password")]
    run(str(rollbook), "staff", "add", "maple-usd", LOGIN, *who, *data)
    serve = [str(rollbook), "serve", "--port", "0", *data]
    with (
        (folder / "serve.log").open("wb") as log,
        subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        assert server.stdout  # noqa: S101 - it is a pipe
        try:
            line = server.stdout.readline()
            expect(line, "Rollbook is ready at https://")
            call_commands(folder, line.split()[-1])
        finally:
            server.send_signal(signal.SIGTERM)
        if code := server.wait(TIMEOUT_S):
            raise CheckFailed(f"`rollbook serve` ended with exit code {code}")


def call_commands(folder: Path, url: str) -> None:
    """Upload a file, wait until it has been applied, and cancel when nothing is left to cancel."""
    curl = ["curl", "-sS", "--cacert", str(folder / "data" / "certificate.pem")]
    curl += ["-F", f"login={LOGIN}", "-F", f"password=<{folder / 'password'}"]
    address = f"{url}slc/studentupdate/"
    file = ["-F", f"file=@{folder / 'base.csv'}", "-F", "mode=add"]
    expect(run(*curl, *file, f"{address}start"), "OK update 1 accepted: 2 students")
    deadline = time.monotonic() + TIMEOUT_S
    while (answer := run(*curl, f"{address}status")).startswith("RUNNING"):
        if time.monotonic() > deadline:
            raise CheckFailed(f"the update did not end: {answer}")
        time.sleep(0.2)
    expect(answer, "COMPLETED update 1: 2 students: 0 updated, 2 added")
    expect(run(*curl, f"{address}cancel"), "NOTHING TO CANCEL")


def run(
    *command: str,
    code: int = 0,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run a command; return its output, or its errors if it is to fail.

    Raises:
        CheckFailed: Its exit code is another one than ``code``.
    """
    outside = ("ROLLBOOK_", "DATABASE_URL", "DJANGO_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    env = kept | dict(variables or {})
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise CheckFailed(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return done.stderr if code else done.stdout


def expect(text: str, beginning: str) -> None:
    """Check how a text begins."""
    if not text.startswith(beginning):
        raise CheckFailed(f"{beginning!r} was expected, and not {text!r}")


if __name__ == "__main__":
    if not shutil.which("curl"):
        sys.exit("ERROR release: curl is missing; install it")
    sys.exit(main(sys.argv[1:]))
