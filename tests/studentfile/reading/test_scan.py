"""The scan of a whole file: errors that refuse it, and warnings."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.reading import encodings, row_scan
from rollbook.studentfile.reading import scan as reading_scan
from rollbook.studentfile.reading.conversion.convert import convert
from rollbook.studentfile.reading.reader import FileScan, Limits, read_records, scan
from rollbook.studentfile.row_validator import RowValidator
from tests.data.rosters import VENDOR_SAMPLE

HEADER = b"STUDENT_ID,FIRST_NAME,LAST_NAME\n"
ROWS = [
    *[b"1,A,B\n"] * 8,
    *(HEADER, HEADER[:-1], b"\xef\xbb\xbf" + HEADER, b"\xef\xbb\xbf1,A,B\n"),
    *(
        b"\n",
        b"\r\n",
        b",,\n",
        b" ,\t,\n",
        b"1,A\n",
        b"1,A,B,C\n",
        b"1,A,B\r\n",
        b"1,A,B\r",
        b"1,A,B",
    ),
    *(
        b'"1","A","B"\n',
        b'"1","A,B"\n',
        b'1,A"B"\n',
        b'1,A, "B"\n',
        b'"1\n2",A,B\n',
        b'"1",A"x,B\n',
    ),
    *(
        b"1,A,B,\n",
        b"1,A,B, ,\n",
        b"1,A,,,\n",
        b"---,---,---\n",
        b"--,,\n",
        b"-,-,-\n",
        b'"1","A","B",\n',
        b'1,"A"x,B\n',
        b"1,A\0,B\n",
        b"\0\n",
        b"\x0c\n",
        b"1,\xc3,B\n",
        b"# note\n",
        b"(2 rows affected)\n",
        b"\x1a\n",
    ),
]


def scan_bytes(tmp_path: Path, content: bytes, limits: Limits | None = None) -> FileScan:
    file = tmp_path / "students.csv"
    file.write_bytes(content)
    return scan(file, limits=limits)


def codes(result: FileScan) -> list[str]:
    return [problem.code for problem in result.problems]


def test_all_problems_are_reported_and_the_most_severe_names_the_refusal(tmp_path: Path) -> None:
    result = scan_bytes(
        tmp_path, b'STUDENT_ID,STUDENT_ID,COLOR\n1,\xe9,x\n2,\x00,\n3,a\n4,"a"b,c\n'
    )
    assert result.refusal
    assert result.refusal.code == "not_utf8"
    assert sorted(codes(result)) == [
        "duplicate_column",
        "not_utf8",
        "structure",
        "unknown_column",
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("José".encode("cp1252"), "line 3, byte 44 of the file looks like Windows-1252"),
        ("José".encode("mac-roman"), "line 3, byte 44 of the file looks like Mac Roman"),
        ("花子".encode("shift_jis"), "line 3, byte 41 of the file is the first invalid one"),
    ],
)
def test_the_position_and_likely_encoding_of_an_invalid_byte_are_reported(
    tmp_path: Path, name: bytes, reason: str
) -> None:
    result = scan_bytes(tmp_path, HEADER + b"1,A,B\n2," + name + b",B\n")
    assert result.refusal
    assert result.refusal.code == "not_utf8"
    assert result.refusal.hint == f"{reason}; save it as CSV UTF-8"
    assert result.refusal.line == 3


@pytest.mark.parametrize("before", [b"", b"4,", b"4,x\r", b"4,x\r\n", b"4," + b"x" * 1400 + b"\r"])
def test_the_line_of_an_invalid_byte_is_right_with_every_line_break(
    tmp_path: Path, before: bytes
) -> None:
    text = HEADER + (b"1,Ann,Lee\r" + b"2,Bob,Kim\r\n" + b"3,Cleo,Diaz\n") * 5000 + before
    refusal = scan_bytes(tmp_path, text + b"\xe9\n").refusal
    assert refusal
    assert refusal.line == len(text.splitlines()) + (not before.endswith(b","))


@pytest.mark.statement("S29")
@pytest.mark.parametrize(
    ("limits", "code", "words"),
    [
        (Limits(rows=2), "too_many_rows", "files of at most 2 rows"),
        (
            Limits(columns=2),
            "too_many_columns",
            "has 3 columns and at most 2 are allowed: remove those that you",
        ),
        (
            Limits(columns=2, row_bytes=20),
            "too_many_columns",
            "t most 2 columns are allowed: remove those that you",
        ),
        (Limits(bytes=50), "too_large", "files of at most 50 bytes"),
        (Limits(row_bytes=33), None, ""),
        (Limits(row_bytes=12), "row_too_long", "t most 12 bytes are allowed in a row"),
    ],
)
def test_a_refusal_contains_the_limit(
    tmp_path: Path, limits: Limits, code: str | None, words: str
) -> None:
    refusal = scan_bytes(tmp_path, HEADER + b"1,Anastasia,Brook\n" * 3, limits).refusal
    assert (refusal.code if refusal else None) == code
    assert words in (refusal.message if refusal else "")


def test_a_file_with_only_line_breaks_is_not_read_to_its_end(tmp_path: Path) -> None:
    refusal = scan_bytes(tmp_path, HEADER + b"\n" * 3_000_000 + b"1,A,B\n", Limits(rows=10)).refusal
    assert refusal
    assert refusal.code == "too_many_rows"


def test_without_a_header_no_value_is_quoted(tmp_path: Path) -> None:
    result = scan_bytes(tmp_path, b"00123,Ana,canary-1,MI\n00124,Ben,canary-2,MI\n")
    assert (codes(result), result.header) == (["header_not_found"], None)
    assert "canary" not in repr(result.problems)


def test_the_header_is_found_below_titles_and_blank_lines(tmp_path: Path) -> None:
    for blank in (0, 1, 900, 3000):
        text = b"\n" * blank + b"Our students\n\n# nightly\n" + HEADER + b"1,A,B\n"
        result = scan_bytes(tmp_path, text)
        assert (result.refusal, result.rows) == (None, 1)
        found = [(problem.line, problem.found) for problem in result.problems]
        assert found == [(blank + 1, "Our students"), (blank + 3, "# nightly")]


def test_the_line_of_a_header_that_may_be_below_students_is_reported(tmp_path: Path) -> None:
    refusal = scan_bytes(tmp_path, b"1,A,B\n\n2,A,B\n" + HEADER + b"1,A,B\n").refusal
    assert refusal
    assert refusal.code == "header_not_found"
    assert refusal.hint == "line 4 looks like the header: remove the lines above it"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"\n\nSTUDENT_ID,STUDENT_ID\n1,1\n", 3),
        (b"Title\nSTUDENT_ID,FIRST_NAME,FIRST_NAME\n1,A,B\n", 2),
        (b"\nFIRST_NAME,LAST_NAME\nA,B\n", 2),
        (b"\nSIS_ID,FIRST_NAME\n1,A\n", 2),
        (b"\nTEACHER_ID,FIRST_NAME\n1,A\n", 2),
        (b"\nSTUDENT_ID;FIRST_NAME\n1;A\n", 2),
        (b"\n" + HEADER, 2),
        (b"\n\n1,A,B\n2,A,B\n", 3),
        (HEADER + b"1,A,B\n" * 3 + b"1,A\n", 5),
        (HEADER + b'1,A,B\n2,A,"B\n3,A,B\n', 3),
        (HEADER + b"1,A,B\n2," + b"x" * 20_000 + b",B\n", 3),
        (HEADER + b"1,A,B\n\xef\xbb\xbf" + HEADER, 3),
        (HEADER + b"1,A,B\n1,\xe9,B\n", 3),
        (b"\n" + b",".join(b"C%d" % number for number in range(70)) + b"\n", 2),
        (b'\nSTUDENT_ID,"A"x\n1,A\n', 2),
        (b"\nSTUDENT_ID,A\0\n1,A\n", 2),
        (HEADER + b"1,A,B\n" * 30 + b"\n" + b"2,A,B\n" * 80, 52),
        (HEADER + b'1,A,"B"\n' * 30 + b"\n" + b'2,A,"B"\n' * 80, 52),
    ],
)
def test_a_refusal_names_the_first_line_concerned(
    tmp_path: Path, content: bytes, line: int
) -> None:
    refusal = scan_bytes(tmp_path, content, Limits(rows=49)).refusal
    assert refusal
    assert refusal.line == line
    assert f"line {line}" in refusal.located_message


def test_only_refusals_of_whole_files_name_no_line(tmp_path: Path) -> None:
    for content in (b"", b"\n\n", b"%PDF-1.7", b"x" * 200):
        refusal = scan_bytes(tmp_path, content, Limits(bytes=100)).refusal
        assert refusal
        assert refusal.line is None
        assert refusal.located_message == refusal.message


def test_an_unclosed_quote_is_reported_with_its_line(tmp_path: Path) -> None:
    for rows in (3, 3000):
        refusal = scan_bytes(
            tmp_path, HEADER + b"1,A,B\n" + b'2,A,"B\n' + b"3,A,B\n" * rows
        ).refusal
        assert refusal
        assert (refusal.code, refusal.line) == ("unclosed_quote", 3)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b'"1","A","B"', None),
        (b'"1","A","B",""', None),
        (b'"1","A, Jr.",""', None),
        (b'"1","","","x"', "structure"),
        (b'"1","A"', "structure"),
        (b'"1","A"x,"B"', None),
        (b'"1","A","B" ', None),
        (b'"1","A","B', None),
        (b'"1","A","B\n2,A,B', "unclosed_quote"),
        (b'"1",,"A","B"', "structure"),
    ],
)
def test_fully_quoted_rows_are_inspected(tmp_path: Path, row: bytes, code: str | None) -> None:
    refusal = scan_bytes(tmp_path, HEADER + row + b"\n").refusal
    assert (refusal.code if refusal else None) == code


@pytest.mark.parametrize("first", [HEADER, b'"STUDENT_ID","FIRST_NAME","LAST_NAME"\n'])
@pytest.mark.parametrize("later", [HEADER, b'"STUDENT_ID","FIRST_NAME","LAST_NAME"\n'])
def test_files_are_joined_whether_their_headers_are_quoted_or_not(
    tmp_path: Path, first: bytes, later: bytes
) -> None:
    rows = b"1,A,B\n" * 100
    (problem,) = scan_bytes(tmp_path, first + 3 * (rows + later)).problems
    assert problem.code == "joined_files"


@pytest.mark.parametrize(
    ("row", "hint"),
    [
        (b"1\tA\tB\n", "with 1 cell instead of 3: separate the cells of all rows by commas"),
        (b"1,A\n", "with 2 cells instead of 3: separate the cells of all rows by commas"),
        (b"1,A,B,Jr.\n", "with 4 cells instead of 3: put values that contain a comma in quotation"),
    ],
)
def test_rows_of_another_structure_than_the_header_are_explained(
    tmp_path: Path, row: bytes, hint: str
) -> None:
    refusal = scan_bytes(tmp_path, HEADER + b"1,A,B\n" + row * 9).refusal
    assert refusal
    assert (refusal.code, refusal.line) == ("structure", 3)
    assert hint in refusal.message


@pytest.mark.parametrize(
    ("header", "code", "hint"),
    [
        (b'"STUDENT_ID,FIRST_NAME,LAST_NAME"', "wrong_delimiter", "around whole lines"),
        (b'"""STUDENT_ID"",""DOB"""', "wrong_delimiter", "around whole lines"),
        (b"Nummer;Vorname;Nachname", "wrong_delimiter", "semicolons"),
        (b"STUDENT_ID~FIRST_NAME~DOB", "wrong_delimiter", "tildes"),
        (b"STUDENT_ID^FIRST_NAME^DOB", "wrong_delimiter", "carets"),
        (b"STUDENT_ID   FIRST_NAME   DOB", "wrong_delimiter", "spaces"),
        (b"Roster  as of  today", "header_not_found", ""),
        (b"ORA-01017: invalid username/password; logon denied", "header_not_found", ""),
        (b'"Connected, but no rows were found"', "header_not_found", ""),
    ],
)
def test_a_first_line_that_is_one_cell_is_explained(
    tmp_path: Path, header: bytes, code: str, hint: str
) -> None:
    refusal = scan_bytes(tmp_path, header + b"\n1\n").refusal
    assert refusal
    assert refusal.code == code
    assert hint in refusal.message


def test_blank_rows_are_not_counted(tmp_path: Path) -> None:
    result = scan_bytes(tmp_path, b"\n" + HEADER + b"\n1,A,B\n,,\n \t,,\n2,A,B\n\x1a")
    assert result.rows == 2
    assert codes(result) == ["comma_lines"]


@given(st.lists(st.sampled_from(ROWS), max_size=200), st.integers(1, 5))
def test_inspecting_rows_in_blocks_or_one_by_one_gives_the_same_result(
    rows: list[bytes], block_size: int
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(row_scan, "_RECORDS_PER_LOT", block_size)
        in_blocks = scan_bytes(Path(folder), HEADER + b"".join(rows))
        patched.setattr(row_scan.RowScanner, "_are_regular", lambda *_: False)
        assert scan_bytes(Path(folder), HEADER + b"".join(rows)) == in_blocks


def test_a_sample_of_another_product_is_accepted_as_it_is(tmp_path: Path) -> None:
    result = scan(VENDOR_SAMPLE)
    assert result.header
    assert result.refusal is None
    assert result.rows == 86
    assert set(codes(result)) == {"unknown_column"}
    assert result.header.ignored == (
        "State ID",
        "Secondary Email",
        "Student Number",
        "Middle Name",
        "Graduation Year",
    )
    validator = RowValidator(result.header, date(2026, 9, 1))
    batches = read_records(VENDOR_SAMPLE, encoding="utf-8", header=result.header)
    rows = [validator.validate(row) for batch in batches for row in batch.rows(result.header)]
    assert {problem.code for row in rows for problem in row.problems} == {"unusual_age"}
    assert rows[0].values == {
        "STUDENT_ID": "23001",
        "SCHOOL_ID": "20001",
        "FIRST_NAME": "Quinn",
        "LAST_NAME": "Hazelton",
        "USERNAME": "qhazelton",
        "PASSWORD": "s@mple1",
        "GRADE": "12",
        "STATUS": "active",
        "DOB": "2000-06-05",
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b",STUDENT_ID\n0,00101\n1,00102\n", [("nameless_column", 2, True)]),
        (b'"",STUDENT_ID\n"1","00101"\n"2","00102"\n', [("nameless_column", 2, True)]),
        (b",STUDENT_ID\n7,00101\n8,00102\n", [("nameless_column", 2, False)]),
        (b"STUDENT_ID,,\n00101,,\n00102,,x\n", [("nameless_column", 3, False)]),
        (b"STUDENT_ID,,\n00101,,\n00102, ,\n", [("nameless_ignored", 1, False)]),
    ],
)
def test_columns_without_a_name_are_ignored_with_one_warning(
    tmp_path: Path, content: bytes, expected: list[tuple[str, int, bool]]
) -> None:
    result = scan_bytes(tmp_path, content)
    found = [
        (problem.code, problem.line, "row numbers" in problem.hint) for problem in result.problems
    ]
    assert found == expected
    assert (result.refusal, result.rows) == (None, 2)


def test_after_a_value_without_a_name_wrong_cell_counts_are_still_found(tmp_path: Path) -> None:
    rows = b"".join(b"%d,0010%d\n" % (number, number) for number in range(4)) + b"4\n" * 4
    result = scan_bytes(tmp_path, b",STUDENT_ID\n" + rows)
    assert codes(result) == ["nameless_column", "structure"]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (b"1,4/2/2000,2000-04-02\n2,5/1/2001,05/01/2001\n", None),
        (b"1,4/2/2000,\n2,,\n3,,\n", None),
        (b"1,4/2/2000,\n2,,5/1/2001\n", 3),
        (b'1,4/2/2000,"2000-04-02"\n2,5/1/2001,5/2/2001\n3,1/1/2001,1/2/2001\n', 3),
        (b'\n\n1,4/2/2000,2000-04-02\n2\n"3",x,y\n', 6),
    ],
)
def test_two_aliases_of_a_column_must_have_the_same_values(
    tmp_path: Path, rows: bytes, line: int | None
) -> None:
    result = scan_bytes(tmp_path, b"STUDENT_ID,Birthdate,Date of Birth\n" + rows)
    competing = [problem for problem in result.problems if problem.code == "competing_columns"]
    assert [problem.line for problem in competing] == ([line] if line else [])
    if line:
        assert 'columns "Birthdate and Date of Birth" have' in competing[0].message
        assert "rename the right one to DOB" in competing[0].message


@pytest.mark.parametrize(
    "content",
    [
        b"[STUDENT_ID],[GRADE]\n00101,5\n",
        b"[Student Id]\n00101\n",
        b"\xef\xbb\xbf[STUDENT_ID],[GRADE]\r\n00101,5\r\n",
        b"<STUDENT_ID>,<GRADE>\n00101,5\n",
        b"{STUDENT_ID},{GRADE}\n00101,5\n",
        b"(STUDENT_ID),(GRADE)\n00101,5\n",
        b'"[STUDENT_ID]","[GRADE]"\n00101,5\n',
        b"STUDENT_ID,[GRADE]\n00101,5\n",
    ],
)
def test_column_names_in_brackets_are_not_another_file_type(tmp_path: Path, content: bytes) -> None:
    assert codes(scan_bytes(tmp_path, content)) == ["folded_header"]


@pytest.mark.parametrize(
    "content",
    [
        b'[{"STUDENT_ID": "1"}]',
        b"[[1, 2]]",
        b"[true, false]",
        b"[null]",
        b'{"STUDENT_ID": 1}',
        b"<STUDENTS><STUDENT>1,2</STUDENT></STUDENTS>",
        b"<students>\n<student/>\n</students>",
    ],
)
def test_xml_and_json_are_still_recognized(tmp_path: Path, content: bytes) -> None:
    assert codes(scan_bytes(tmp_path, content)) == ["data_not_csv"]


def test_a_file_in_valid_utf8_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(encodings, "first_bad_byte")
    result = scan_bytes(tmp_path, HEADER + "1,Zoë,B\n".encode() * 100_000)
    assert (result.rows, result.problems) == (100_000, ())


@pytest.mark.parametrize("size", [1, 7, 50, 1 << 17])
@pytest.mark.parametrize(
    "end",
    [
        b"1,\xff,B\n",
        b"1,A,\xc3\n",
        b"1,A,\xc3",
        b"1,\xc3\xab,B\xc3",
        b"1,A,\xed\xa0\x80",
        b"1,\xc3,\xab\n",
    ],
)
@pytest.mark.parametrize("start", [b"", "1,Zoë,B\n".encode() * 20, b"1,A,B\n" * 20])
def test_an_invalid_byte_is_found_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: bytes, end: bytes, size: int
) -> None:
    monkeypatch.setattr(encodings, "CHUNK", size)
    content = HEADER + start + end
    with pytest.raises(UnicodeDecodeError):
        content.decode()
    in_one_pass = scan_bytes(tmp_path, content)
    monkeypatch.setattr(reading_scan, "_scan_valid_utf8", lambda source, scan_text: None)
    assert scan_bytes(tmp_path, content) == in_one_pass


def test_an_invalid_byte_is_also_found_after_the_scan_has_ended(tmp_path: Path) -> None:
    content = HEADER + b"1,A,B\n" * 60_000 + b"1,\xff,B\n"
    result = scan_bytes(tmp_path, content, Limits(rows=3))
    assert [problem.code for problem in result.problems] == ["not_utf8", "too_many_rows"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("setting", ["utf-8", "cp1252"])
@pytest.mark.parametrize("end", ["Zoë", "Zo€", "花子", "𝐀", '"Zoë'])
def test_a_file_that_ends_within_a_character_is_cut_off(
    tmp_path: Path, encoding: str, setting: str, end: str
) -> None:
    file = tmp_path / "students.csv"
    text = f"{HEADER.decode()}1,José,B\n2,B,{end}"
    sent, complete = text.encode(encoding), text[:-1].encode(encoding)
    for size in range(len(complete) + 1, len(sent)):
        file.write_bytes(sent[:size])
        for refusal in (scan(file, encoding=setting).refusal, _converted(file, setting).refusal):
            assert refusal
            assert (refusal.code, refusal.line) == ("cut_off", 3)
    file.write_bytes(sent)
    refusal = scan(file, encoding=setting).refusal
    assert refusal is None or refusal.code == "unclosed_quote"


def _converted(file: Path, encoding: str) -> FileScan:
    """Return the scan of the file after its commas became semicolons."""
    file.write_bytes(file.read_bytes().replace(b",", b";"))
    converted = bytearray()
    conversion = convert(file, encoding=encoding, limits=Limits(), write=converted.extend)
    if conversion.is_converted:
        file.write_bytes(converted)
    return conversion.add_to(scan(file, encoding=encoding))


def test_a_file_is_cut_off_although_other_rows_are_damaged(tmp_path: Path) -> None:
    rows = "1,Zoë,B\n".encode() * 3 + b"2,Zo\xeb,B\n"
    assert codes(scan_bytes(tmp_path, HEADER + rows)) == []
    [problem] = scan_bytes(tmp_path, HEADER + rows + b"3,Zo\xc3").problems
    assert (problem.code, problem.line) == ("cut_off", 6)


def test_one_byte_at_the_end_may_also_be_text_in_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "students.csv"
    file.write_bytes(HEADER + b"1,A,Jos\xe9")
    [problem] = scan(file).problems
    assert problem.code == "cut_off"
    assert problem.hint.endswith("if nothing is missing at its end, save it as CSV UTF-8")
    assert scan(file, encoding="cp1252").problems == ()
    file.write_bytes(HEADER + b"1,A,Jos\xe9\n")
    assert codes(scan(file)) == ["not_utf8"]


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("ORA-03113: end-of-file on communication channel", "ORA-03113"),
        ("<br />\n<b>Fatal error</b>:  Allowed memory size exhausted\n", "<b>Fatal error</b>"),
        ("PHP Fatal error:  Maximum execution time of 30 seconds exceeded", "PHP Fatal"),
        ('Traceback (most recent call last):\n  File "x.py", line 3\nKeyError: 7\n', "Traceback"),
        ('  File "x.py", line 3, in <module>\nKeyError: 7', "KeyError"),
        ("Msg 1205, Level 13, State 51, Server X, Line 1\n", "Msg 1205"),
        ("ERROR 2013 (HY000): Lost connection to MySQL server during query", "ERROR 2013"),
        ("ERROR:  canceling statement due to statement timeout\n\n", "ERROR:  canceling"),
        ("System.Data.SqlClient.SqlException (0x80131904): Timeout expired.", "System.Data"),
        ('Exception in thread "main" java.lang.OutOfMemoryError', "Exception in thread"),
        ("curl: (18) transfer closed with 1000 bytes remaining to read", "curl: (18)"),
    ],
)
@pytest.mark.parametrize("rows", [3, 300])
def test_a_file_that_ends_with_an_error_message_is_cut_off(
    tmp_path: Path, message: str, found: str, rows: int
) -> None:
    text = HEADER + b"1,A,B\n" * rows
    refusal = scan_bytes(tmp_path, text + message.encode()).refusal
    assert refusal
    assert refusal.code == "cut_off"
    assert refusal.found.startswith(found)
    assert refusal.line == 2 + rows + message[: message.index(found)].count("\n")


@pytest.mark.parametrize(
    "row", [b"Error: none,A,B", b"1,A,B\n\n", b"Erroll,A", b"1,ORA-03113:", b"4 rows", b"Error"]
)
def test_other_rows_at_the_end_are_no_error_messages(tmp_path: Path, row: bytes) -> None:
    result = scan_bytes(tmp_path, HEADER + b"1,A,B\n" * 9 + row)
    assert "cut_off" not in codes(result)


def test_an_error_message_above_students_cuts_nothing_off(tmp_path: Path) -> None:
    rows = b"1,A,B\n" * 9
    assert codes(scan_bytes(tmp_path, HEADER + rows + b"Error: slow\n" + rows + b"\n")) == []
