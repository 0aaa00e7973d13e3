"""Who reported a case is nowhere in the room: not in the store, not on a card, not in the log."""

from __future__ import annotations

import sqlite3

from tests.desktop.open_room import OpenRoom


def contacts(room: OpenRoom) -> list[str]:
    """Names and numbers that nobody else bears: some of the demo's reporters are called like its officers."""
    path = room.core.database.path
    assert path is not None
    connection = sqlite3.connect(path)
    connection.execute("UPDATE reporter SET name = '隐名' || id || '者', phone = '199' || id")
    connection.commit()
    rows = connection.execute("SELECT name, phone FROM reporter").fetchall()
    connection.close()
    assert rows
    return [value for row in rows for value in row]


def holds(text: str, names: list[str]) -> list[str]:
    return [name for name in names if name in text]


def test_the_store_has_no_column_for_it_and_no_value_of_it(room: OpenRoom) -> None:
    names = contacts(room)
    store = room.session.context.board.store
    everything = " ".join(str(store.plain(slot)) for slot in range(store.size) if store.alive[slot])
    assert holds(everything, names) == []


def test_neither_rows_nor_cards_tell_it(room: OpenRoom) -> None:
    names = contacts(room)
    panes, board = room.session.panes, room.session.context.board
    rows = panes.queue.rows
    words = [
        rows.cell(row, column.key).text
        for row in range(rows.row_count())
        for column in panes.queue.model.columns
    ]
    words += [str(panes.map._card(int(slot))) for slot in board.lens.rows]
    assert holds(" ".join(words), names) == []
