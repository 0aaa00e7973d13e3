"""What the palette offers in one room: its acts, the verbs on cases, places to go, and sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from db.cases.queries import STATE_CODES
from db.cases.rules import STATES
from db.cases.scope import beyond_target
from db.kernel.language import LANGUAGES, N_, _, in_language, language
from db.live.filters import Filter
from db.live.naming import folded
from db.live.sentences import Grammar, Kind, Reading, verb_words
from db.registers.finding import syllables
from desktop.core.actions import Act, Actions
from desktop.core.context import Context
from desktop.core.offers import Offer
from desktop.core.words import chip_label, number
from desktop.widgets.acting import VERBS, slots_of

PLACES = {
    "districts": ("district", N_("District")),
    "communities": ("community", N_("Community")),
    "units": ("unit", N_("Unit")),
    "majors": ("major", N_("Class")),  # zh: 大类
    "categories": ("category", N_("Category")),
}
"""The parts of a filter whose values one can go to, with their kind in the directory."""

ASKS: Mapping[str, Sequence[str]] = {key: verb.asks for key, verb in VERBS.items()}


@dataclass(frozen=True)
class Desk:
    """What the palette asks the room to do, and does not know how."""

    why_not: Callable[[str, Iterable[int] | None], str]
    """Verb and cases (None: the selected ones): why it does not fit them; "" when it does."""
    ask: Callable[[str, Iterable[int] | None, Mapping[str, Any]], None]
    """Verb, cases, what is given already ("unit", "text"): the same dialog that the queue's bar opens."""
    command: Callable[[Any], None]
    """Run a command on cases that lacks nothing more."""
    find: Callable[[str], None]
    """Look for a text in all of history."""
    open: Callable[[int], None]
    """Show a case."""
    fit: Callable[[], None]
    """Let the map show what the filter lets through."""


class Commands:
    """Offers for the palette, made anew whenever it opens, so that each says how things are now."""

    def __init__(
        self, context: Context, actions: Actions, desk: Desk, menus: Mapping[str, str] | None = None
    ) -> None:
        """``menus``: the marked titles of the menus by id, for what kind of thing an act is."""
        self._menus = menus or {}
        self._context = context
        self._actions = actions
        self._desk = desk
        self._grammar = Grammar(context.board, ASKS)
        self._more: list[Callable[[], Iterable[Offer]]] = []

    def add(self, source: Callable[[], Iterable[Offer]]) -> None:
        """Offer more: asked each time the palette opens, before the places."""
        self._more.append(source)

    def warm(self) -> None:
        """Learn how all names are spoken: half a second that nobody should wait for at the first letter.

        May run on any thread: nothing is kept but what is the same for everybody.
        """
        directory = self._context.board.directory
        for kind, _title in PLACES.values():
            for entry in directory.of(kind):
                syllables(folded(entry.name))
        # Letters that are nothing: every name is asked whether they spell it, and the roads are gathered.
        self._grammar.read("zzz")

    def offers(self) -> list[Offer]:
        """All that has a name, in the order in which it stands without words."""
        return [
            *self._acts(),
            *self._verbs(),
            *(offer for source in self._more for offer in source()),
            *self._places(),
        ]

    def read(self, typed: str) -> list[Offer]:
        """What a sentence means, best first; nothing for what is none."""
        readings = self._grammar.read(typed, sorted(self._context.selection))
        return [self._offer(reading) for reading in readings]

    def _acts(self) -> Iterator[Offer]:
        for act in self._actions.acts():
            yield Offer(
                f"act:{act.id}",
                _(act.title),
                lambda key=act.id: self._actions.run(key),  # type: ignore[misc]
                (*(in_language(code, act.title) for code in LANGUAGES), *act.words.split()),
                _(self._menus.get(act.menu, N_("Act"))),
                printed_keys(act),
                why=self._actions.why_not(act.id),
            )

    def _verbs(self) -> Iterator[Offer]:
        for key, verb in VERBS.items():
            why = self._desk.why_not(key, None)
            count = len(self._context.selection)
            yield Offer(
                f"verb:{key}",
                verb.shown(),
                lambda key=key: self._desk.ask(key, None, {}),  # type: ignore[misc]
                (*verb_words(key), *(in_language(code, verb.title) for code in LANGUAGES if verb.title)),
                _("Case"),  # zh: 案件
                verb.keys,
                "" if why else _("{count} selected").format(count=number(count)),
                why,
            )

    def _places(self) -> Iterator[Offer]:
        directory = self._context.board.directory
        for part, (kind, title) in PLACES.items():
            for entry in directory.of(kind):
                if not entry.active:
                    continue
                value = entry.major if kind == "major" else entry.id
                yield Offer(
                    f"{part}:{value}",
                    entry.label(language()),
                    lambda part=part, value=value: self._go(Filter(**{part: frozenset({value})})),  # type: ignore[misc]
                    (entry.name, entry.name_en, entry.code),
                    _(title),
                    # One name may stand in two standards; the code tells them apart.
                    detail=entry.code if kind in ("major", "category") else "",
                )

    def _go(self, chosen: Filter) -> None:
        self._context.set_filter(chosen)
        self._desk.fit()

    # Sentences.

    def _offer(self, reading: Reading) -> Offer:
        if reading.kind is Kind.ORDER:
            return self._order(reading)
        if reading.kind is Kind.FIND:
            title = _("Search all cases for “{text}”").format(text=reading.text)
            return Offer("", title, lambda: self._desk.find(reading.text), words=reading.words)
        if reading.case_ids:
            case_id = reading.case_ids[0]
            title = _("Show case {case}").format(case=self._case(case_id))
            return Offer(
                "", title, lambda: self._show(case_id), detail=self._stage(case_id), words=reading.words
            )
        chosen = reading.filter or Filter()
        board = self._context.board
        chips = [
            chip_label(part, values, board.directory, self._context.zone) for part, values in chosen.parts()
        ]
        # zh: 筛选：{parts}
        title = _("Show only: {parts}").format(parts=_(" · ").join(chips))
        return Offer("", title, lambda: self._go(chosen), words=reading.words)

    def _order(self, reading: Reading) -> Offer:
        ids = reading.case_ids
        verb = VERBS[reading.verb]
        words = verb.named()
        if not ids:
            title = words
        elif len(ids) == 1:
            # zh: {verb} 1 件：{case}
            title = _("{verb} 1 case: {case}").format(verb=words, case=self._case(ids[0]))
        else:
            # zh: {verb} {count} 件
            title = _("{verb} {count} cases").format(verb=words, count=number(len(ids)))
        if reading.unit_id:
            unit = self._context.board.directory.label("unit", reading.unit_id, language())
            title = f"{title} → {unit}"
        why = reading.lacking or self._desk.why_not(reading.verb, ids)
        if not why and reading.unit_id:
            unit = self._context.board.directory.label("unit", reading.unit_id, language())
            refusal = beyond_target(self._context.who, reading.unit_id, unit)
            why = refusal.text() if refusal is not None else ""
        return Offer(
            "",
            title,
            lambda: self._give(reading),
            keys="⏎" if not why else "",
            detail="" if why else self._effect(reading),
            why=why,
            words=reading.words,
        )

    def _give(self, reading: Reading) -> None:
        """One case and nothing lacking: the line has shown all that a dialog could. Else the dialog asks."""
        verb = VERBS[reading.verb]
        given = {"unit": reading.unit_id, "text": reading.text}
        needs = [ask for ask in verb.asks if ask not in ("maybe", "perhaps", "proof")]
        is_whole = all(given.get(ask) for ask in needs)
        if is_whole and len(reading.case_ids) == 1 and not verb.danger:
            self._desk.command(verb.make(reading.case_ids, given))
        else:
            self._desk.ask(reading.verb, reading.case_ids, given)

    def _effect(self, reading: Reading) -> str:
        """What the unit has in hand before and after, or what will still be asked."""
        verb = VERBS[reading.verb]
        parts: list[str] = []
        store = self._context.board.store
        if reading.unit_id and "unit" in verb.asks:
            slots = slots_of(self._context, reading.case_ids)
            code = store.codes["unit"].code(reading.unit_id)
            now = int(np.count_nonzero(store.is_open & (store.unit == code))) if code else 0
            there = int(np.count_nonzero(store.unit[slots] == code)) if code else 0
            # zh: 在办 {before} → {after}
            words = _("open {before} → {after}")
            parts.append(words.format(before=number(now), after=number(now + len(slots) - there)))
        if "unit" in verb.asks and not reading.unit_id:
            parts.append(_("asks for the unit"))
        if "text" in verb.asks and not reading.text:
            parts.append(_("asks for the reason"))
        elif verb.danger or len(reading.case_ids) > 1:
            parts.append(_("shown once more before it is done"))
        return _(", ").join(parts)

    def _case(self, case_id: int) -> str:
        """The end of its number, what it is about and where."""
        store = self._context.board.store
        slot = store.slot_of(case_id)
        if slot is None:
            return ""
        category = int(store.codes["category"].ids[store.category[slot]])
        about = self._context.board.directory.label("category", category, language())
        parts = (f"…{store.number[slot][-4:]}", about, store.address[slot])
        return " ".join(part for part in parts if part)

    def _stage(self, case_id: int) -> str:
        slot = self._context.board.store.slot_of(case_id)
        if slot is None:
            return ""
        return _(STATES[STATE_CODES[int(self._context.board.store.state[slot])]].label)

    def _show(self, case_id: int) -> None:
        """Select it where it is seen, and open it."""
        if self._context.board.lens.row_of(case_id) is None:
            self._context.set_filter(Filter())
        self._context.select(frozenset({case_id}))
        self._desk.open(case_id)


def printed_keys(act: Act) -> str:
    """The key of an act as it is printed on buttons."""
    return act.keys.replace("+", " ")
