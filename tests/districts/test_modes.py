"""Which modes scripts, pages and the command may use in a district."""

import pytest

from rollbook.districts import modes
from rollbook.districts.models import District
from rollbook.districts.modes import MODES, Channel, ModeNotAllowed
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import receive
from rollbook.updates.receiving.receive import SOURCE_BROWSER
from rollbook.updates.state_machine import Mode
from tests.updates.night import incoming

FILE = b"STUDENT_ID,GRADE\n1,4\n"
SOURCES = {Channel.SCRIPTS: "curl", Channel.PAGES: SOURCE_BROWSER, Channel.CLI: "rollbook"}


def send(district: District, mode: Mode, source: str) -> UpdateJob:
    file = incoming(FILE)
    received = receive.receive(district, file, file_name="a.csv", mode=mode, source=source)
    return received.update


def test_the_modes_of_updates_are_those_of_districts() -> None:
    assert tuple(Mode) == MODES
    assert {receive.CHANNELS.get(source, Channel.SCRIPTS) for source in SOURCES.values()} == set(
        Channel
    )


@pytest.mark.parametrize("channel", Channel)
def test_full_sync_is_off_everywhere_until_it_is_turned_on(
    maple: District, channel: Channel
) -> None:
    assert modes.allowed_modes(maple, channel) == ("update", "add")
    with pytest.raises(
        ModeNotAllowed, match=r"doesn't allow mode=sync for .*, only update and add"
    ):
        send(maple, Mode.SYNC, SOURCES[channel])
    assert not UpdateJob.objects.exists()
    assert not modes.allows_sync(maple)


@pytest.mark.parametrize("channel", Channel)
def test_a_mode_is_allowed_where_it_is_turned_on(maple: District, channel: Channel) -> None:
    maple.modes = modes.as_stored({channel: [Mode.SYNC]})
    assert modes.allows_sync(maple)
    assert send(maple, Mode.SYNC, SOURCES[channel]).mode == "sync"
    with pytest.raises(ModeNotAllowed, match="mode=add"):
        send(maple, Mode.ADD, SOURCES[channel])
    for other in set(Channel) - {channel}:
        with pytest.raises(ModeNotAllowed):
            send(maple, Mode.SYNC, SOURCES[other])


def test_a_district_can_allow_no_mode(maple: District) -> None:
    maple.modes = modes.as_stored({Channel.SCRIPTS: []})
    with pytest.raises(ModeNotAllowed, match="only none"):
        send(maple, Mode.UPDATE, "curl")
