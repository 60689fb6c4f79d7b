"""Rules for dates of birth: what has one meaning is accepted, everything else is rejected."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.rules import DateOrder, FileRules
from rollbook.studentfile.values.birth_dates import birth_date, proven_order, rule_for, to_us_format
from rollbook.studentfile.values.text_checks import InvalidValue, ValueWithWarning

MONTH_FIRST, DAY_FIRST, MIXED = DateOrder.MONTH_FIRST, DateOrder.DAY_FIRST, DateOrder.MIXED


def code(text: str, order: DateOrder = MONTH_FIRST) -> str:
    """Return the code for which a text is rejected."""
    result = birth_date(text, FileRules(order))
    assert isinstance(result, InvalidValue), result
    return result.code


@pytest.mark.parametrize(
    "text",
    [
        "05/14/2014",
        "5/14/2014",
        "05-14-2014",
        "5.14.2014",
        "2014-05-14",
        "2014-5-14",
        "2014/05/14",
        "2014/5/14",
        "2014.05.14",
        "20140514",
        "14-May-2014",
        "14-MAY-2014",
        "14 May 2014",
        "14/May/2014",
        "14.May.2014",
        "14MAY2014",
        "14th May 2014",
        "14 May, 2014",
        "May 14, 2014",
        "May 14 2014",
        "May 14,2014",
        "MAY-14-2014",
        "may 14th, 2014",
        "2014-May-14",
        "2014 May 14",
        "Wednesday, May 14, 2014",
        "Wed May 14 2014",
        "Wed, 14 May 2014",
    ],
)
@pytest.mark.parametrize("order", DateOrder)
def test_a_date_with_one_meaning_is_accepted(text: str, order: DateOrder) -> None:
    is_numeric = text[0] != "2" and text.replace(text[-5], "").isdigit()
    if is_numeric and order is DAY_FIRST:
        assert code(text, order) == "bad_date"
    else:
        assert birth_date(text, FileRules(order)) == "2014-05-14"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("05-Mar-2012", "2012-03-05"),
        ("5-Mar-2012", "2012-03-05"),
        ("5-March-2012", "2012-03-05"),
        ("Sep 10, 2011", "2011-09-10"),
        ("Sep. 10, 2011", "2011-09-10"),
        ("Sept 10, 2011", "2011-09-10"),
        ("Sept. 10 2011", "2011-09-10"),
        ("September 10 2011", "2011-09-10"),
        ("10 Sep 2011", "2011-09-10"),
        ("Mar  5 2012", "2012-03-05"),
        ("1st June 2012", "2012-06-01"),
        ("2nd of June 2012", None),
        ("29-Feb-2012", "2012-02-29"),
        ("29-Feb-2013", None),
        ("05-Mai-2012", None),
        ("Thu May 14 2014", None),
        ("Sep 102011", None),
        ("20141405", None),
        ("05142014", None),
        ("2014-05", None),
        ("May 2014", None),
        ("2014", None),
        ("5/13-2014", None),
        ("5/14/201", None),
        ("2014-14-05", None),
        ("1400025600", None),
        ("\u0662\u0660\u0661\u0664-05-14", None),
    ],
)
def test_names_of_months_and_incomplete_dates(text: str, canonical: str | None) -> None:
    if canonical:
        assert birth_date(text) == canonical
    else:
        assert code(text) == "bad_date"


@pytest.mark.parametrize(
    "text",
    [
        "2014-05-14T00:00:00",
        "2014-05-14T00:00:00.000",
        "2014-05-14T00:00:00.000000000",
        "2014-05-14T00:00:00Z",
        "2014-05-14T00:00:00.000Z",
        "2014-05-14T00:00:00+00:00",
        "2014-05-14T00:00:00.000-05:00",
        "2014-05-14t00:00:00z",
        "2014-05-14T00:00",
        "2014-05-14 00:00:00",
        "2014-05-14 00:00:00.0000000",
        "2014-05-14 00:00:00 UTC",
        "2014-05-14 00:00:00,000",
        "5/14/2014 0:00",
        "5/14/2014 12:00:00 AM",
        "5/14/2014 12:00 am",
        "5/14/2014 12:00:00 a.m.",
        "5/14/2014, 12:00:00\u202fAM",
        "May 14 2014 12:00AM",
        "14-May-2014 00:00:00",
        "20140514 00:00:00",
        "Wed, 14 May 2014 00:00:00 GMT",
    ],
)
def test_midnight_after_the_date_is_dropped_with_a_warning(text: str) -> None:
    assert birth_date(text) == ValueWithWarning("2014-05-14", "time_dropped")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2014-05-14T05:00:00Z", "time_of_day"),
        ("2014-05-14T19:00:00.000-05:00", "time_of_day"),
        ("2014-05-14 00:00:00.001", "time_of_day"),
        ("2014-05-14 00:00:01", "time_of_day"),
        ("2014-05-14 00:01", "time_of_day"),
        ("5/14/2014 12:00", "time_of_day"),
        ("5/14/2014 12:00:00 PM", "time_of_day"),
        ("5/14/2014 1:00 AM", "time_of_day"),
        ("14-May-2014 08:30", "time_of_day"),
        ("5/14/2014 24:00", "bad_date"),
        ("5/14/2014 13:00 AM", "bad_date"),
        ("5/14/2014 0:60", "bad_date"),
        ("5/14/2014 late", "bad_date"),
        ("2/30/2014 0:00", "bad_date"),
    ],
)
def test_any_other_time_is_rejected(text: str, expected: str) -> None:
    assert code(text) == expected


@pytest.mark.parametrize(
    "text",
    ["5/14/14", "05-14-14", "14.5.14", "05-Mar-12", "5 Mar 12", "Mar 5, 12", "5/14/14 0:00"],
)
@pytest.mark.parametrize("order", DateOrder)
def test_a_year_with_two_digits_is_ambiguous(text: str, order: DateOrder) -> None:
    assert code(text, order) == "ambiguous_year"


@pytest.mark.parametrize(
    "text",
    [
        "1900-01-01",
        "1/1/1900",
        "01.01.1900",
        "19000101",
        "1-Jan-1900",
        "Jan 1 1900 12:00AM",
        "1899-12-30",
        "12/30/1899",
        "12/31/1899 0:00",
        "0001-01-01",
        "0001-01-01T00:00:00",
        "1/1/0001 12:00:00 AM",
        "1753-01-01",
        "1601-01-01",
        "9999-12-31",
        "12/31/9999",
        "9999-12-31 23:59:59.9999999",
        "0000-00-00",
        "0000-00-00 00:00:00",
        "00/00/0000",
    ],
)
def test_a_null_date_of_a_database_is_rejected_as_such(text: str) -> None:
    assert code(text) == "null_date"
    assert code(text, MIXED) == "null_date"


def test_null_dates_follow_the_order_of_the_file() -> None:
    assert code("31/12/9999", DAY_FIRST) == "null_date"
    assert code("30/12/1899", MIXED) == "null_date"


def test_the_epoch_is_a_null_date_only_if_it_fills_the_column() -> None:
    for text in ("1970-01-01", "1/1/1970", "12/31/1969", "Jan 1, 1970"):
        assert isinstance(birth_date(text), str)
        assert birth_date(text, FileRules(epoch_is_null=True)) == InvalidValue("null_date")
    assert birth_date("01/02/1970", FileRules(epoch_is_null=True)) == "1970-01-02"


@pytest.mark.parametrize(
    ("text", "month_first", "day_first", "mixed"),
    [
        ("05/06/2013", "2013-05-06", "2013-06-05", "ambiguous_date"),
        ("5-6-2013", "2013-05-06", "2013-06-05", "ambiguous_date"),
        ("05.06.2013 0:00", "2013-05-06", "2013-06-05", "ambiguous_date"),
        ("05/05/2013", "2013-05-05", "2013-05-05", "2013-05-05"),
        ("05/13/2013", "2013-05-13", "bad_date", "2013-05-13"),
        ("13/05/2013", "bad_date", "2013-05-13", "2013-05-13"),
        ("13.05.2013", "bad_date", "2013-05-13", "2013-05-13"),
        ("13/13/2013", "bad_date", "bad_date", "bad_date"),
        ("31/02/2013", "bad_date", "bad_date", "bad_date"),
        ("2/29/2013", "bad_date", "bad_date", "bad_date"),
        ("0/5/2013", "bad_date", "bad_date", "bad_date"),
        ("2013-06-05", "2013-06-05", "2013-06-05", "2013-06-05"),
        ("20130605", "2013-06-05", "2013-06-05", "2013-06-05"),
        ("5 Jun 2013", "2013-06-05", "2013-06-05", "2013-06-05"),
    ],
)
def test_the_order_of_the_file_decides(
    text: str, month_first: str, day_first: str, mixed: str
) -> None:
    expected = {MONTH_FIRST: month_first, DAY_FIRST: day_first, MIXED: mixed}
    for order, value in expected.items():
        result = rule_for(FileRules(order))(text)
        found = getattr(result, "code" if isinstance(result, InvalidValue) else "value", result)
        assert found == value, order


def test_the_hint_names_the_form_that_the_file_needs() -> None:
    assert birth_date("13/05/2014") == InvalidValue(
        "bad_date", "the month comes first: use mm/dd/yyyy"
    )
    assert birth_date("05/13/2014", FileRules(DAY_FIRST)) == InvalidValue(
        "bad_date", "the day comes first: use dd/mm/yyyy"
    )
    assert birth_date("yesterday", FileRules(DAY_FIRST)) == InvalidValue(
        "bad_date", "the day comes first: use dd/mm/yyyy"
    )


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("13/05/2014", DAY_FIRST),
        ("31.12.2014", DAY_FIRST),
        ("13-5-2014 00:00", DAY_FIRST),
        ("05/13/2014", MONTH_FIRST),
        ("5-31-2014 9:15", MONTH_FIRST),
        ("05/06/2014", None),
        ("13/13/2014", None),
        ("31/02/2015", None),
        ("02/30/2015", None),
        ("13/05/14", None),
        ("2014-05-13", None),
        ("20140513", None),
        ("13 May 2014", None),
        ("13/05/2014 late", None),
        ("32/05/2014", None),
        ("13/0/2014", None),
        ("13/05/0000", None),
        ("", None),
        ("1" * 100, None),
    ],
)
def test_only_a_real_date_proves_an_order(text: str, order: DateOrder | None) -> None:
    assert proven_order(text) is order


_DATES = st.dates(date(1901, 1, 1), date(2500, 1, 1))


@given(_DATES)
def test_what_exports_write_is_read_as_the_same_date(born: date) -> None:
    assert birth_date(to_us_format(born.isoformat())) == born.isoformat()


@given(_DATES, st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d-%b-%Y", "%A, %B %d, %Y"]))
def test_forms_without_an_order_mean_the_same_in_every_file(born: date, form: str) -> None:
    for order in DateOrder:
        assert birth_date(born.strftime(form), FileRules(order)) == born.isoformat()


@given(st.text(alphabet="0123456789/.-: TZapmMayMarch,", max_size=90))
def test_a_mixed_file_never_gets_a_date_that_could_be_another(text: str) -> None:
    mixed = birth_date(text, FileRules(MIXED))
    if isinstance(mixed, str):
        results = {str(birth_date(text, FileRules(order))) for order in (MONTH_FIRST, DAY_FIRST)}
        assert mixed in results
        assert len({result for result in results if result[:4].isdigit()}) == 1


@pytest.mark.parametrize("text", ["1/1/1900" + " " * 100_000 + "x", "May" * 40_000, " ," * 50_000])
def test_long_texts_are_not_searched(text: str) -> None:
    started = time.process_time()
    birth_date(text)
    assert time.process_time() - started < 1
