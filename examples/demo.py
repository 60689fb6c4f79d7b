"""Run a sample district's nightly update in about a minute, with a real server and real curl.

``make demo`` runs it. Everything happens in a temporary folder, which is deleted at the end. The
results are checked on the way: exit code 0 means that each was as expected.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import NoReturn

import made_up_district as made_up

STUDENTS, NEW_STUDENTS = 2_000, 100_000
LOGIN, PASSWORD = "ops@maple.example", "plum-river-candle-fox"  # for this demo only
TIMEOUT_S = 60.0
POLL_INTERVAL_S = 0.2


class Demo:
    """The demo's folder and server address; runs commands and prints them with their output."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.url = f"https://localhost:{port}"
        self.data = folder / "data"
        self.environment = _environment(folder) | {
            "ROLLBOOK_DATA": str(self.data),
            "ROLLBOOK_URL": self.url,
            "CURL_CA_BUNDLE": str(self.data / "certificate.pem"),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), _path()]),
        }

    def run(self, *command: str, quiet: bool = False) -> str:
        """Run a command in the demo's folder and return its output.

        Prints the command and its output unless ``quiet``. Ends the demo if the command fails.
        """
        line = shlex.join(command)
        if not quiet:
            print(f"\n  $ {line}", flush=True)
        result = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if result.returncode:
            fail(f"{line} exited with code {result.returncode}: {result.stderr.strip()}")
        if not quiet:
            print_output(result.stdout)
        return result.stdout

    def curl(self, command: str, *form: str, quiet: bool = False) -> str:
        """Call one of the upload commands, exactly as a district's script does."""
        options: list[str] = []
        for field in (*form, f"login={LOGIN}", f"password={PASSWORD}"):
            options += ["-F", field]
        return self.run("curl", *options, f"{self.url}/slc/studentupdate/{command}", quiet=quiet)

    def wait_for_status(self, pattern: str) -> str:
        """Poll the status until it matches, and return it; prints the first and the last answer."""
        deadline = time.monotonic() + TIMEOUT_S
        status = self.curl("status")
        if re.search(pattern, status):
            return status
        while not re.search(pattern, status):
            if time.monotonic() > deadline:
                fail(f"the status never matched {pattern}; the last one was: {status}")
            time.sleep(POLL_INTERVAL_S)
            status = self.curl("status", quiet=True)
        print("    ...")
        print_output(status)
        return status

    @contextmanager
    def server(self) -> Iterator["subprocess.Popen[str]"]:
        """Start ``rollbook serve``, wait until it is ready, and stop it at the end."""
        command = ["rollbook", "serve", "--port", str(self.port)]
        log_path = self.folder / "serve.log"
        print(f"\n  $ {shlex.join(command)} &", flush=True)
        with log_path.open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            try:
                first_line = process.stdout.readline() if process.stdout else ""
                if "ready" not in first_line:
                    fail(f"the server did not start: {log_path.read_text(encoding='utf-8')}")
                print_output(first_line)
                yield process
            finally:
                if process.poll() is None:
                    process.terminate()
                    process.wait(timeout=30)

    def wait_for_emails(self, count: int) -> list[EmailMessage]:
        """Wait until this many emails have been sent, and return them."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            paths = sorted((self.data / "mail").glob("*.log"))
            if len(paths) >= count:
                return [_parse_email(path) for path in paths]
            if time.monotonic() > deadline:
                fail(f"{len(paths)} emails were sent instead of {count}")
            time.sleep(POLL_INTERVAL_S)


def run_demo(demo: Demo) -> None:
    """Write the sample files and run all steps."""
    base = list(made_up.students(STUDENTS))
    tonight = made_up.night(base)
    made_up.write_schools(demo.folder / "schools.csv")
    made_up.write(demo.folder / "base.csv", base)
    made_up.write(demo.folder / "students.csv", tonight.students)
    made_up.write(demo.folder / "new-students.csv", made_up.students(NEW_STUDENTS, first=100_001))
    (demo.folder / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")

    heading(f"1. Set up a district with {STUDENTS:,} students")
    set_up(demo)
    with demo.server() as server:
        heading("2. The nightly script uploads its student file and asks for the status")
        print(f"\n  $ export CURL_CA_BUNDLE={demo.environment['CURL_CA_BUNDLE']}")
        nightly_update(demo, tonight)
        heading(f"3. Someone uploads {NEW_STUDENTS:,} new students: the update is held")
        hold(demo)
        heading("4. It is approved all the same, and canceled part way")
        added = cancel_part_way(demo)
        heading("5. The results arrive by email")
        read_emails(demo, tonight)
        heading("6. One student's record and history")
        show_history(demo, tonight.transferred)
        heading("7. Stop the server")
        server.terminate()
        expect(server.wait(timeout=30) == 0, "the server shut down cleanly")
    check_enrollment(demo, added)


def set_up(demo: Demo) -> None:
    """Add the district, its schools, a staff member and its students."""
    demo.run("rollbook", "district", "add", "Maple USD", "--time-zone", "America/Chicago")
    demo.run("rollbook", "school", "load", "maple-usd", "schools.csv")
    profile = ("--first", "Ana", "--last", "Ruiz", "--role", "district manager")
    password = ("--password-file", "password")
    demo.run("rollbook", "staff", "add", "maple-usd", LOGIN, *profile, *password)
    report = demo.run("rollbook", "student", "load", "maple-usd", "base.csv")
    expect(f"{STUDENTS:,} added" in report, f"{STUDENTS:,} students were added")


def nightly_update(demo: Demo, tonight: made_up.Night) -> None:
    """Upload the nightly file and wait until its update is completed."""
    answer = demo.curl("start", "file=@students.csv")
    expect(answer.startswith("OK update 2 accepted"), "the file was accepted")
    status = demo.wait_for_status("^COMPLETED")
    unchanged = STUDENTS - tonight.updated - tonight.rejected
    counts = f"{tonight.updated} updated, {unchanged:,} unchanged, {tonight.rejected} rejected"
    expect(counts in status, f"the result is {counts}")


def hold(demo: Demo) -> None:
    """Start an update that exceeds the limits of the district."""
    answer = demo.curl("start", "file=@new-students.csv", "mode=add")
    expect(answer.startswith("OK update 3"), "the file was accepted")
    status = demo.wait_for_status("^HELD")
    expect(
        f"{NEW_STUDENTS:,} students would be added to {STUDENTS:,}" in status,
        "nothing was changed, and the status says why",
    )


def cancel_part_way(demo: Demo) -> int:
    """Approve the update, cancel it, and return how many students it had added by then."""
    report = demo.run("rollbook", "update", "show", "maple-usd", "3")
    plan = re.search(r"--plan (\w+)", report)
    if not plan:
        fail("the report doesn't say how to approve the plan")
    demo.run("rollbook", "update", "approve", "maple-usd", "3", "--plan", plan[1])
    demo.wait_for_status(r"updating, \d+,\d")
    answer = demo.curl("cancel")
    counts = re.match(r"OK update 3 canceled: ([\d,]+) \D+ ([\d,]+) were not processed", answer)
    if not counts:
        fail(f"the update was not canceled: {answer}")
    added, not_processed = (int(count.replace(",", "")) for count in counts.groups())
    expect(
        added > 0 and added + not_processed == NEW_STUDENTS,
        "students added before the cancel are kept, and the counts add up to the whole file",
    )
    demo.wait_for_status("^CANCELED update 3")
    return added


def _subject(email: EmailMessage) -> str:
    return str(email["Subject"]).strip()


def read_emails(demo: Demo, tonight: made_up.Night) -> None:
    """Print the result emails and check their subjects."""
    emails = sorted(demo.wait_for_emails(3), key=_subject, reverse=True)
    for email in emails:
        body = email.get_body(("plain",))
        print()
        print_output("\n".join(f"{name}: {email[name]}" for name in ("To", "Subject", "Date")))
        print()
        if body:
            print_output(body.get_content())
    expect(len(emails) == 3, "one email was sent for each result, and one for the held plan")
    held, canceled, completed = map(_subject, emails)
    expect(
        bool(re.search(rf"\b{tonight.updated} students changed\b.*pdate #?2$", completed))
        and bool(re.search(r"\bcanceled\b.*pdate #?3$", canceled))
        and bool(re.search(r"\bheld\b.*pdate #?3$", held)),
        "each subject names the update and its result",
    )


def show_history(demo: Demo, student: made_up.Student) -> None:
    """Show a student who changed schools in the nightly update."""
    record = demo.run("rollbook", "student", "show", "maple-usd", student.student_id)
    transfers = re.findall(r"^.* SCHOOL_ID .*pdate #?2\b.*$", record, re.MULTILINE)
    expect(
        len(transfers) == 1 and student.school_id in transfers[0],
        "the history contains the change of school",
    )


def check_enrollment(demo: Demo, added: int) -> None:
    """Export all students and compare their number with what the commands reported."""
    export = demo.run("rollbook", "student", "export", "maple-usd", quiet=True)
    enrolled = export.count("\n") - 1  # without the header
    expect(
        enrolled == STUDENTS + added,
        f"{STUDENTS:,} + {added:,} students are enrolled, as reported",
    )


def heading(title: str) -> None:
    """Print the heading of a step."""
    print(f"\n\n{title}", flush=True)


def print_output(text: str) -> None:
    """Print a command's output, indented."""
    for line in text.rstrip("\n").split("\n"):
        print(f"    {line}".rstrip(), flush=True)


def expect(condition: object, description: str) -> None:
    """Print a check mark if the condition is true; otherwise end the demo."""
    if not condition:
        fail(f"check failed: {description}")
    print(f"  ✓ {description}", flush=True)


def fail(reason: str) -> NoReturn:
    """End the demo with exit code 1."""
    print(f"\nThe demo failed: {reason}", file=sys.stderr)
    sys.exit(1)


def _environment(folder: Path) -> dict[str, str]:
    """Return our environment variables without settings, proxies and the user's .curlrc."""
    environment = dict(os.environ)
    for name in os.environ:
        if name.startswith("ROLLBOOK_") or name.lower().endswith("_proxy"):
            del environment[name]
    return environment | dict.fromkeys(("HOME", "CURL_HOME", "XDG_CONFIG_HOME"), str(folder))


def _path() -> str:
    return os.environ.get("PATH", os.defpath)


def _parse_email(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)


def free_port() -> int:
    with socket.create_server(("localhost", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def run_in_temporary_folder(run: Callable[[Demo], None]) -> float:
    """Run a demo in a temporary folder; return the seconds that it took."""
    if not shutil.which("curl"):
        fail("curl is not installed")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    started_at = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rollbook-demo-") as folder:
        run(Demo(Path(folder), free_port()))
    return time.monotonic() - started_at


def main() -> None:
    """Run the demo."""
    seconds = run_in_temporary_folder(run_demo)
    print(f"\nDone in {seconds:.0f} s. Next: `make run` serves your own data folder.")


if __name__ == "__main__":
    main()
