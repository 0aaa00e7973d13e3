"""What is counted in an area, who is left out, and what the legend owes the reader."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from db.live.board import Board
from db.live.filters import Filter
from desktop.map.areas import (
    FEW,
    LEVELS,
    MEASURES,
    PART_OF,
    choropleth,
    counts_of,
    inside_of,
    layers_of,
    value_words,
)
from desktop.map.classes import Method
from tests.db.live.rows import HOUR, NOON, ZONE, case_row, delta_of
from tests.desktop.map.chequered import (
    SQUARES,
    TOWN,
    case_in,
    cell_id,
    community_id,
    district_id,
    middle,
    town,
)

LAYERS = layers_of(SQUARES, TOWN)
LATE = {"due_at": NOON - HOUR, "soon_at": NOON - 3 * HOUR}
RUNNING = {"due_at": NOON + 30 * HOUR, "soon_at": NOON + 20 * HOUR}


def test_areas_know_their_size_their_parents_and_what_lies_in_them() -> None:
    cells, districts = LAYERS["cell"], LAYERS["district"]
    # 0.01° by 0.01° at 35° N: 1.112 km high, 0.911 km wide.
    assert cells.square_km == pytest.approx(np.full(16, 1.0127), rel=1e-3)
    assert districts.square_km.sum() == pytest.approx(cells.square_km.sum(), rel=1e-6)
    lon, lat = middle(3, 1)
    found = cells.holding(np.array([lon, np.nan, 0.0]), np.array([lat, 35.0, 0.0]))
    assert cells.ids[found[0]] == cell_id(3, 1)
    assert found[1:].tolist() == [-1, -1]
    assert cells.parents[found[0]] == community_id(3, 1)


@pytest.mark.parametrize("level", LEVELS)
def test_every_case_is_counted_once_at_each_level(level: str) -> None:
    rows = [case_in(n, n % 4, n // 4 % 4, **(LATE if n % 3 else RUNNING)) for n in range(40)]
    counts = counts_of(town(rows).board, LAYERS[level])
    assert counts.open.sum() == 40
    assert counts.overdue.sum() == sum(1 for n in range(40) if n % 3)
    assert counts.running.sum() == 40


def test_a_measure_equals_the_list_that_its_area_opens() -> None:
    rows = [case_in(n, n % 4, n // 4 % 4, **LATE) for n in range(23)]
    rows.append(case_in(99, 0, 0, state="closed", closed_at=NOON - HOUR))
    context = town(rows)
    for level in LEVELS:
        layer = LAYERS[level]
        context.set_filter(Filter())
        counts = counts_of(context.board, layer)
        for place, key in enumerate(layer.ids.tolist()):
            context.set_filter(Filter(**{PART_OF[level]: frozenset({key})}))
            assert context.board.lens.count == counts.open[place]


def test_neighbours_keep_their_number_while_one_is_chosen() -> None:
    context = town([case_in(1, 0, 0), case_in(2, 2, 0), case_in(3, 2, 1)])
    chosen = Filter(districts=frozenset({district_id(0)}))
    context.set_filter(chosen)
    assert counts_of(context.board, LAYERS["district"]).open.tolist() == [1, 2]
    assert counts_of(context.board, LAYERS["community"]).open.sum() == 1
    context.set_filter(replace(chosen, text="nowhere"))
    assert counts_of(context.board, LAYERS["district"]).open.tolist() == [0, 0]


def test_only_what_lies_in_the_chosen_areas_is_in_question() -> None:
    district, community = district_id(0), community_id(0, 2)
    assert inside_of(LAYERS, "cell", [district], []).sum() == 8
    assert inside_of(LAYERS, "cell", [district], [community]).sum() == 4
    assert inside_of(LAYERS, "patrol", [district], []).sum() == 2
    assert inside_of(LAYERS, "community", [], []).all()
    assert inside_of(LAYERS, "district", [district], []).all()


def test_where_nobody_is_there_is_no_number_of_cases_a_head() -> None:
    counts = counts_of(town([case_in(1, 0, 0)]).board, LAYERS["district"])
    assert np.isnan(MEASURES["open_per_collector"].of(counts)).all()
    assert np.isnan(MEASURES["overdue_share"].of(counts)).all()


def test_a_share_of_few_cases_is_hatched_and_said() -> None:
    rows = [case_in(n, 0, 0, **LATE) for n in range(FEW - 1)]
    rows += [case_in(100 + n, 2, 0, **RUNNING) for n in range(FEW)]
    layer = LAYERS["district"]
    shown = choropleth(layer, counts_of(town(rows).board, layer), MEASURES["overdue_share"], Method.NATURAL)
    assert shown.few.tolist() == [True, False]
    assert any("fewer than 10 cases" in note for note in shown.notes)
    assert [(step.words, step.areas) for step in shown.steps] == [("100.0 %", 1), ("0", 1)]


def test_what_is_not_known_has_no_colour_and_its_own_line() -> None:
    layer = LAYERS["district"]
    counts = counts_of(town([case_in(1, 0, 0, **LATE)]).board, layer)
    shown = choropleth(layer, counts, MEASURES["overdue_share"], Method.QUANTILE)
    assert shown.classes.of.tolist() == [2, 0]
    assert shown.steps[-1] == (0, "no data", 1)
    assert shown.plain()["few"] == [0]


def test_steps_count_all_areas_that_are_in_question() -> None:
    rows = [case_in(n, n % 4, n // 4 % 4) for n in range(37)]
    layer = LAYERS["cell"]
    for measure in MEASURES.values():
        if measure.needs:
            continue
        counts = counts_of(town(rows).board, layer)
        inside = inside_of(LAYERS, "cell", [district_id(0)], [])
        shown = choropleth(layer, counts, measure, Method.EQUAL, inside)
        assert sum(step.areas for step in shown.steps) == 8


@pytest.mark.parametrize(
    "measure,value,words",
    [
        ("open", 1234.0, "1,234"),
        ("overdue_share", 0.0319, "3.2 %"),
        ("open_per_km2", 0.031, "0.031"),
        ("open_per_km2", 12.34, "12.3"),
        ("open_per_km2", 1234.5, "1,234"),
        ("open", float("nan"), "no data"),
    ],
)
def test_values_are_written_as_exactly_as_they_deserve(measure: str, value: float, words: str) -> None:
    assert value_words(value, MEASURES[measure]) == words


@pytest.mark.speed
def test_counting_and_colouring_costs_less_than_reading_the_filter_anew() -> None:
    draw = np.random.default_rng(3)
    rows = [
        case_row(
            n,
            cell_id=cell_id(int(c), int(r)),
            community_id=community_id(int(c), int(r)),
            district_id=district_id(int(c)),
        )
        for n, (c, r) in enumerate(draw.integers(0, 4, (20_000, 2)), start=1)
    ]
    board = Board(ZONE, NOON)
    board.apply(delta_of(rows, directory=TOWN))

    def best(work: object) -> float:
        times = []
        for _round in range(5):
            start = time.perf_counter()
            work()  # type: ignore[operator]
            times.append(time.perf_counter() - start)
        return min(times)

    layer = LAYERS["cell"]
    colouring = best(
        lambda: choropleth(layer, counts_of(board, layer), MEASURES["open_per_km2"], Method.NATURAL)
    )

    def refilter() -> None:
        board.set_filter(Filter(text="N1"))
        board.set_filter(Filter())

    assert colouring < best(refilter)
