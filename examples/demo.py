"""``make demo``: a made-up district's night in about a minute, with the real command, a real server and real curl.

It tells what it does, asserts what must be true, and cleans up after itself. Exit code 0: the story went as told.
"""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import NoReturn

import made_up_district as made_up

STUDENTS, NEWCOMERS = 2_000, 100_000
LOGIN, PASSWORD = "ops@maple.example", "plum-river-candle-fox"  # for this demo only
PATIENCE = 60.0  # seconds for anything that is waited for


class Demo:
    """The folder, the server's address, and how commands are shown and run."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"https://localhost:{port}"
        self.port = port
        self.data = folder / "data"
        self.environment = _environment(folder) | {
            "ROLLBOOK_DATA": str(self.data),
            "ROLLBOOK_URL": self.url,
            "CURL_CA_BUNDLE": str(self.data / "certificate.pem"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }

    def run(self, *command: str, said: bool = True) -> str:
        """Show the command, run it in the demo's folder, show what it answers; returns that."""
        if said:
            print(f"\n  $ {shlex.join(command)}", flush=True)
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            fail(f"{shlex.join(command)} ended with exit code {done.returncode}: {done.stderr.strip()}")
        if said:
            show(done.stdout)
        return done.stdout

    def curl(self, command: str, *form: str, said: bool = True) -> str:
        """One of the three commands, exactly as a district's script calls it."""
        fields = [*form, f"login={LOGIN}", f"password={PASSWORD}"]
        options = [word for field in fields for word in ("-F", field)]
        return self.run("curl", *options, f"{self.url}/slc/studentupdate/{command}", said=said)

    def status_until(self, pattern: str) -> str:
        """Ask for the status again and again; shown is the call, and the first answer of this kind."""
        deadline = time.monotonic() + PATIENCE
        said = self.curl("status")
        while not re.search(pattern, said):
            if time.monotonic() > deadline:
                fail(f"the status never became {pattern}: {said}")
            time.sleep(0.2)
            said = self.curl("status", said=False)
            if re.search(pattern, said):
                print("    ...")
                show(said)
        return said

    @contextmanager
    def server(self) -> Iterator["subprocess.Popen[str]"]:
        """``rollbook serve``, ready; it never outlives the demo."""
        command = ["rollbook", "serve", "--port", str(self.port)]
        print(f"\n  $ {shlex.join(command)} &", flush=True)
        with (self.folder / "serve.log").open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
            try:
                ready = process.stdout.readline() if process.stdout else ""
                if "ready" not in ready:
                    fail(f"the server did not start: {(self.folder / 'serve.log').read_text(encoding='utf-8')}")
                show(ready)
                yield process
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait(timeout=30)

    def mails(self, count: int) -> list[EmailMessage]:
        """The mails that were sent, once there are so many."""
        deadline = time.monotonic() + PATIENCE
        while True:
            files = sorted((self.data / "mail").glob("*.log"))
            mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
            if len(mails) >= count:
                return mails
            if time.monotonic() > deadline:
                fail(f"{len(mails)} mails came instead of {count}")
            time.sleep(0.2)


def tell(demo: Demo) -> None:
    """The story."""
    base = list(made_up.students(STUDENTS))
    tonight = made_up.night(base)
    made_up.write_schools(demo.folder / "schools.csv")
    made_up.write(demo.folder / "base.csv", base)
    made_up.write(demo.folder / "students.csv", tonight.students)
    made_up.write(demo.folder / "newcomers.csv", made_up.students(NEWCOMERS, first=100_001))
    (demo.folder / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")

    chapter(f"1. A district is set up, with {STUDENTS:,} students")
    set_up(demo)
    with demo.server() as server:
        chapter("2. At night the district's script sends its students: the same three lines as ever")
        print(f"\n  $ export CURL_CA_BUNDLE={demo.environment['CURL_CA_BUNDLE']}")
        nightly(demo, tonight)
        chapter(f"3. Somebody sends {NEWCOMERS:,} new students by mistake, and cancels that")
        canceled = cancel_part_way(demo)
        chapter("4. The results came by mail")
        read_mails(demo, tonight)
        chapter("5. One student, and what the night has changed")
        show_history(demo, tonight.transferred)
        chapter("6. The server stops")
        server.terminate()
        expect(server.wait(timeout=30) == 0, "the server stopped in good order")
    check_the_roster(demo, canceled)


def set_up(demo: Demo) -> None:
    demo.run("rollbook", "district", "add", "Maple USD", "--time-zone", "America/Chicago")
    demo.run("rollbook", "school", "load", "maple-usd", "schools.csv")
    name = ("--first", "Ana", "--last", "Ruiz", "--role", "district manager")
    demo.run("rollbook", "staff", "add", "maple-usd", LOGIN, *name, "--password-file", "password")
    said = demo.run("rollbook", "student", "load", "maple-usd", "base.csv")
    expect(f"{STUDENTS:,} added" in said, f"{STUDENTS:,} students were added")


def nightly(demo: Demo, tonight: made_up.Night) -> None:
    expect(demo.curl("start", "file=@students.csv").startswith("OK update 2 accepted"), "the file was accepted")
    said = demo.status_until("^COMPLETED")
    unchanged = STUDENTS - tonight.updated - tonight.rejected
    counts = f"{tonight.updated} updated, {unchanged:,} unchanged, {tonight.rejected} rejected"
    expect(counts in said, f"it counted {counts}")


def cancel_part_way(demo: Demo) -> int:
    """Returns how many of the newcomers stay."""
    expect(demo.curl("start", "file=@newcomers.csv", "mode=add").startswith("OK update 3"), "the file was accepted")
    demo.status_until(r"updating, \d+,\d")
    said = demo.curl("cancel")
    found = re.match(r"OK update 3 canceled: ([\d,]+) students stay updated, ([\d,]+) were not processed", said)
    if not found:
        fail(f"the update was not canceled: {said}")
    kept, left = (int(number.replace(",", "")) for number in found.groups())
    expect(kept > 0 and kept + left == NEWCOMERS, "what was done stays, and every other student is accounted for")
    demo.status_until("^CANCELED update 3")
    return kept


def read_mails(demo: Demo, tonight: made_up.Night) -> None:
    mails = sorted(demo.mails(2), key=lambda mail: str(mail["Subject"]))
    for mail in mails:
        text = mail.get_body(("plain",))
        print()
        show("\n".join(f"{name}: {mail[name]}" for name in ("To", "Subject", "Date")))
        print()
        show(text.get_content() if text else "")
    expect(len(mails) == 2, "each update was told of once")
    subjects = " ".join(str(mail["Subject"]) for mail in mails)
    expect(
        f"update 2 completed with errors: {tonight.updated} updated" in subjects and "update 3 canceled" in subjects,
        "the subjects say how it went",
    )


def show_history(demo: Demo, student: made_up.Student) -> None:
    said = demo.run("rollbook", "student", "show", "maple-usd", student.student_id)
    changed = [line for line in said.splitlines() if " SCHOOL_ID " in line and "update 2" in line]
    expect(len(changed) == 1 and student.school_id in changed[0], "the transfer is in the history")


def check_the_roster(demo: Demo, newcomers: int) -> None:
    rows = demo.run("rollbook", "student", "export", "maple-usd", said=False).count("\n") - 1
    expect(rows == STUDENTS + newcomers, f"{STUDENTS:,} + {newcomers:,} students are enrolled, as every answer said")


def chapter(title: str) -> None:
    """A heading."""
    print(f"\n\n{title}", flush=True)


def show(text: str) -> None:
    """What a command said."""
    for line in text.rstrip("\n").split("\n"):
        print(f"    {line}".rstrip(), flush=True)


def expect(fact: bool, what: str) -> None:
    """The story is only told if it is true."""
    if not fact:
        fail(f"not so: {what}")
    print(f"  ✓ {what}", flush=True)


def fail(why: str) -> NoReturn:
    """The story did not go as told."""
    print(f"\nThe demo failed: {why}", file=sys.stderr)
    sys.exit(1)


def _environment(folder: Path) -> dict[str, str]:
    """Ours, without what would lead curl or Rollbook elsewhere: proxies, .curlrc, settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ROLLBOOK_") and not name.lower().endswith("_proxy")
    }
    return kept | dict.fromkeys(("HOME", "CURL_HOME", "XDG_CONFIG_HOME"), str(folder))


def _free_port() -> int:
    with socket.create_server(("localhost", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def main() -> None:
    """Make a folder, tell the story, take the folder away."""
    if not shutil.which("curl"):
        fail("it needs curl, which is not installed")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rollbook-demo-") as folder:
        tell(Demo(Path(folder), _free_port()))
    print(
        f"\nThat was the whole story, in {time.monotonic() - began:.0f} s. `make run` serves a data folder of your own."
    )


if __name__ == "__main__":
    main()
