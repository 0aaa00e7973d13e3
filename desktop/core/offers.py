"""What can be asked for by words: acts, verbs, queues, places and sentences, all as one kind of line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from db.live.naming import Name, folded
from db.live.sentences import Word

_RECENT = 0.5
"""What was used lately stands before its equals, never before what fits better."""


@dataclass(frozen=True)
class Offer:
    """One line of the palette. Running it is the same as its key, its menu entry or its dialog."""

    id: str
    """Names it among all offers, for what was used lately; "" for what is not worth remembering."""
    title: str
    run: Callable[[], None]
    names: tuple[str, ...] = ()
    """All that it is called, in any language."""
    group: str = ""
    """What kind of thing it is, in the reader's language."""
    keys: str = ""
    detail: str = ""
    """What will be, as far as it is known before."""
    why: str = ""
    """Why it is not possible now; then it is shown and cannot be run."""
    words: tuple[Word, ...] = field(default=(), repr=False)
    """Of a sentence: what was understood, word by word."""


def found(offers: Iterable[Offer], typed: str, recent: Sequence[str] = (), limit: int = 60) -> list[Offer]:
    """The offers that every typed word fits, best first; without words all of them, the recent ones first.

    Among equals stands first what was used lately, then what is possible now.
    """
    wanted = folded(typed).split()
    whole = folded(typed)
    place = {key: len(recent) - index for index, key in enumerate(recent)}
    hits: list[tuple[float, int, bool, int, Offer]] = []
    for order, offer in enumerate(offers):
        fit = _fit(offer, whole, wanted)
        if fit is not None:
            used = place.get(offer.id, 0)
            hits.append((fit - (_RECENT if used else 0), -used, bool(offer.why), order, offer))
    hits.sort(key=lambda hit: hit[:4])
    return [hit[4] for hit in hits[:limit]]


def _fit(offer: Offer, whole: str, wanted: Sequence[str]) -> int | None:
    if not wanted:
        return 0
    names = [_name(text) for text in (offer.title, *offer.names) if text]
    fits = [fit for name in names if (fit := name.fit(whole)) is not None]
    if fits:
        return min(fits)
    if len(wanted) == 1:
        return None
    # Several words, in any order: as bad as the worst of them, and a little worse than one name alone.
    worst = 0
    for word in wanted:
        each = [fit for name in names if (fit := name.fit(word)) is not None]
        if not each:
            return None
        worst = max(worst, min(each))
    return worst + 1


@cache
def _name(text: str) -> Name:
    return Name(folded(text))
