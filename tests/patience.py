"""How long tests wait for what other processes do.

Only a test that fails waits that long. A busy machine may need a hundred times as long as an idle
one, so tests don't guess how long something takes; those about a speed compare it with a limit.
"""

TIMEOUT_S = 240.0
"""Less than pytest's own limit, which says nothing about what was waited for."""
