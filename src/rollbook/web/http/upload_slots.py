"""The slots of uploads: each occupies a thread while its body is received."""

from collections.abc import Callable
from contextvars import ContextVar
from fractions import Fraction

from rollbook.web.http.upload_shares import Caller, Shares

SLOTS = 40  # a known address may have half of them, so twenty
RESERVED_SLOTS = 1  # for addresses from which members have signed in

slots = Shares(of_others=Fraction(SLOTS - RESERVED_SLOTS, SLOTS))

admit: ContextVar[Callable[[Caller], None]] = ContextVar("admit", default=lambda caller: None)
"""Takes a slot for the body of the request of this context; raises ShareExceeded.

The web server sets it for requests whose body is received while it is read. It takes a slot of a
stranger for a body that is read without asking.
"""
