"""``python -m bench.peer fill FILE`` fills the table; a name of ``ways.WAYS`` updates it.

An update prints its time as JSON; afterward every student is compared with the file. The table is
in the database that BENCH_PEER_DATABASE names.
"""

import json
import os
import sys
import time
from pathlib import Path

import django
from django.core.management import call_command

from bench.students import COLUMNS


def main(way: str, path: Path) -> int:
    """Update one way, in its own process; return 1 if the students don't match the file."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peer.settings")
    django.setup()
    from bench.peer.models import Student
    from bench.peer.ways import WAYS, load

    if way == "fill":
        call_command("migrate", run_syncdb=True, verbosity=0)
        Student.objects.bulk_create((Student(**values) for values in load(path)), batch_size=1000)
        return 0
    began = time.perf_counter()
    WAYS[way](path)
    print(json.dumps({"seconds": time.perf_counter() - began}))
    stored = {
        row["student_id"]: row
        for row in Student.objects.values(*[name.lower() for name in COLUMNS])
    }
    wrong = [
        values["student_id"]
        for values in load(path)
        if stored.pop(str(values["student_id"]), None) != values
    ]
    if wrong or stored:
        print(
            f"{len(wrong)} students are not as the file says, {len(stored)} are not in it",
            file=sys.stderr,
        )
    return int(bool(wrong or stored))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
