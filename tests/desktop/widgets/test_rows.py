"""The table model, drawn as text."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from desktop.widgets.marks import Light
from desktop.widgets.rows import RIGHT, Cell, Column, ListedRows, TableModel, drawn

COLUMNS = [
    Column("light", "", 36),
    Column("left", "Left", 90, align=RIGHT),
    Column("place", "Place", stretch=True),
]


def rows(*ids: int) -> list[tuple[int, dict[str, Cell | str]]]:
    return [
        (
            id,
            {
                "light": Cell("", light=Light(id % 4)),
                "left": Cell(f"{id}:00", tone="soon" if id % 4 == 1 else "text1"),
                "place": f"Road {id}",
            },
        )
        for id in ids
    ]


def test_a_table_shows_its_source_row_by_row(application: object) -> None:
    model = TableModel(ListedRows(rows(4, 1, 2, 3)), COLUMNS)
    assert drawn(model, selected=[2]) == (
        "  ● | 4:00 | Road 4\n"  #
        "  ▲ | 1:00 | Road 1\n"
        "› ◆ | 2:00 | Road 2\n"
        "  ○ | 3:00 | Road 3"
    )


def test_the_number_of_rows_changes_in_one_step_and_only_when_announced(application: object) -> None:
    source = ListedRows(rows(1, 2, 3))
    model = TableModel(source, COLUMNS)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)
    steps: list[str] = []
    model.rowsInserted.connect(lambda _parent, first, last: steps.append(f"+{first}..{last}"))
    model.rowsRemoved.connect(lambda _parent, first, last: steps.append(f"-{first}..{last}"))
    source.set_rows(rows(9, 1, 2, 3, 5))
    assert model.rowCount() == 3
    model.refresh()
    assert (model.rowCount(), steps) == (5, ["+3..4"])
    source.set_rows(rows(5, 9))
    model.refresh()
    assert (model.rowCount(), steps) == (2, ["+3..4", "-2..4"])
    assert drawn(model) == "  ▲ | 5:00 | Road 5\n  ▲ | 9:00 | Road 9"


def test_a_clock_tick_changes_cells_and_no_rows(application: object) -> None:
    model = TableModel(ListedRows(rows(1, 2, 3)), COLUMNS)
    changed: list[tuple[int, int]] = []
    refreshed: list[bool] = []
    model.dataChanged.connect(lambda first, last: changed.append((first.row(), last.row())))
    model.refreshed.connect(lambda: refreshed.append(True))
    model.refresh_cells()
    assert (changed, refreshed) == ([(0, 2)], [])


def test_a_screen_reader_hears_the_light_in_words(application: object) -> None:
    model = TableModel(ListedRows(rows(2)), COLUMNS)
    role = Qt.ItemDataRole.AccessibleTextRole
    assert model.data(model.index(0, 0), role) == "Overdue"
    assert model.data(model.index(0, 1), role) == "Left: 2:00"


def test_an_empty_source_has_no_rows_and_no_complaint(application: object) -> None:
    model = TableModel(ListedRows(), COLUMNS)
    model.refresh()
    assert drawn(model) == ""
