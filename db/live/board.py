"""All that the screens look at in one plain object, for one thread: store, list, figures, names, people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from db.live.columns import UInt8
from db.live.delta import Delta
from db.live.directory import Directory
from db.live.filters import Filter
from db.live.lens import Lens
from db.live.people import NOBODY, People
from db.live.remaining import Remaining
from db.live.store import Applied, Store
from db.live.tally import Figures, tally
from db.people.presence import Present


@dataclass(frozen=True, eq=False)
class News:
    """What a step did to the board: each screen looks at the part that concerns it."""

    applied: Applied = field(default_factory=Applied)
    rows_changed: bool = False
    """The list is another one: rows came, went or moved."""
    figures_changed: bool = False
    filter_changed: bool = False
    people_changed: bool = False
    names_changed: bool = False
    """The directory is new."""
    registers_changed: frozenset[str] = frozenset()
    presence_changed: bool = False
    """Others look at cases, or write in them, than before."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be drawn anew."""
        return (
            self.applied.is_empty
            and not self.registers_changed
            and not (
                self.rows_changed
                or self.figures_changed
                or self.filter_changed
                or self.people_changed
                or self.names_changed
                or self.presence_changed
            )
        )


class Board:
    """The live picture of one thread. It changes in six calls only, and each says what it changed."""

    def __init__(self, zone: ZoneInfo, now_ms: int) -> None:
        self.store = Store(zone, now_ms)
        self.lens = Lens(self.store)
        self.people: People = NOBODY
        self.present: Mapping[int, tuple[Present, ...]] = {}
        """Who looks at which case, each window once."""
        self.at_ms = 0
        """The moment the newest data are of, 0 = none came yet."""
        self.seq = 0
        self._figures: Figures | None = None

    @property
    def directory(self) -> Directory:
        """What ids are called."""
        return self.store.directory

    @property
    def now_ms(self) -> int:
        """The board's clock."""
        return self.store.now_ms

    def apply(self, delta: Delta) -> News:
        """Take in what the feed brought."""
        names_changed = delta.directory is not None
        if delta.directory is not None:
            self.store.name_anew(delta.directory)
        if delta.present is not None:
            self._place(delta.present)
        people_changed = delta.people_full or len(delta.people) > 0
        if people_changed:
            self.people = delta.people if delta.people_full else self.people.then(delta.people)
        applied = self.store.apply(delta)
        self.at_ms, self.seq = delta.at_ms, delta.seq
        rows_changed = self.lens.update(applied)
        if names_changed:
            rows_changed = self.lens.refresh() or rows_changed
        figures_changed = names_changed or not applied.is_empty
        if figures_changed:
            self._figures = None
        return News(
            applied,
            rows_changed,
            figures_changed,
            people_changed=people_changed,
            names_changed=names_changed,
            registers_changed=delta.registers_changed,
            presence_changed=delta.present is not None,
        )

    def _place(self, present: tuple[Present, ...]) -> None:
        by_case: dict[int, list[Present]] = {}
        for each in present:
            by_case.setdefault(each.case_id, []).append(each)
        self.present = {case_id: tuple(people) for case_id, people in by_case.items()}

    def others_at(self, case_id: int, account_id: int) -> tuple[Present, ...]:
        """Everybody else who looks at a case, each person once, who is writing first."""
        people = sorted(self.present.get(case_id, ()), key=lambda one: (not one.typing, one.name))
        found = {one.account_id: one for one in reversed(people) if one.account_id != account_id}
        return tuple(reversed(found.values()))

    def learn(self, remaining: Remaining) -> News:
        """Take what is usual now: in the order of least slack, rows may move."""
        self.store.learn(remaining)
        return News(rows_changed=self.lens.refresh())

    def tick(self, now_ms: int) -> News:
        """Let time go by: lights turn, rows move, yesterday leaves at midnight."""
        day_before = self.store.day_start_ms
        applied = self.store.roll(now_ms)
        rows_changed = self.lens.update(applied)
        if day_before != self.store.day_start_ms:
            rows_changed = self.lens.refresh() or rows_changed
        # Bins of time left and "due within two hours" move on by themselves.
        self._figures = None
        return News(applied, rows_changed, figures_changed=True)

    def set_filter(self, chosen: Filter) -> News:
        """Look at other cases."""
        if chosen == self.lens.filter:
            return News()
        rows_changed = self.lens.set_filter(chosen)
        self._figures = None
        return News(rows_changed=rows_changed, figures_changed=True, filter_changed=True)

    def set_order(self, key: str, descending: bool = False) -> News:
        """Order the list by another key; raises ``ValueError`` for one that is not of ``ORDER_KEYS``."""
        return News(rows_changed=self.lens.set_order(key, descending))

    def figures(self) -> Figures:
        """The figures under the filter, counted once after each change."""
        if self._figures is None:
            self._figures = tally(self.store, self.lens.match)
        return self._figures

    def lights(self) -> UInt8:
        """The light of each slot."""
        return self.store.light
