"""Map, queue and figures are one thing: one filter and one selection, whichever of them was touched."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from db.live.filters import Filter
from tests.desktop.map.probe import MapProbe
from tests.desktop.open_room import OpenRoom


@pytest.fixture(autouse=True)
def beginning(room: OpenRoom) -> None:
    room.fresh()


def mapped(room: OpenRoom) -> MapProbe:
    def until(claim: object, _deadline: int = 0) -> None:
        room.until(claim)  # type: ignore[arg-type]

    return MapProbe(room.session.panes.map.map, until)


def test_every_pane_holds_the_same_cases(room: OpenRoom) -> None:
    board = room.session.context.board
    panes = room.session.panes
    assert board.lens.count == board.store.total_open > 50
    assert panes.queue.model.rowCount() == board.lens.count
    assert panes.kpi.cards.cards["open"]._number == f"{board.lens.count:,}"
    assert room.window.strip.count_text() == f"{board.lens.count:,} open cases"


def test_a_point_on_the_real_map_selects_its_row_and_its_row_the_point(room: OpenRoom) -> None:
    probe = mapped(room)
    store = room.session.context.board.store
    shown = np.flatnonzero(room.session.context.board.lens.mask & ~np.isnan(store.lon[: store.size]))
    slot = int(shown[0])
    goal = room.session.panes.map.map.go_to(float(store.lon[slot]), float(store.lat[slot]), 18)
    room.until(lambda: probe.generation >= goal)
    at = probe.place(float(store.lon[slot]), float(store.lat[slot]))
    probe.click(at)
    room.until(lambda: bool(room.session.context.selection))
    (chosen,) = room.session.context.selection
    near = store.slot_of(chosen)
    assert near is not None
    assert abs(store.lon[near] - store.lon[slot]) < 0.0005
    assert room.session.panes.queue.table.selected_ids() == {chosen}
    assert room.window.status.part("selected", right=True).accessibleName().startswith("1 selected")
    # And back: another row, and the page draws its ring.
    table = room.session.panes.queue.table
    QTest.keyClick(table, Qt.Key.Key_Home)
    first = room.session.panes.queue.rows.id_at(0)
    assert room.session.context.selection == {first}
    generation = room.session.panes.map.map.generation
    room.until(lambda: probe.generation >= generation)
    assert probe.ask("[...jingwei.cases.lifted]") == [store.slot_of(first)]


def test_a_bar_narrows_map_queue_chips_and_sentence(room: OpenRoom) -> None:
    panes, board = room.session.panes, room.session.context.board
    key = panes.kpi.units.keys()[0]
    promised = int(panes.kpi.units._counts[0].sum())
    panes.kpi.units.picked.emit(key, "")
    assert board.lens.count == promised == panes.queue.model.rowCount()
    assert [chip.key for chip in room.window.strip.chips()] == ["units"]
    assert f"{promised:,} of " in room.window.strip.count_text()
    assert int(np.count_nonzero(board.lens.mask)) == promised
    generation = panes.map.map.generation
    probe = mapped(room)
    panes.map.map.set_visible(board.lens.mask)
    room.until(lambda: probe.generation > generation)


def test_a_name_on_the_map_narrows_the_figures_and_the_queue(room: OpenRoom) -> None:
    panes, context = room.session.panes, room.session.context
    code, key = next((code, key) for code, key in panes.map._codes.items())
    kind = context.board.directory.areas[key].kind
    panes.map.map.area_picked.emit(kind, code)
    part = "districts" if kind == "district" else "communities"
    assert getattr(context.filter, part) == {key}
    assert panes.queue.model.rowCount() == context.board.lens.count
    assert panes.kpi.cards.cards["open"]._number == f"{context.board.lens.count:,}"


def test_typing_narrows_all_panes_a_moment_later(room: OpenRoom) -> None:
    search = room.window._top.search
    number = room.session.panes.queue.rows.cell(0, "number").text
    QTest.keyClicks(search, number)
    room.until(lambda: room.session.context.board.lens.count == 1)
    assert room.session.context.filter == Filter(text=number)
    assert room.session.panes.queue.model.rowCount() == 1
    room.window._on_escape()
    assert search.text() == ""


def test_nobody_acts_on_what_the_filter_hides_and_escape_undoes_selection_then_filter(room: OpenRoom) -> None:
    context, rows = room.session.context, room.session.panes.queue.rows
    first, second = rows.id_at(0), rows.id_at(1)
    context.select(frozenset({first, second}))
    context.set_filter(Filter(text=rows.cell(0, "number").text))
    assert context.selection == {first}
    assert room.session.panes.queue.bar._count.text() == "1 selected"
    room.window._on_escape()
    assert not context.filter.is_empty
    room.window._on_escape()
    assert (context.selection, context.filter) == (frozenset(), Filter())


def test_the_pointer_over_a_point_tells_the_case(room: OpenRoom) -> None:
    store = room.session.context.board.store
    slot = int(room.session.context.board.lens.rows[0])
    card = room.session.panes.map._card(slot)
    assert card is not None
    assert card.title == store.directory.label("category", store.plain(slot)["category_id"], "en")
    assert room.session.panes.map._card(10**6) is None
