"""Damaged text is found, and no correct name is called damaged."""

from collections.abc import Callable, Iterator
from unicodedata import normalize

import pytest

from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.values.damaged_text import TextKind, find_damage
from rollbook.studentfile.values.text_checks import InvalidValue
from tests.studentfile.values.real_names import NAMES

_UNDEFINED_IN_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")


def _as_windows_1252(utf8: bytes) -> str:
    """Decode as browsers and spreadsheets do: undefined bytes become control characters."""
    codecs = {True: "latin-1", False: "cp1252"}
    return "".join(bytes([byte]).decode(codecs[byte in _UNDEFINED_IN_CP1252]) for byte in utf8)


WRONG_DECODINGS: dict[str, Callable[[bytes], str]] = {
    "cp1252": _as_windows_1252,
    "latin-1": lambda utf8: utf8.decode("latin-1"),
    "mac-roman": lambda utf8: utf8.decode("mac-roman"),
    "cp437": lambda utf8: utf8.decode("cp437"),
    "cp850": lambda utf8: utf8.decode("cp850"),
}


def _written_names() -> Iterator[str]:
    for name in NAMES:
        yield from (name, name.upper(), normalize("NFD", name), f"Ana {name}", f"{name}-Brook")


@pytest.mark.parametrize("kind", TextKind)
def test_no_correct_name_is_damaged(kind: TextKind) -> None:
    assert [name for name in _written_names() if find_damage(name, kind)] == []


@pytest.mark.parametrize("column", ["FIRST_NAME", "LAST_NAME"])
def test_no_correct_name_is_rejected(column: str) -> None:
    rule = BY_NAME[column].rule
    assert [name for name in _written_names() if isinstance(rule(name), InvalidValue)] == []


@pytest.mark.parametrize("decode", WRONG_DECODINGS.values(), ids=WRONG_DECODINGS)
def test_every_wrong_decoding_of_a_name_is_damaged(decode: Callable[[bytes], str]) -> None:
    missed = []
    for name in _written_names():
        damaged = decode(name.encode())
        if damaged != name and not find_damage(damaged, TextKind.NAME):
            missed.append((name, damaged))
    assert missed == []


@pytest.mark.parametrize("first", WRONG_DECODINGS.values(), ids=WRONG_DECODINGS)
@pytest.mark.parametrize("second", WRONG_DECODINGS.values(), ids=WRONG_DECODINGS)
def test_text_that_was_damaged_twice_is_damaged(
    first: Callable[[bytes], str], second: Callable[[bytes], str]
) -> None:
    missed = []
    for name in NAMES:
        damaged = second(first(name.encode()).encode())
        if damaged != name and not find_damage(damaged, TextKind.NAME):
            missed.append((name, damaged))
    assert missed == []


_LOST_LETTERS = ["Pe?a", "Jos?", "N??ez", "?ngel", "Pe¿a", "Jos\ufffd", "N\x1a\x1aez", "Mar?a Jos?"]
_WRONG_ENCODING = [
    *("JosÃ©", "NÃºÃ±ez", "Pe√±a", "Jos├⌐", "Siobh├ín", "Oâ€™Dell", "OÂ’Dell", "NicolÃ", "Ana Ã‰"),
    *("JosÃƒÂ©", "Ka\u00ca\u00bbimi", "ÐŸÐµÑ‚Ñ€", "ç\u008e\u008b", "ï¿½scar", "JosĂ©", "JosГ©"),
    *("Nu±ez", "JosΘ", "JosÚ", "L≤pez", "Mu¾oz"),
    *("Jos‚", "Ren‚e", "Garc¡a", "M„nnel", "Bj”rn", "C“t‚", "D…niel", "Lo‹c", "Nicol•"),
]
_HTML = [
    *("Siobh&aacute;n", "O&#039;Dell", "O&#39;Dell", "O&#x27;Dell", "Pe&ntilde;a", "Pe&ntildea"),
    *(
        "O&apos;Dell",
        "O&rsquo;Dell",
        "O&amp;#39;Dell",
        "Ana&nbsp;Brook",
        "Ana &amp; Ben",
        "O&#39Dell",
    ),
]
_CODES = [
    *("O%27Dell", "Siobh%C3%A1n", "Siobh%c3%a1n", "Pe%F1a", "De%20La%20Cruz", "Pe%u00F1a"),
    *("De+La+Cruz", "O\\'Dell", 'Robert \\"Bob\\"', "Pe\\u00f1a", "Pe\\xf1a", "Pe\\xc3\\xb1a"),
    *("Pe\\303\\261a", "Ana\\n", "O''Dell", 'Robert ""Bob""', "Peu00f1a", "Pe<U+00F1>a"),
    *("Jos=C3=A9", "O=27Dell", "Pe=F1a", "Ana_x000D_", "Pe_x00F1_a", "O\\Dell"),
]


@pytest.mark.parametrize("text", [*_LOST_LETTERS, *_WRONG_ENCODING, *_HTML, *_CODES])
@pytest.mark.parametrize("column", ["FIRST_NAME", "LAST_NAME"])
def test_a_damaged_name_is_rejected(column: str, text: str) -> None:
    result = BY_NAME[column].rule(text)
    assert isinstance(result, InvalidValue)
    assert result.code == "damaged_text"


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("Pe?a", "Export-Csv needs -Encoding UTF8"),
        ("Jos\ufffd", "Export-Csv needs -Encoding UTF8"),
        ("JosÃ©", "Windows-1252"),
        ("Pe√±a", "Mac Roman"),
        ("Jos├®", "DOS code page"),
        ("O&#039;Dell", "HTML codes"),
        ("O%27Dell", "web addresses"),
        ("O\\'Dell", "escapes"),
        ("Jos=C3=A9", "emails"),
    ],
)
def test_the_hint_says_where_the_damage_comes_from(text: str, fix: str) -> None:
    hint = find_damage(text, TextKind.NAME)
    assert hint
    assert fix in hint


@pytest.mark.parametrize(
    "text",
    [
        *("100% Club", "Who's in?", "Math?", "¿Listos?", "A\\B", "C++", "a=b", "Top 10%", "R&D"),
        *("Band & Choir", "Fall&Spring", "Love&Caring", "R&D;", "Café", "Science+Math", "C#"),
        *("Level 2.0", "“Éclat”", "Q&A", "Año 1º", "½ day", "Team ★"),
    ],
)
def test_a_group_name_may_contain_more_than_a_name(text: str) -> None:
    assert find_damage(text, TextKind.GROUP) is None
    assert find_damage(text, TextKind.TEXT) is None


@pytest.mark.parametrize(
    "text",
    [
        *("Arts &amp; Crafts", "Arts &#38; Crafts", "Espa?ol", "?lite", "EspaÃ±ol", "Caf├⌐"),
        *("Kids\\' Club", "Kids%27 Club", "Arts%20%26%20Crafts", "Caf\\u00e9", "Caf=C3=A9"),
        *("Chess_x000D_", "Caf\ufffd"),
    ],
)
def test_a_damaged_group_name_is_rejected(text: str) -> None:
    result = BY_NAME["GROUPS"].rule(text)
    assert isinstance(result, InvalidValue)
    assert result.code == "damaged_text"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("3-May", "excel_date"), ("May-03", "excel_date"), ("5-MAR", "excel_date")),
        *(
            ("2014-05-03 00:00:00", "excel_date"),
            ("5/3/2014", "excel_date"),
            ("2014-05-03", "excel_date"),
        ),
        *(("1E+05", "excel_scientific"), ("1.23E+05", "excel_scientific"), ("5.0", "excel_number")),
        *(("#REF!", "excel_error"), ("(null)", "placeholder")),
    ],
)
def test_what_spreadsheets_make_of_a_group_name_is_rejected(text: str, code: str) -> None:
    result = BY_NAME["GROUPS"].rule(text)
    assert isinstance(result, InvalidValue)
    assert result.code == code


@pytest.mark.parametrize("text", ["Period 3", "3-5", "2014", "Mayflower", "May", "5-A", "Room 5.1"])
def test_a_group_name_may_look_a_little_like_a_date(text: str) -> None:
    assert BY_NAME["GROUPS"].rule(text) == text


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        *(("FIRST_NAME", "1E+05", "excel_scientific"), ("LAST_NAME", "3-May", "excel_date")),
        *(("STUDENT_ID", "5-Mar", "excel_date"), ("STUDENT_ID", "00123_x000D_", "damaged_text")),
        *(("STUDENT_ID", "Pe?1", "damaged_text"), ("STUDENT_ID", "(null)", "placeholder")),
        *(("SCHOOL_ID", "100&nbsp;", "damaged_text"), ("SCHOOL_ID", "\\N", "placeholder")),
        *(("USERNAME", "jos?", "damaged_text"), ("USERNAME", "josÃ©", "damaged_text")),
        *(("USERNAME", "o%27dell", "damaged_text"), ("USERNAME", "[NULL]", "placeholder")),
        *(("PASSWORD", "josÃ©2014", "damaged_text"), ("PASSWORD", "a&amp;bcd", "damaged_text")),
        *(
            ("PASSWORD", "josé\ufffd", "damaged_text"),
            ("PARENT_EMAIL_1", "o%27dell@x.example", "damaged_text"),
        ),
        *(("ADDITIONAL_INFO_1", "lives with JosÃ©", "damaged_text"),),
        *(("ADDITIONAL_INFO_1", "Tom &amp; Ana", "damaged_text"),),
    ],
)
def test_other_values_can_be_damaged_too(column: str, text: str, code: str) -> None:
    result = BY_NAME[column].rule(text)
    assert isinstance(result, InvalidValue)
    assert result.code == code


@pytest.mark.parametrize(
    ("column", "text"),
    [
        *(
            ("PASSWORD", "why?not"),
            ("PASSWORD", "50%2off"),
            ("PASSWORD", "a\\'b'c"),
            ("PASSWORD", "ça&va"),
        ),
        *(
            ("USERNAME", "ana+school@x.example"),
            ("USERNAME", "maple\\nreed"),
            ("STUDENT_ID", "MAR-01"),
        ),
        *(
            ("SCHOOL_ID", "C-7"),
            ("STUDENT_ID", "2014-05-03"),
            ("PARENT_EMAIL_1", "o'dell@x.example"),
        ),
        *(
            ("ADDITIONAL_INFO_1", "Allergic? See x.example/a%20b"),
            ("ADDITIONAL_INFO_2", "c:\\notes"),
        ),
    ],
)
def test_a_harmless_value_is_accepted(column: str, text: str) -> None:
    assert BY_NAME[column].rule(text) == text
