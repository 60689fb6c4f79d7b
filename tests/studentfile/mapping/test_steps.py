"""What each step makes of a text."""

import time
from collections.abc import Mapping

import pytest

from rollbook.studentfile.mapping import sizes
from rollbook.studentfile.mapping.bound import Reading, bind
from rollbook.studentfile.mapping.mapping import MappingDocument


def changed(text: str, *steps: Mapping[str, object]) -> str:
    return mapping(*steps).row([text])[0]


def mapping(*steps: Mapping[str, object], names: tuple[str, ...] = ("id",)) -> Reading:
    source = {"to": "STUDENT_ID", "from": list(names), "steps": list(steps)}
    return bind(MappingDocument.from_json({"name": "x", "columns": [source]}), names)


TABLE = {"01": "k", "F": "female"}


@pytest.mark.parametrize(
    ("step", "text", "result"),
    [
        ({"step": "trim"}, " a \t", "a"),
        ({"step": "case", "to": "upper"}, "aé", "AÉ"),
        ({"step": "case", "to": "lower"}, "AÉ", "aé"),
        ({"step": "case", "to": "title"}, "O'NEIL-mary 2ND", "O'Neil-Mary 2Nd"),
        ({"step": "pad", "width": 5}, " 12 ", "00012"),
        ({"step": "pad", "width": 5, "with": "X"}, "123456", "123456"),
        ({"step": "pad", "width": 5}, " ", " "),
        ({"step": "strip", "suffix": ".0"}, "12.0 ", "12"),
        ({"step": "strip", "prefix": "S-", "suffix": ".0"}, "S-S-1", "S-1"),
        ({"step": "replace", "text": "-", "by": "/"}, "1-2-3", "1/2/3"),
        ({"step": "split", "at": ",", "take": 1}, "Klein, Ora", "Klein"),
        ({"step": "split", "at": ",", "take": 2}, "Klein, Ora", "Ora"),
        ({"step": "split", "at": ",", "take": -1}, "a,b, c", "c"),
        ({"step": "split", "at": ",", "take": 2}, "Klein", ""),
        ({"step": "split", "at": ",", "take": -3}, "a,b", ""),
        ({"step": "translate", "table": TABLE, "otherwise": "keep"}, " f ", "female"),
        ({"step": "translate", "table": TABLE, "otherwise": "keep"}, "x", "x"),
        ({"step": "translate", "table": TABLE, "otherwise": "blank"}, "x", ""),
        ({"step": "translate", "table": TABLE, "otherwise": {"value": "ug"}}, "x", "ug"),
        ({"step": "translate", "table": TABLE, "otherwise": {"value": "ug"}}, "  ", "  "),
        ({"step": "date", "order": "dmy"}, "5/6/2013", "2013-06-05"),
        ({"step": "date", "order": "mdy"}, " 05.06.2013 ", "2013-05-06"),
        ({"step": "date", "order": "ymd"}, "2013-5-6", "2013-05-06"),
        ({"step": "date", "order": "ymd"}, "20130506", "2013-05-06"),
        ({"step": "date", "order": "dmy"}, "05062013", "2013-06-05"),
        ({"step": "date", "order": "mdy"}, "31/12/2013", "31/12/2013"),
        ({"step": "date", "order": "mdy"}, "5/6/13", "5/6/13"),
        ({"step": "date", "order": "mdy"}, "soon", "soon"),
        ({"step": "blank", "when": ["0", "n/a"]}, " N/A ", ""),
        ({"step": "blank", "when": ["0"]}, "00", "00"),
    ],
)
def test_a_step_changes_a_text(step: dict[str, object], text: str, result: str) -> None:
    assert changed(text, step) == result


def test_steps_follow_each_other() -> None:
    steps = ({"step": "strip", "suffix": ".0"}, {"step": "pad", "width": 6})
    assert changed("123.0", *steps) == "000123"


def test_several_cells_are_joined_without_blank_ones() -> None:
    reading = mapping({"step": "join", "with": "-"}, names=("a", "b", "c"))
    assert reading.row([" 1 ", "", "2"]) == ["1-2"]
    assert reading.columns_of([(" 1 ", "3"), ("", "4"), ("2", "5")]) == [("1-2", "3-4-5")]


def test_repeated_replacements_remain_linear() -> None:
    growing = {"step": "replace", "text": "a", "by": "a" * sizes.MAX_TEXT}
    started = time.process_time()
    result = changed("a" * 512, *[growing] * sizes.MAX_STEPS)
    assert len(result) <= sizes.MAX_RESULT * sizes.MAX_TEXT
    assert time.process_time() - started < 5
