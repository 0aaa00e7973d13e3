"""The queue drawn as text: a light, time left or waited, what, where, whose, which stage."""

from __future__ import annotations

import math

from db.kernel.language import set_language
from db.live.filters import Filter
from db.live.lens import ORDER_KEYS
from desktop.queue.pane import ORDERS
from desktop.queue.rows import COLUMNS, QueueRows
from desktop.widgets.rows import Column, TableModel, drawn
from tests.db.live.rows import HOUR, NOON, case_row
from tests.desktop.seeded import context_of

SHOWN = [column for column in COLUMNS if column.shown]
CASES = [
    case_row(
        1,
        state="handling",
        category_id=1,
        unit_id=1,
        address="荆河路5号",
        due_at=NOON - 3 * HOUR,
        soon_at=NOON - 5 * HOUR,
    ),
    case_row(
        2,
        state="pending_handle",
        category_id=2,
        unit_id=2,
        address="善国路8号",
        due_at=NOON + HOUR // 2,
        soon_at=NOON - HOUR,
    ),
    case_row(
        3,
        state="handling",
        category_id=3,
        unit_id=1,
        address="",
        due_at=NOON + 9 * HOUR,
        soon_at=NOON + 7 * HOUR,
        lon=math.nan,
        lat=math.nan,
    ),
    case_row(4, state="pending_dispatch", category_id=4, address="平行路", reported_at=NOON - 4 * HOUR),
    case_row(
        5,
        state="pending_check",
        category_id=5,
        unit_id=3,
        address="府前路",
        due_at=NOON - HOUR,
        soon_at=NOON - 2 * HOUR,
        stopped_at=NOON - 3 * HOUR,
    ),
]


def picture(columns: list[Column] = SHOWN, selected: tuple[int, ...] = ()) -> str:
    context = context_of(CASES)
    return drawn(TableModel(QueueRows(context.board), columns), selected)


def test_the_queue_is_drawn_worst_first_with_marks_and_times() -> None:
    assert picture(selected=(2,)).splitlines() == [
        "  ◆ over 3:00 | Kind 1 | 荆河路5号 | Unit 1 | In hand",
        "› ▲ 0:30 | Kind 2 | 善国路8号 | Unit 2 | To handle",
        "  ● 2:00 | Kind 5 | 府前路 | Unit 3 | To check",
        "  ● 9:00 | Kind 3 | (no position) | Unit 1 | In hand",
        "  ○ waits 4:00 | Kind 4 | 平行路 |  | To dispatch",
    ]


def test_the_same_in_chinese_takes_the_chinese_names() -> None:
    set_language("zh_CN")
    first, *_rest = picture().splitlines()
    assert "类1 | 荆河路5号 | 单位1" in first


def test_the_clock_of_what_was_handed_back_stands_still() -> None:
    context = context_of(CASES)
    context.board.tick(NOON + 5 * HOUR)
    rows = QueueRows(context.board)
    assert rows.cell(rows.row_of(5), "left").text == "2:00"


def test_every_column_says_something_for_every_case() -> None:
    context = context_of(CASES)
    rows = QueueRows(context.board)
    for column in COLUMNS:
        for row in range(rows.row_count()):
            assert isinstance(rows.cell(row, column.key).text, str)
    assert rows.cell(rows.row_of(1), "number").text == "N1"
    assert rows.cell(rows.row_of(1), "source").text == "Collector"
    assert rows.cell(rows.row_of(4), "due_at").text == ""


def test_what_a_header_can_sort_by_the_lens_can_order_by_and_has_words() -> None:
    sortable = {column.key for column in COLUMNS if column.sortable}
    assert sortable <= set(ORDER_KEYS)
    assert sortable <= set(ORDERS)
    assert set(ORDERS) <= set(ORDER_KEYS)


def test_rows_follow_the_filter_and_know_their_ids() -> None:
    context = context_of(CASES)
    rows = QueueRows(context.board)
    context.set_filter(Filter(units=frozenset({1})))
    assert [rows.id_at(row) for row in range(rows.row_count())] == [1, 3]
    assert (rows.row_of(3), rows.row_of(2)) == (1, -1)


def test_what_a_citizen_typed_is_shown_letter_by_letter() -> None:
    context = context_of([case_row(1, address="<img src=x onerror=alert(1)>\u202e 井盖")])
    assert QueueRows(context.board).cell(0, "address").text.startswith("<img src=x")
