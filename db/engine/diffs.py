"""What a unit of work did to the rows of one table: kept by column, told as canonical JSON.

Rows that were treated alike stay together, and their text is one form into which only that is set in which
they differ; making a dictionary for each of ten thousand took longer than writing them to the database. A row
that is touched twice in one unit has one diff, from first to last: then the rows are kept one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from types import NoneType
from typing import Any, NamedTuple

from db.engine.columns import canonical

Diff = dict[str, list[Any]]
"""Column → [before, after], as the journal keeps them; a row that came or went lists its ``id`` too."""
Cells = Sequence[Sequence[Any]]
"""Plain values by column, one for each row."""


class _Batch(NamedTuple):
    ids: Sequence[int]
    columns: Sequence[str]
    before: Cells | None
    after: Cells | None


class Diffs:
    """Before and after of the rows of one table."""

    def __init__(self) -> None:
        self._batches: list[_Batch] = []
        self._ids: set[int] = set()
        self._singly: dict[int, Diff] = {}
        """Every row, as soon as one was touched twice; there are no batches then."""

    @property
    def ids(self) -> Set[int]:
        """The rows that are not as they were."""
        return self._singly.keys() if self._singly else self._ids

    def came(self, ids: Sequence[int], columns: Sequence[str], values: Cells) -> None:
        """Rows were added; ``columns`` name ``id`` too."""
        self._add(_Batch(ids, columns, None, values))

    def changed(self, ids: Sequence[int], columns: Sequence[str], before: Cells, after: Cells) -> None:
        """Values of rows were changed."""
        self._add(_Batch(ids, columns, before, after))

    def went(self, ids: Sequence[int], columns: Sequence[str], values: Cells) -> None:
        """Rows were removed; ``columns`` are all that they had."""
        self._add(_Batch(ids, columns, values, None))

    def text(self) -> str:
        """``[[id, {column: [before, after]}], …]`` as canonical JSON."""
        if self._singly:
            return canonical([[row_id, diff] for row_id, diff in self._singly.items()])
        return f"[{','.join([row for batch in self._batches for row in _told(batch)])}]"

    def _add(self, batch: _Batch) -> None:
        if not self._singly and self._ids.isdisjoint(batch.ids):
            self._batches.append(batch)
            self._ids.update(batch.ids)
            return
        for each in (*self._batches, batch):
            for row_id, diff in _singly(each):
                merged = _merged(self._singly.get(row_id, {}), diff)
                if merged is None:
                    del self._singly[row_id]
                else:
                    self._singly[row_id] = merged
        self._batches.clear()
        self._ids.clear()


def _singly(batch: _Batch) -> Iterator[tuple[int, Diff]]:
    nothing = [[None] * len(batch.ids)] * len(batch.columns)
    sides = [zip(*(cells or nothing), strict=True) for cells in (batch.before, batch.after)]
    for row_id, before, after in zip(batch.ids, *sides, strict=True):
        pairs = zip(before, after, strict=True)
        yield row_id, {name: [*pair] for name, pair in zip(batch.columns, pairs, strict=True)}


def _merged(known: Diff, newer: Diff) -> Diff | None:
    """Two diffs of a row as one; ``None`` when the row came and went."""
    is_whole = "id" in newer
    for name, (first, last) in known.items():
        if name in newer:
            newer[name][0] = first
        else:
            newer[name] = [first, None if is_whole else last]
    key = newer.get("id")
    if key == [None, None]:
        return None
    if key is not None and None not in key:
        # It went and came again, and so was changed.
        del newer["id"]
    return newer


def _told(batch: _Batch) -> Iterator[str]:
    ids, columns, *sides = batch
    pairs: list[str] = []
    unlike: list[Sequence[Any]] = []
    for place in sorted(range(len(columns)), key=columns.__getitem__):
        told = []
        for cells in sides:
            texts = "null" if cells is None else _texts(cells[place])
            if isinstance(texts, str):
                told.append(texts.replace("%", "%%"))
            else:
                told.append("%s")
                unlike.append(texts)
        name = canonical(columns[place]).replace("%", "%%")
        pairs.append(f"{name}:[{told[0]},{told[1]}]")
    form = "[%s,{" + ",".join(pairs) + "}]"
    return map(form.__mod__, zip(ids, *unlike, strict=True))


def _texts(values: Sequence[Any]) -> str | Sequence[Any]:
    """The JSON of values: one text when they are all the same, else what prints as their texts."""
    kinds = set(map(type, values))
    if kinds == {NoneType}:
        return "null"
    if kinds <= {int, str} and len(kinds) == 1 and values.count(values[0]) == len(values):
        return canonical(values[0])
    if kinds == {int}:
        return values
    if kinds == {int, NoneType}:
        return ["null" if value is None else value for value in values]
    return list(map(canonical, values))
