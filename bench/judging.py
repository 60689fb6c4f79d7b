"""``python -m bench.judging NUMBER``: what it costs to judge a plan that waits, as JSON.

It runs inside Rollbook's environment, on the update with this number.
"""

import json
import sys
import time

import django

django.setup()

from django.db.models import Sum  # noqa: E402
from django.db.models.functions import Length  # noqa: E402

from rollbook.updates.models import UpdateJob  # noqa: E402
from rollbook.updates.planning.limits import DEFAULT_LIMITS, exceeded  # noqa: E402
from rollbook.updates.planning.summarize import summarize  # noqa: E402


def main() -> None:
    """Print the seconds of the check, those of the judgment, and the bytes kept a row."""
    update = UpdateJob.objects.get(number=int(sys.argv[1]))
    began, began_cpu = time.monotonic(), time.process_time()
    exceeded(summarize(update), DEFAULT_LIMITS)
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - began_cpu
    kept = update.checkedrange_set.aggregate(
        students=Sum(Length("student_ids")), lines=Sum(Length("line_numbers"))
    )
    checked = (update.planned_at or update.received_at) - (update.started_at or update.received_at)
    print(
        json.dumps(
            {
                "check_seconds": round(checked.total_seconds(), 3),
                "judge_seconds": round(seconds, 4),
                "judge_cpu_seconds": round(cpu_seconds, 4),
                "bytes_a_row": round(sum(kept.values()) / update.rows, 2),
                "staged": update.rows_staged,
            }
        )
    )


if __name__ == "__main__":
    main()
