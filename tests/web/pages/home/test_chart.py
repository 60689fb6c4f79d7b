"""The chart of the last days: each outcome to its own scale, and no count invisible."""

from datetime import date, timedelta

from rollbook.updates.reporting.history import DailySummary
from rollbook.updates.reporting.state_words import NO_FILE
from rollbook.web.pages.home.chart import BAR_SHARE, HEIGHT, MIN_BAR_HEIGHT, SIGNS, chart

FIRST = date(2026, 10, 25)


def summary(
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


def day_with_state(day: int, worst: str) -> DailySummary:
    return DailySummary(FIRST + timedelta(day), (1,), 0, 0, 0, 0, worst)


def test_the_highest_bar_of_each_panel_has_the_full_height() -> None:
    result = chart(
        [
            summary(0, changed=50, unchanged=99_950, rejected=2),
            summary(1, changed=25, unchanged=99_975),
        ]
    )
    tallest = {panel.kind: max(bar.height for bar in panel.bars) for panel in result.panels}
    assert tallest == {"updated": HEIGHT, "rejected": HEIGHT, "unchanged": HEIGHT}
    assert [panel.maximum for panel in result.panels] == [50, 2, 99_975]
    assert result.panels[0].bars[1].height == HEIGHT / 2


def test_a_small_count_has_a_visible_bar_and_zero_has_none() -> None:
    result = chart([summary(0, changed=1_000_000), summary(1, changed=1), summary(2)])
    assert [bar.height for bar in result.panels[0].bars] == [HEIGHT, MIN_BAR_HEIGHT]


def test_bars_start_at_the_base_line_and_stay_within_their_day() -> None:
    result = chart([summary(day, changed=day, unchanged=7, rejected=3) for day in range(30)])
    for panel in result.panels:
        assert {bar.y + bar.height for bar in panel.bars} == {panel.base}
    places = [float(bar.x.rstrip("%")) for bar in result.panels[1].bars]
    assert all(
        day <= place * 30 / 100 and place * 30 / 100 + BAR_SHARE <= day + 1
        for day, place in enumerate(places)
    )
    assert result.bar == "2.33%"
    assert result.panels[-1].base < result.days_y < result.height


def test_a_day_without_a_file_is_explained() -> None:
    assert chart([summary(0, numbers=()), summary(1)]).legend == (SIGNS[NO_FILE.word],)
    assert chart([summary(0), summary(1)]).legend == ()


def test_a_few_days_leave_room_for_those_to_come() -> None:
    result = chart([summary(0, changed=1), summary(1, changed=1)], 30)
    assert [bar.x for bar in result.panels[0].bars] == ["0.50%", "3.83%"]
    assert result.bar == "2.33%"


def test_signs_of_failures_are_explained_only_if_there_are_any() -> None:
    result = chart(
        [
            day_with_state(0, "failed"),
            day_with_state(1, "refused"),
            day_with_state(2, "canceled"),
            day_with_state(3, "completed"),
            day_with_state(4, "held"),
            day_with_state(5, "discarded"),
            day_with_state(6, "checked"),
        ]
    )
    assert [sign for sign, _ in result.legend] == ["!", "✕", "✕", "■", "■", "?"]
    assert len(result.legend) == 6
    assert ("!", "the update is held until somebody decides") in result.legend
    assert (
        chart(
            [
                day_with_state(0, "completed"),
                day_with_state(1, "completed with errors"),
                day_with_state(2, "running"),
            ]
        ).legend
        == ()
    )


def test_today_and_the_same_weekday_before_are_labeled() -> None:
    days = chart([summary(day) for day in range(30)]).days
    assert [day.text for day in days] == ["Nov 2", "Nov 9", "Nov 16", "Nov 23"]
    assert days[-1].x == "100.00%"
