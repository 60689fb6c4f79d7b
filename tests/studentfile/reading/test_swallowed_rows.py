"""Quotes that were not closed are told from values with several lines."""

import pytest

from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.quotes import has_unclosed_quote
from rollbook.studentfile.reading.record_splitter import parse_record, split_records


def is_unclosed(header: str, text: str) -> bool:
    """Whether the first record of the text contains other rows."""
    records, rest = split_records(text.encode(), final=True)
    record = (records or [rest])[0]
    return has_unclosed_quote(record, parse_record(record), Header.parse(header.split(","))[0])


@pytest.mark.parametrize(
    ("header", "record"),
    [
        ("STUDENT_ID,GRADE,NOTE", '00101,5,"a\nb\nc\nd\ne\nf\ng"\n'),
        ("STUDENT_ID,GRADE,NOTE", '00101,5,"on 5/6, he left\n7, maybe 8, came"\n'),
        ("STUDENT_ID,NOTE", '00101,"7, maybe\n8, or 9"\n'),
        ("NOTE,STUDENT_ID,GRADE", '"a\nb",00101,5\n'),
        ("NOTE,STUDENT_ID,GRADE", '"a\nb\nc\n",00101,5\n'),
        ("NOTE,STUDENT_ID,GRADE", '"1 Main St\nSpringfield, IL 62701",00101,5\n'),
        ("GRADE,NOTE,STUDENT_ID", '5,"a\nb",00101\n'),
        ("STUDENT_ID,NOTE,NOTE2", '00101,"a\nb","c\nd"\n'),
        ("FIRST_NAME,LAST_NAME,DOB,NOTE", 'Ana,Brook,05/13/2014,"a\nb, c\nd, e, f, g"\n'),
        ("FIRST_NAME,NOTE,LAST_NAME,DOB", 'Ana,"a\nb",Brook,05/13/2014\n'),
        ("USERNAME,NOTE", 'ana,"please call,\nor write, or come"\n'),
        ("STUDENT_ID,GRADE,NOTE", '00101,5,"a ""b"" c\r\n\r\nd"\r\n'),
        ("STUDENT_ID,GRADE,NOTE", '00101,"5"x,y\n'),
        ("STUDENT_ID,GRADE,NOTE", '00101,"a\nb","5"x\n'),
    ],
)
def test_a_value_with_several_lines_is_fine(header: str, record: str) -> None:
    assert not is_unclosed(header, record)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("STUDENT_ID,GRADE,NOTE", '00101,5,"a\n00102,6,b\n00103,7,c"\n'),
        ("STUDENT_ID,GRADE,NOTE", '00101,"5,a\n00102,6",b\n'),
        ("STUDENT_ID,NOTE", '9,"a\n10,b"\n'),
        ("STUDENT_ID,NOTE", '00101,"a\n00102,"b"\n'),
        ("NOTE,STUDENT_ID", '"a,00101\n"b",00102\n'),
        ("NOTE,STUDENT_ID,GRADE", '"a,00101,5\nb",00102,6\n'),
        ("NOTE,STUDENT_ID,GRADE", '"a,00101,5\nb,00102,6\nc",00103,6\n'),
        ("FIRST_NAME,LAST_NAME,DOB,NOTE", 'A,B,05/13/2014,"x\nC,D,11/02/2013,y"\n'),
        ("USERNAME,NOTE", 'ana,"a\nben,b"\n'),
        ("STUDENT_ID,GRADE,NOTE", '"00101","5","a\n"00102","6","b"\n'),
        ("STUDENT_ID,GRADE,NOTE", '00101,"5\n1\n2\n3\n4\n5"\n'),
        ("STUDENT_ID,GRADE,NOTE", '00101,"5\n1"x\n'),
    ],
)
def test_a_cell_that_contains_rows_is_not_closed(header: str, text: str) -> None:
    assert is_unclosed(header, text)
