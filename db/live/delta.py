"""News of cases as plain values: a snapshot and a change are one type, so reconnecting is one big change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from db.cases.queries import Columns, no_rows
from db.live.claims import Claims
from db.live.columns import NO_IDS, Int64, Mask, no_ids
from db.live.directory import Directory
from db.live.people import NOBODY, People
from db.people.presence import Present


@dataclass(frozen=True, eq=False)
class Delta:
    """Rows added or changed (``columns``, as ``db.cases.queries.live_rows`` gives them) and ids ``gone``.

    ``at_ms`` is the moment the values are of, ``seq`` the journal entry up to which they are complete. With
    ``full`` the columns are everything there is, and what is not among them is gone. No id stands twice.
    """

    at_ms: int
    seq: int = 0
    full: bool = False
    columns: Columns = field(default_factory=no_rows)
    gone: Int64 = field(default_factory=no_ids)
    people: People = NOBODY
    people_full: bool = False
    registers_changed: frozenset[str] = frozenset()
    """Names of register tables that were touched: screens that show them read them anew. A full delta names
    none: all of them may have changed."""
    directory: Directory | None = None
    """The names of units, categories, areas and persons, when they are new."""
    claims: Claims | None = None
    """All claims that stand, when they are others than before."""
    present: tuple[Present, ...] | None = None
    """Everybody who looks at a case, when it is not as before."""

    @property
    def ids(self) -> Int64:
        """The ids of the rows that were added or changed."""
        return np.asarray(self.columns["id"], dtype=np.int64)

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing but "up to date at ``at_ms``"."""
        return not (
            self.full
            or len(self.ids)
            or len(self.gone)
            or len(self.people)
            or self.people_full
            or self.registers_changed
            or self.directory is not None
            or self.claims is not None
            or self.present is not None
        )

    def then(self, later: Delta) -> Delta:
        """One delta that says what this one and ``later`` say together: the newest value of each id."""
        together = replace(
            later,
            full=self.full or later.full,
            people=later.people if later.people_full else self.people.then(later.people),
            people_full=self.people_full or later.people_full,
            registers_changed=self.registers_changed | later.registers_changed,
            directory=later.directory or self.directory,
            claims=later.claims if later.claims is not None else self.claims,
            present=later.present if later.present is not None else self.present,
        )
        if later.full:
            return together
        kept = ~np.isin(self.ids, np.concatenate([later.ids, later.gone]))
        gone = NO_IDS
        if not self.full:
            gone = np.concatenate([self.gone[~np.isin(self.gone, later.ids)], later.gone])
        return replace(
            together, columns=_joined(_taken(self.columns, kept), later.columns), gone=np.unique(gone)
        )


def _taken(columns: Columns, kept: Mask) -> Columns:
    if kept.all():
        return columns
    places = np.flatnonzero(kept)
    return {
        name: [values[i] for i in places] if isinstance(values, list) else values[places]
        for name, values in columns.items()
    }


def _joined(first: Columns, second: Columns) -> Columns:
    joined: Columns = {}
    for name, values in first.items():
        other = second[name]
        if isinstance(values, list):
            joined[name] = [*values, *other]
        else:
            joined[name] = np.concatenate([values, np.asarray(other)])
    return joined
