"""Which modes of updates each way to send a file may use in a district.

``sync`` deactivates students whom a file doesn't name, so no district has it until somebody turns
it on.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from rollbook.districts.models import District

SYNC = "sync"
MODES = ("update", "add", SYNC)
DEFAULT_MODES = MODES[:2]


class Channel(StrEnum):
    """A way to send a file."""

    SCRIPTS = "scripts"
    PAGES = "pages"
    CLI = "cli"


CHANNEL_WORDS: Mapping[Channel, str] = {
    Channel.SCRIPTS: "scripts",
    Channel.PAGES: "pages",
    Channel.CLI: "the rollbook command",
}


class ModeNotAllowed(Exception):
    """The district doesn't allow the mode; the text is one sentence."""

    def __init__(self, district: District, channel: Channel, mode: str) -> None:
        allowed = " and ".join(allowed_modes(district, channel)) or "none"
        super().__init__(
            f"{district.name} doesn't allow mode={mode} for {CHANNEL_WORDS[channel]}, only "
            f"{allowed}; a district manager can change that in the settings, under Full sync"
        )
        self.mode = mode


def allowed_modes(district: District, channel: Channel) -> tuple[str, ...]:
    """Return the modes that may be used in this way."""
    stored = district.modes or {}
    allowed = stored.get(channel.value, DEFAULT_MODES)
    return tuple(mode for mode in MODES if mode in allowed)


def require_allowed(district: District, channel: Channel, mode: str) -> None:
    """Check a mode.

    Raises:
        ModeNotAllowed: The mode may not be used in this way.
    """
    if mode not in allowed_modes(district, channel):
        raise ModeNotAllowed(district, channel, mode)


def allows_sync(district: District) -> bool:
    """Return whether full sync is turned on in any way."""
    return any(SYNC in allowed_modes(district, channel) for channel in Channel)


def as_stored(modes: Mapping[Channel, Iterable[str]]) -> dict[str, list[str]]:
    """Return the column ``modes`` of a district."""
    return {
        channel.value: [mode for mode in MODES if mode in wanted]
        for channel, wanted in modes.items()
    }
