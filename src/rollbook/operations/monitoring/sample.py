"""One value of a metric."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """The value of a metric with these values of its labels."""

    name: str
    value: float
    labels: tuple[str, ...] = ()
