"""What a table shows: columns as data, cells as values, a row source to ask, and the Qt model over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from db.kernel.language import _
from desktop.widgets.marks import light_word

_Index = QModelIndex | QPersistentModelIndex

LEFT = Qt.AlignmentFlag.AlignLeft
RIGHT = Qt.AlignmentFlag.AlignRight
CENTER = Qt.AlignmentFlag.AlignHCenter


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `width` in pixels at 100 %, the least one when it stretches; `title` an English msgid."""

    key: str
    title: str
    width: int = 96
    align: Qt.AlignmentFlag = LEFT
    stretch: bool = False
    sortable: bool = True
    shown: bool = True
    """Whether it is on before anybody chose."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one place of the table says, in words ready to be read."""

    text: str
    light: int | None = None
    """A mark before the text, or in the middle when there is no text (desktop.widgets.marks.Light)."""
    tone: str = "text1"
    align: Qt.AlignmentFlag | None = None
    tip: str = ""
    """More than fits: shown by the tool tip instead of the text."""
    bar: tuple[float, float, float] | None = None
    """A bar in place of the text, over, soon and the rest, as shares of the column's width."""
    spans: bool = False
    """A heading: it reaches over the columns to its right, which are not asked."""


class RowSource(Protocol):
    """Rows in their order. It answers at once, for the rows on screen only; ids are 63-bit integers."""

    def row_count(self) -> int:
        """How many rows there are."""
        ...

    def cell(self, row: int, column_key: str) -> Cell:
        """What stands in a row under a column."""
        ...

    def id_at(self, row: int) -> int:
        """The id of the row."""
        ...

    def row_of(self, id: int) -> int:
        """The row of an id, -1 when it is not among them."""
        ...

    def ids_between(self, first: int, last: int) -> list[int]:
        """The ids of the rows from `first` to `last`, both included: all of them may be asked for at once."""
        ...

    def rows_of(self, ids: Iterable[int]) -> NDArray[np.int64]:
        """The row of each id, -1 where there is none, for very many at once."""
        ...


class ListedRows:
    """A row source over a plain list, for small tables: `(id, {key: Cell or text})` in their order."""

    def __init__(self, rows: Iterable[tuple[int, dict[str, Cell | str]]] = ()) -> None:
        self._rows: list[tuple[int, dict[str, Cell | str]]] = []
        self._places: dict[int, int] = {}
        self.set_rows(rows)

    def set_rows(self, rows: Iterable[tuple[int, dict[str, Cell | str]]]) -> None:
        """Replace all rows; the model is to be told by its `refresh()`."""
        self._rows = list(rows)
        self._places = {id: row for row, (id, _cells) in enumerate(self._rows)}

    def row_count(self) -> int:
        return len(self._rows)

    def cell(self, row: int, column_key: str) -> Cell:
        value = self._rows[row][1].get(column_key, "")
        return value if isinstance(value, Cell) else Cell(value)

    def id_at(self, row: int) -> int:
        return self._rows[row][0]

    def row_of(self, id: int) -> int:
        return self._places.get(id, -1)

    def ids_between(self, first: int, last: int) -> list[int]:
        return [id for id, _cells in self._rows[first : last + 1]]

    def rows_of(self, ids: Iterable[int]) -> NDArray[np.int64]:
        return np.array([self._places.get(id, -1) for id in ids], dtype=np.int64)


class TableModel(QAbstractTableModel):
    """The rows of a source under columns. It keeps the number of rows last announced, nothing else."""

    refreshed = Signal()
    """The source has other rows, or the same ones in another order."""

    def __init__(self, source: RowSource, columns: Sequence[Column], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.source = source
        self.columns = tuple(columns)
        self._count = source.row_count()

    def refresh(self) -> None:
        """The source changed: say so in at most one change of the number of rows and one of all cells.

        Rows come and go at the end only. Which case stands where is not Qt's business: the view keeps
        selection, current row and scroll place by id.
        """
        count = self.source.row_count()
        if count > self._count:
            self.beginInsertRows(QModelIndex(), self._count, count - 1)
            self._count = count
            self.endInsertRows()
        elif count < self._count:
            self.beginRemoveRows(QModelIndex(), count, self._count - 1)
            self._count = count
            self.endRemoveRows()
        if count:
            self.dataChanged.emit(self.index(0, 0), self.index(count - 1, len(self.columns) - 1))
        self.refreshed.emit()

    def refresh_cells(self, first: int = 0, last: int = -1) -> None:
        """The same rows in the same order say something else (a clock went on); by default all of them."""
        last = self._count - 1 if last < 0 else min(last, self._count - 1)
        if first <= last:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))

    def set_source(self, source: RowSource) -> None:
        """Show another source."""
        self.source = source
        self.refresh()

    def cell_at(self, row: int, section: int) -> Cell:
        """The cell at a row and a column's place in `columns`; empty beyond the end."""
        if row >= self.source.row_count():
            return Cell("")
        return self.source.cell(row, self.columns[section].key)

    def place_of(self, key: str) -> int:
        """The place of a column in `columns`, -1 when there is none of that key."""
        return next((place for place, column in enumerate(self.columns) if column.key == key), -1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  Qt's own signature
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column = self.columns[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return column.align | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cell_at(index.row(), index.column()).text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(column, self.cell_at(index.row(), index.column()))
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return section + 1 if role == Qt.ItemDataRole.DisplayRole else None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return _(self.columns[section].title)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.columns[section].align | Qt.AlignmentFlag.AlignVCenter
        return None


def spoken(column: Column, cell: Cell) -> str:
    """A cell as a screen reader says it: the column, the light in words, the text."""
    words = [light_word(cell.light)] if cell.light is not None else []
    words += [cell.text] if cell.text else []
    title = _(column.title)
    said = _(", ").join(words)
    return f"{title}: {said}" if title and said else title or said


def drawn(model: TableModel, selected: Iterable[int] = (), rows: int = 20) -> str:
    """The top of a table as text, for tests and logs: one line a row, "›" before the selected ones."""
    signs = {0: "●", 1: "▲", 2: "◆", 3: "○"}
    chosen = set(selected)
    lines = []
    for row in range(min(rows, model.rowCount())):
        words = []
        for section in range(model.columnCount()):
            cell = model.cell_at(row, section)
            sign = "" if cell.light is None else signs[int(cell.light)]
            words.append(" ".join(part for part in (sign, cell.text) if part))
        lines.append(("› " if model.source.id_at(row) in chosen else "  ") + " | ".join(words))
    return "\n".join(lines)
