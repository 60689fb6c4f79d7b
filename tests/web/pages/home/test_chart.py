"""The picture of the last nights: each outcome to its own scale, nothing that is something invisible."""

from datetime import date, timedelta

from rollbook.updates.reporting.history import DailySummary
from rollbook.web.pages.home.chart import BAR, HEIGHT, LEAST, chart

FIRST = date(2026, 10, 25)


def night(
    day: int,
    changed: int = 0,
    unchanged: int = 0,
    rejected: int = 0,
    numbers: tuple[int, ...] = (1,),
) -> DailySummary:
    return DailySummary(
        FIRST + timedelta(day),
        numbers,
        changed,
        unchanged,
        rejected,
        0,
        "completed" if numbers else "none",
    )


def marked(day: int, worst: str) -> DailySummary:
    return DailySummary(FIRST + timedelta(day), (1,), 0, 0, 0, 0, worst)


def test_the_highest_bar_of_each_panel_fills_it_whatever_the_others_are() -> None:
    drawn = chart(
        [night(0, changed=50, unchanged=99_950, rejected=2), night(1, changed=25, unchanged=99_975)]
    )
    tallest = {panel.kind: max(bar.height for bar in panel.bars) for panel in drawn.panels}
    assert tallest == {"updated": HEIGHT, "rejected": HEIGHT, "unchanged": HEIGHT}
    assert [panel.most for panel in drawn.panels] == [50, 2, 99_975]
    assert drawn.panels[0].bars[1].height == HEIGHT / 2


def test_little_is_still_seen_and_nothing_is_nothing() -> None:
    drawn = chart([night(0, changed=1_000_000), night(1, changed=1), night(2)])
    assert [bar.height for bar in drawn.panels[0].bars] == [HEIGHT, LEAST]


def test_bars_stand_on_their_line_and_within_their_day() -> None:
    drawn = chart([night(day, changed=day, unchanged=7, rejected=3) for day in range(30)])
    for panel in drawn.panels:
        assert {bar.y + bar.height for bar in panel.bars} == {panel.base}
    places = [float(bar.x.rstrip("%")) for bar in drawn.panels[1].bars]
    assert all(
        day <= place * 30 / 100 and place * 30 / 100 + BAR <= day + 1
        for day, place in enumerate(places)
    )
    assert drawn.bar == "2.33%"
    assert drawn.panels[-1].base < drawn.signs_y < drawn.days_y < drawn.height


def test_a_day_without_a_file_is_marked_and_one_whose_file_changed_nothing_is_not() -> None:
    drawn = chart([night(0, numbers=()), night(1)])
    assert [(sign.x, sign.text) for sign in drawn.signs] == [("25.00%", "·")]
    assert drawn.legend == (("·", "no file came"),)


def test_what_went_wrong_is_marked_and_explained_only_where_it_did() -> None:
    drawn = chart(
        [marked(0, "failed"), marked(1, "refused"), marked(2, "canceled"), marked(3, "completed")]
    )
    assert [sign.text for sign in drawn.signs] == ["✕", "✕", "■"]
    assert len(drawn.legend) == 3
    assert (
        chart(
            [marked(0, "completed"), marked(1, "completed with errors"), marked(2, "running")]
        ).legend
        == ()
    )


def test_today_is_named_and_the_same_day_of_the_weeks_before() -> None:
    days = chart([night(day) for day in range(30)]).days
    assert [day.text for day in days] == ["Nov 2", "Nov 9", "Nov 16", "Nov 23"]
    assert days[-1].x == "100.00%"
