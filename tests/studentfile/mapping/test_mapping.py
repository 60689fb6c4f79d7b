"""The document of a mapping: what it may contain, and what is wrong with it."""

import json
from typing import Any

import pytest

from rollbook.studentfile.mapping import sizes
from rollbook.studentfile.mapping.errors import InvalidMapping
from rollbook.studentfile.mapping.mapping import MappingDocument

KEY = {"to": "STUDENT_ID", "from": ["id"]}
ALL_STEPS = [
    {"step": "join", "with": " "},
    {"step": "trim"},
    {"step": "case", "to": "upper"},
    {"step": "pad", "width": 8, "with": "0"},
    {"step": "strip", "prefix": "S-", "suffix": ".0"},
    {"step": "replace", "text": "/", "by": ""},
    {"step": "split", "at": ",", "take": -1},
    {"step": "translate", "table": {"a": "b"}, "otherwise": "keep"},
    {"step": "translate", "table": {"a": ""}, "otherwise": {"value": "c"}},
    {"step": "date", "order": "dmy"},
    {"step": "blank", "when": ["0", "N/A"]},
]
DOCUMENT: dict[str, Any] = {
    "format": 1,
    "name": "powerschool",
    "version": 3,
    "columns": [
        KEY,
        {"to": "LAST_NAME", "from": ["a", "b"], "steps": ALL_STEPS},
        {"to": "ELL", "from": [], "steps": [{"step": "constant", "value": "n"}]},
    ],
    "keep": [{"column": "role", "is": ["student"]}, {"column": "exit", "is_not": ["x", ""]}],
    "ignore": ["phone"],
}


def errors(**changed: object) -> tuple[str, ...]:
    with pytest.raises(InvalidMapping) as invalid:
        MappingDocument.from_json({**DOCUMENT, **changed})
    return invalid.value.errors


def errors_of_column(**changed: object) -> tuple[str, ...]:
    return errors(columns=[KEY, {"to": "DOB", "from": ["born"], **changed}])


def errors_of_step(**step: object) -> str:
    (error,) = errors_of_column(steps=[step])
    return error


def test_a_document_is_read_and_written_unchanged() -> None:
    mapping = MappingDocument.from_json(DOCUMENT)
    assert mapping.as_json() == DOCUMENT
    assert MappingDocument.from_text(json.dumps(DOCUMENT)) == mapping
    assert mapping.label == "powerschool, version 3"
    assert mapping.names == ("id", "a", "b", "role", "exit")


def test_what_is_left_out_is_as_by_default() -> None:
    mapping = MappingDocument.from_json({"name": "x", "columns": [{"to": "USERNAME", "from": "u"}]})
    assert (mapping.version, mapping.keep, mapping.ignored) == (0, (), ())
    assert mapping.sources[0].names == ("u",)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"format": 2}, "format: only format 1 can be read"),
        ({"name": "Power School"}, "name: use 1 to 40 of a-z, 0-9"),
        ({"name": "none"}, "name: 'none' stands for no mapping"),
        ({"version": -1}, "version: it must be a whole number"),
        ({"extra": 1}, "the document: 'extra' is not a key here"),
        ({"columns": []}, "columns: it must be a list of 1 to 24 objects"),
        ({"columns": [KEY, KEY]}, "columns[1] (STUDENT_ID): two entries are mapped to this column"),
        ({"columns": [{"to": "COLOR", "from": ["c"]}]}, "columns[0]: 'COLOR' is not a column"),
        ({"columns": ["x"]}, "columns[0]: it must be an object"),
        (
            {"columns": [{"to": "GRADE", "from": ["g"]}]},
            "columns: nothing identifies a student; map STUDENT_ID, USERNAME, or FIRST_NAME",
        ),
        (
            {
                "columns": [
                    {"to": "STUDENT_ID", "from": [], "steps": [{"step": "constant", "value": "1"}]}
                ]
            },
            "columns: nothing identifies a student",
        ),
        ({"keep": [{"column": "role"}]}, "keep[0] (role): write either is or is_not"),
        ({"keep": [{"is": ["x"]}]}, "keep[0]: a condition is an object such as"),
        ({"keep": [{"column": "r", "is": []}]}, "keep[0] (r): its values must be a list"),
        ({"keep": [{"column": "r", "is": [1]}]}, "keep[0] (r): each of its values must be a text"),
        ({"keep": [{"column": "r", "is": ["x"]}] * 9}, "keep: it must be a list of at most 8"),
        ({"ignore": [1]}, "ignore: it must be a list"),
    ],
)
def test_each_error_names_its_place(changed: dict[str, object], error: str) -> None:
    assert errors(**changed)[0].startswith(error)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"from": []}, "it comes from no file column"),
        ({"from": ["a", "b"]}, "it comes from several file columns; begin its steps with join"),
        ({"from": ["a", "a"]}, "from names a file column twice"),
        ({"from": 1}, "from must be a list"),
        ({"from": [f"c{n}" for n in range(9)]}, "from must be a list of at most 8"),
        ({"steps": {}}, "steps must be a list of at most 12 steps"),
        ({"steps": [{"step": "trim"}] * 13}, "steps must be a list of at most 12 steps"),
        ({"steps": [{"step": "join", "with": ""}]}, "join needs at least two file columns"),
        ({"steps": [{"step": "constant", "value": "x"}]}, "constant needs no file column"),
        (
            {"steps": [{"step": "trim"}, {"step": "constant", "value": "x"}]},
            "join and constant can only be the first step",
        ),
        ({"color": 1}, "'color' is not a key here"),
    ],
)
def test_an_error_of_a_column_names_it(changed: dict[str, object], error: str) -> None:
    assert errors_of_column(**changed)[0].startswith(f"columns[1] (DOB): {error}")


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ({"step": "eval"}, "columns[1] (DOB), steps[0]: 'eval' is not a step; use trim, case"),
        ({"name": "trim"}, "columns[1] (DOB), steps[0]: a step is an object"),
        ({"step": "trim", "x": 1}, "columns[1] (DOB), steps[0] (trim): 'x' is not a key here"),
        ({"step": "case", "to": "loud"}, "columns[1] (DOB), steps[0] (case): to must be upper"),
        ({"step": "pad", "width": 0}, "(pad): width must be a whole number from 1 to 64"),
        ({"step": "pad", "width": True}, "(pad): width must be a whole number"),
        ({"step": "pad", "width": 8, "with": "00"}, "(pad): with must be one visible character"),
        ({"step": "strip"}, "(strip): prefix or suffix is missing"),
        ({"step": "replace", "text": "", "by": "x"}, "(replace): text must be a text of 1 to 200"),
        ({"step": "replace", "text": "a\0", "by": ""}, "(replace): text must be a text"),
        ({"step": "replace", "text": "a", "by": "\ud800"}, "(replace): by must be a text"),
        ({"step": "replace", "text": "a"}, "(replace): by must be a text of 0 to 200"),
        ({"step": "split", "at": ",", "take": 0}, "(split): take must be 1 for the first part"),
        ({"step": "split", "at": ",", "take": 21}, "(split): take must be a whole number from -20"),
        ({"step": "translate", "table": {"a": "b"}}, '(translate): otherwise must be "keep"'),
        ({"step": "translate", "table": {}, "otherwise": "keep"}, "(translate): table must be"),
        (
            {"step": "translate", "table": {"a": 1}, "otherwise": "keep"},
            "(translate): 'a' of the table must be a text",
        ),
        (
            {"step": "translate", "table": {"a": "", "A ": ""}, "otherwise": "keep"},
            "(translate): 'A ' is in the table a second time",
        ),
        ({"step": "date", "order": "ydm"}, "(date): order must be mdy, dmy, ymd"),
        ({"step": "blank", "when": []}, "(blank): when must be a list of 1 to 200 texts"),
        ({"step": "constant"}, "(constant): value must be a text of 1 to 200 characters"),
    ],
)
def test_an_error_of_a_step_names_it(step: dict[str, object], error: str) -> None:
    assert error in errors_of_step(**step)


def test_all_errors_of_a_document_are_found() -> None:
    found = errors(name="", columns=[KEY, KEY, {"to": "X"}], keep=[{}])
    assert len(found) == 4


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "the document: it isn't valid JSON"),
        ("[" * 100_000, "the document: it isn't valid JSON"),
        ("[]", "the document: it must be an object"),
        ('{"name": "a", "name": "b"}', "the document: 'name' appears twice in one object"),
        (" " * (sizes.MAX_DOCUMENT_BYTES + 1), "the document: it is too large"),
    ],
)
def test_a_text_that_is_no_document_is_refused(text: str, error: str) -> None:
    with pytest.raises(InvalidMapping) as invalid:
        MappingDocument.from_text(text)
    assert str(invalid.value).startswith(error)
