"""Count the files in a row that were held, because then the roster gets no news for days."""

from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State

ALARMING = 3
"""Files in a row that were held after which the district managers get the email, too."""

_WITHOUT_PLAN = (State.REFUSED.value, State.FAILED.value, State.CANCELED.value)


def held_in_a_row(update: UpdateJob) -> int:
    """Return how many files in a row were held and not applied, with this update as the last one.

    Dry runs don't count, and files of which no plan was made neither count nor interrupt.
    """
    earlier = UpdateJob.objects.filter(
        district=update.district_id, number__lte=update.number, is_check=False, split_from=None
    ).exclude(state__in=_WITHOUT_PLAN)
    count = 0
    for state in earlier.order_by("-number").values_list("state", flat=True).iterator():
        if state not in {State.HELD, State.DISCARDED}:
            break
        count += 1
    return count
