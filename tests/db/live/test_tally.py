"""Each figure is what counting the rows one by one gives, and as long as the list that its click opens."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from db.cases.queries import CLOSINGS, SOURCE_CODES, STATE_CODES
from db.live.delta import Delta
from db.live.filters import Filter, Scope
from db.live.lens import Lens
from db.live.store import Store
from db.live.tally import SOON_MS, Breakdown, Figures, hour_span, split, tally
from tests.db.live.rows import (
    DAY,
    DIRECTORY,
    HOUR,
    NOON,
    ZONE,
    Model,
    Row,
    any_delta,
    case_row,
    delta_of,
    is_open,
    runs,
)
from tests.db.live.test_filters import filters
from tests.db.live.test_lens import a_lens, light_of, passes


def figures_of(*rows: Row, chosen: Filter | None = None) -> Figures:
    lens = a_lens(*rows, chosen=chosen)
    return tally(lens.store, lens.match)


def counted(breakdown: Breakdown) -> dict[int, list[int]]:
    return dict(zip(breakdown.ids.tolist(), breakdown.lights.tolist(), strict=True))


def by(rows: list[Row], name: str) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row[name], [0, 0, 0, 0])[light_of(row, NOON)] += 1
    return found


@given(any_delta(), filters)
def test_the_figures_are_what_counting_one_by_one_gives(delta: Delta, chosen: Filter) -> None:
    store, model = Store(ZONE, NOON), Model()
    store.directory = DIRECTORY
    store.apply(delta)
    model.apply(delta)
    found = tally(store, Lens(store, chosen).match)

    def seen(*left_out: str) -> list[Row]:
        part_less = chosen
        for part in left_out:
            part_less = part_less.without(part)
        return [row for row in model.rows.values() if passes(part_less, row, NOON)]

    def of_open(*left_out: str) -> list[Row]:
        return [row for row in seen(*left_out) if is_open(row)]

    def closed_today(*left_out: str) -> list[Row]:
        return [r for r in seen(*left_out) if r["state"] in CLOSINGS and r["closed_at"] >= DAY]

    assert found.open == len(of_open())
    assert list(found.lights) == [sum(light_of(r, NOON) == i for r in of_open()) for i in range(4)]
    assert found.overdue == found.lights[2]
    assert found.due_within_2h == sum(runs(r) and 0 <= r["due_at"] - NOON < 2 * HOUR for r in of_open())
    assert found.no_position == sum(r["lon"] != r["lon"] for r in of_open("no_position"))
    assert found.arrived_today == sum(r["reported_at"] >= DAY for r in seen())
    assert found.closed_today == len(closed_today())
    late = sum(bool(r["due_at"]) and r["stopped_at"] > r["due_at"] for r in closed_today())
    assert found.closed_late == late
    assert found.closed_on_time == sum(bool(r["due_at"]) for r in closed_today()) - late
    assert found.reworked_today == sum(r["reworks"] > 0 for r in closed_today())
    for hour in range(24):
        arrived = [r for r in seen("arrived") if (r["reported_at"] - DAY) // HOUR == hour]
        assert found.arrivals_by_hour[hour] == len(arrived)
        ended = [r for r in closed_today("closed") if (r["closed_at"] - DAY) // HOUR == hour]
        assert found.closings_by_hour[hour] == len(ended)
    assert counted(found.by_district) == by(of_open("districts"), "district_id")
    assert counted(found.by_community) == by(of_open("communities"), "community_id")
    assert counted(found.by_unit) == by(of_open("units"), "unit_id")
    assert counted(found.by_category) == by(of_open("categories", "majors"), "category_id")
    for index, line in enumerate(found.slack.lights.tolist()):
        low, high = found.slack.span(index)
        inside = [
            r
            for r in of_open("slack")
            if runs(r)
            and (low is None or r["due_at"] - NOON >= low)
            and (high is None or r["due_at"] - NOON < high)
        ]
        assert line == [sum(light_of(r, NOON) == i for r in inside) for i in range(4)]
    assert found.by_state == {s: sum(r["state"] == s for r in seen("states")) for s in STATE_CODES}
    assert found.by_source == {s: sum(r["source"] == s for r in of_open("sources")) for s in SOURCE_CODES}
    assert sum(found.by_major.values()) == len(of_open("majors", "categories"))


@given(any_delta(), filters)
def test_a_click_on_a_figure_opens_as_many_cases_as_it_says(delta: Delta, chosen: Filter) -> None:
    lens = a_lens(chosen=replace(chosen, scope=Scope.OPEN))
    store = lens.store
    lens.update(store.apply(delta))
    found = tally(store, lens.match)

    def count(**parts: object) -> int:
        return Lens(store, replace(lens.filter, **parts)).count

    assert found.open == count()
    assert found.closed_today == count(scope=Scope.TODAY_CLOSED)
    if not chosen.lights:
        assert found.overdue == count(lights=frozenset({2}))
    if chosen.slack is None:
        assert found.due_within_2h == count(slack=(0, SOON_MS))
    for index, line in enumerate(found.slack.lights.tolist()):
        assert sum(line) == count(slack=found.slack.span(index))
    for breakdown, part in (
        (found.by_district, "districts"),
        (found.by_community, "communities"),
        (found.by_unit, "units"),
    ):
        for database_id, total in zip(breakdown.ids.tolist(), breakdown.totals.tolist(), strict=True):
            assert total == count(**{part: frozenset({database_id})})
            assert sum(breakdown.of(database_id)) == total
    for key, total in found.by_major.items():
        if key:
            assert total == count(majors=frozenset({key}), categories=frozenset())
    for hour in (0, 9, 23):
        span = hour_span(found, hour)
        assert found.arrivals_by_hour[hour] == count(arrived=span, scope=Scope.ALL)
        assert found.closings_by_hour[hour] == count(closed=span, scope=Scope.TODAY_CLOSED)


def test_the_strict_rate_counts_what_is_overdue_and_still_open() -> None:
    closed = {"state": "closed", "closed_at": NOON, "due_at": NOON - HOUR}
    found = figures_of(
        case_row(1, **closed, stopped_at=NOON - 2 * HOUR),
        case_row(2, **closed, stopped_at=NOON - HOUR),
        case_row(3, **closed, stopped_at=NOON, reworks=1),
        case_row(4, due_at=NOON - HOUR),
        case_row(5, state="rejected", closed_at=NOON),
    )
    assert (found.closed_today, found.closed_on_time, found.closed_late) == (3, 2, 1)
    assert found.on_time_rate == 2 / 3
    assert found.strict_on_time_rate == 2 / 4
    assert found.rework_rate == 1 / 3


def test_without_a_closing_there_is_no_rate() -> None:
    found = figures_of()
    assert found.on_time_rate is None
    assert found.strict_on_time_rate is None
    assert found.rework_rate is None


def test_a_breakdown_begins_with_the_most() -> None:
    found = figures_of(
        case_row(1, unit_id=3), case_row(2, unit_id=1, due_at=NOON - 1), case_row(3, unit_id=1), case_row(4)
    )
    assert found.by_unit.ids.tolist() == [1, 0, 3]
    assert found.by_unit.of(1) == (0, 0, 1, 1)
    assert found.by_unit.of(404) == (0, 0, 0, 0)
    assert found.by_unit.totals.tolist() == [2, 1, 1]


def test_bins_may_be_half_hours() -> None:
    lens = a_lens(case_row(1, due_at=NOON + HOUR // 2))
    found = tally(lens.store, bin_ms=HOUR // 2).slack
    index = next(i for i, line in enumerate(found.lights.tolist()) if sum(line))
    assert found.span(index) == (HOUR // 2, HOUR)
    assert found.span(0) == (None, -12 * HOUR)
    assert found.span(len(found.lights) - 1) == (48 * HOUR, None)


def test_any_dimension_can_be_split() -> None:
    lens = a_lens(case_row(1, cell_id=7), case_row(2, cell_id=7))
    assert split(lens.store, "cell", lens.rows).of(7) == (0, 0, 0, 2)


def test_an_empty_city_has_figures_too() -> None:
    store = Store(ZONE, NOON)
    store.apply(delta_of([]))
    assert tally(store).open == 0
