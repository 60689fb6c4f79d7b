"""Placeholders and hidden passwords are recognized, and names that look like them are not."""

import pytest

from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.values.placeholders import is_masked, is_placeholder
from rollbook.studentfile.values.text_checks import InvalidValue, ValueWithWarning

PLACEHOLDERS = [
    *("(null)", "[NULL]", "<null>", "{null}", "(blank)", "[blank]", "<Blank>", "(none)", "<none>"),
    *("(empty)", "<NA>", "\\N", "\\\\N", "N.A.", "n.a.", "N/A", "'NULL'", '"null"', "*none*"),
    *(
        "-null-",
        "undefined",
        "DBNull",
        "System.DBNull",
        "TBD",
        "TBA",
        "NaT",
        "[hidden]",
        "<redacted>",
    ),
    *(
        "-",
        "--",
        "—",
        "?",
        "???",
        ".",
        "...",
        "…",
        "_",
        "/",
        "no data",
        "Not Available",
        "(unknown)",
    ),
]


@pytest.mark.parametrize("text", PLACEHOLDERS)
@pytest.mark.parametrize("column", ["FIRST_NAME", "LAST_NAME", "STUDENT_ID", "USERNAME", "GRADE"])
def test_a_placeholder_is_no_value(column: str, text: str) -> None:
    assert is_placeholder(text)
    result = BY_NAME[column].rule(text)
    if column.endswith("_NAME") and text in ("-", "."):
        assert result == "-"  # if the student has only one name
        return
    assert isinstance(result, InvalidValue)
    assert result.code == "placeholder"


@pytest.mark.parametrize("text", ["#REF!", "#N/A", "#NULL!", "#NAME?"])
def test_a_spreadsheet_error_keeps_its_own_code(text: str) -> None:
    assert BY_NAME["FIRST_NAME"].rule(text) == InvalidValue("excel_error")


@pytest.mark.parametrize("text", ["Null", "none", "Nan", "Na", "Nil", "Unknown"])
def test_one_name_alone_can_be_a_name(text: str) -> None:
    assert BY_NAME["LAST_NAME"].rule(text) == ValueWithWarning(text, "possible_placeholder")


@pytest.mark.parametrize("text", ["Name unknown", "No Name", "not specified", "Not Provided"])
def test_some_texts_are_only_never_names(text: str) -> None:
    for name in ("FIRST_NAME", "LAST_NAME"):
        assert BY_NAME[name].rule(text) == InvalidValue("placeholder")
    assert BY_NAME["ADDITIONAL_INFO_1"].rule(text) == text


@pytest.mark.parametrize("text", ["Blank", "Empty", "Nat", "Nulls", "Nonie", "Tba-Ann"])
def test_a_name_that_looks_like_a_placeholder_is_a_name(text: str) -> None:
    assert not is_placeholder(text)
    assert BY_NAME["LAST_NAME"].rule(text) == text


MASKED = [
    *("********", "••••••••", "●●●●●●", "xxxxxxxx", "XXXXXXXX", "xXxX", "........"),
    *("????????", "--------", "________", "········", "********123", "p****123", "ab•••••"),
    *(
        "[hidden]",
        "(hidden)",
        "<redacted>",
        "{encrypted}",
        "[ set ]",
        "5f4dcc3b5aa765d61d8327deb882cf99",
    ),
    *("$2y$10$N9qo8uLOickgx2ZMRZoMye", "{SSHA}nU5bBwmmEwqvrCjYgVJ3aQ==", "***"),
]


@pytest.mark.parametrize("text", MASKED)
def test_a_hidden_password_is_rejected(text: str) -> None:
    assert is_masked(text)
    assert BY_NAME["PASSWORD"].rule(text) == InvalidValue("masked_password")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "sunflower",
            "pass101",
            "00000000",
            "11111111",
            "aaaaaaaa",
            "xxl2024",
            "a.b.c.d",
            "p*ss*w*rd",
        ),
        *(
            "$un$hine2024",
            "#password",
            "*secret*",
            "=+-@",
            "-_-*-_-",
            "{a1b2}",
            "f00dbeef",
            "x-x-x-x",
        ),
    ],
)
def test_a_weak_password_is_not_hidden(text: str) -> None:
    assert not is_masked(text)
    assert BY_NAME["PASSWORD"].rule(text) == text
