"""What the encryption of files costs: uploads and nightly updates with it and without.

Without it, each process of the server copies the frames of files (``plain_frames``). Everything
else is the same, the keys and the size of the stored file, too.
"""

from pathlib import Path

from bench import processes, students, works
from bench.databases import Database
from bench.plan import BenchFailed, Plan, say
from bench.results import Results

ROWS = 100_000
ENCRYPTED, COPIED = "encrypted", "copied"
UPLOAD, NIGHTLY = "upload over HTTPS", "nightly after it"
_PLAIN_FRAMES = Path(__file__).with_name("plain_frames")
_COLUMN = b"STUDENT_ID"


def measure(plan: Plan, database: Database, results: Results) -> None:
    """Send base and nightly by turns, each to a new server; the order of the two ways changes."""
    files = students.write(plan.folder, min(ROWS, plan.most), order=plan.order)
    enrolled = works.enroll(plan, database, files)
    with enrolled.serving():
        enrolled.send("base")
        enrolled.send("base")  # an ordinary night follows another one, not a first load
    ways = [ENCRYPTED, COPIED]
    for run in range(plan.runs):
        for way in ways:
            name = "nightly" if enrolled.current_file == "base" else "base"
            _run(enrolled, results, way, run, name)
        ways.reverse()


def _run(enrolled: works.Enrolled, results: Results, way: str, run: int, name: str) -> None:
    before = _stored(enrolled)
    with enrolled.rollbook.environment(**_environment(way)), enrolled.serving():
        began = processes.cpu_seconds(enrolled.rollbook.pid)
        upload = enrolled.begin(name)
        uploaded = processes.cpu_seconds(enrolled.rollbook.pid)
        (stored,) = _stored(enrolled) - before
        _check(stored, way)
        ended = enrolled.rollbook.end(enrolled.district, upload)
        enrolled.check_result(name, ended.facts)
        done = processes.cpu_seconds(enrolled.rollbook.pid)
    times = {UPLOAD: (upload.took, uploaded - began), NIGHTLY: (ended.seconds, done - uploaded)}
    for work, (seconds, cpu_seconds) in times.items():
        results.add(
            "encryption",
            database=enrolled.database.name,
            work=work,
            rows=enrolled.files.rows,
            way=way,
            run=run,
            seconds=round(seconds, 4),
            cpu_seconds=round(cpu_seconds, 2),
        )
        say(f"{enrolled.database.name:9} {work} {way:9} {seconds:.2f} s, CPU {cpu_seconds:.2f} s")


def _environment(way: str) -> dict[str, str]:
    return {"PYTHONPATH": str(_PLAIN_FRAMES)} if way == COPIED else {}


def _stored(enrolled: works.Enrolled) -> set[Path]:
    return set((enrolled.rollbook.data / "spool").iterdir())


def _check(file: Path, way: str) -> None:
    """Check that a stored file is readable exactly if it was only copied."""
    if (_COLUMN in file.read_bytes()) != (way == COPIED):
        raise BenchFailed(f"{file} should be {way}; what was measured is something else")
