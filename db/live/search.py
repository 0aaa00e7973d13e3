"""Finds pieces of text in 100,000 rows while somebody types: one long array of characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from db.live.columns import Int32, Int64, Mask

_Chars = npt.NDArray[np.uint16]
T = TypeVar("T", bound=np.generic)

_END = "\n"
_FEW = 12
"""Fewer than one text in so many are gathered before they are looked through."""
_OFTEN = 2
"""What stands less than once in so many texts is looked up place by place."""


class TextIndex:
    """The texts of slots, lower-cased, one after another. A slot's newest text counts, older ones are left.

    Left-over text is swept out when it is more than half. A hit never spans two texts: each ends with a line
    end, which neither a text nor a search word contains.
    """

    def __init__(self) -> None:
        self._chars: _Chars = np.empty(4096, dtype=np.uint16)
        self._length = 0
        self._starts: Int64 = np.empty(256, dtype=np.int64)
        self._slots: Int32 = np.empty(256, dtype=np.int32)
        self._texts = 0
        # The newest text of each slot, -1 when it has none.
        self._newest: Int64 = np.full(256, -1, dtype=np.int64)
        self._live = 0
        # How often each character occurs: a word is looked for by its rarest one.
        self._frequency: Int64 = np.zeros(65_536, dtype=np.int64)

    def put(self, slots: Sequence[int], texts: Sequence[str]) -> None:
        """Give slots (each at most once) their texts, in place of the ones they had."""
        if not slots:
            return
        joined = _END.join(texts)
        if joined.count(_END) >= len(texts):
            joined = _END.join([text.replace(_END, " ") for text in texts])
        encoded = (fold(joined) + _END).encode("utf-16-le", "surrogatepass")
        chars = np.frombuffer(encoded, dtype=np.uint16)
        ends = np.flatnonzero(chars == ord(_END))
        starts = np.concatenate([[0], ends[:-1] + 1]) + self._length
        chosen = np.asarray(slots, dtype=np.int32)
        self._chars = _roomy(self._chars, self._length + len(chars))
        self._starts = _roomy(self._starts, self._texts + len(starts))
        self._slots = _roomy(self._slots, self._texts + len(starts))
        self._chars[self._length : self._length + len(chars)] = chars
        self._starts[self._texts : self._texts + len(starts)] = starts
        self._slots[self._texts : self._texts + len(starts)] = chosen
        top = int(chosen.max()) + 1
        if top > len(self._newest):
            grown = np.full(max(top, 2 * len(self._newest)), -1, dtype=np.int64)
            grown[: len(self._newest)] = self._newest
            self._newest = grown
        self._live += int(np.count_nonzero(self._newest[chosen] < 0))
        self._newest[chosen] = np.arange(self._texts, self._texts + len(starts))
        if len(chars) > 4096:
            self._frequency += np.bincount(chars, minlength=65_536)
        else:
            np.add.at(self._frequency, chars, 1)
        self._length += len(chars)
        self._texts += len(starts)
        if self._texts > 2 * self._live + 256:
            self._sweep()

    def drop(self, slots: Int32) -> None:
        """Forget the texts of slots."""
        known = slots[slots < len(self._newest)]
        self._live -= int(np.count_nonzero(self._newest[known] >= 0))
        self._newest[known] = -1
        if self._texts > 2 * self._live + 256:
            self._sweep()

    def find(self, word: str, size: int, among: Mask | None = None) -> Mask:
        """Which of the first ``size`` slots contain a word, folded and not empty.

        ``among``: only these are asked for; when they are few, only their texts are read.
        """
        wanted = np.frombuffer(word.encode("utf-16-le", "surrogatepass"), dtype=np.uint16)
        found = np.zeros(size, dtype=bool)
        chars, starts = self._chars[: self._length], self._starts[: self._texts]
        if not self._frequency[wanted].all():
            return found
        if among is not None:
            among = among[: len(self._newest)]
            if np.count_nonzero(among) * _FEW < self._texts:
                asked = self._newest.take(np.flatnonzero(among))
                asked = asked[asked >= 0]
                chars, starts = _gathered(chars, starts, asked)
                texts = asked[_texts_with(wanted, chars, starts, self._frequency[wanted])]
                found[self._slots[texts]] = True
                return found
        texts = _texts_with(wanted, chars, starts, self._frequency[wanted])
        slots = self._slots[texts]
        current = (self._newest[slots] == texts) & (slots < size)
        found[slots[current]] = True
        return found

    def _sweep(self) -> None:
        texts = np.sort(self._newest[self._newest >= 0])
        starts = self._starts[: self._texts]
        ends = np.append(starts[1:], self._length)
        kept = np.zeros(self._texts, dtype=bool)
        kept[texts] = True
        lengths = ends - starts
        self._chars = self._chars[: self._length][np.repeat(kept, lengths)]
        self._length = len(self._chars)
        self._slots = self._slots[: self._texts][kept]
        self._starts = np.concatenate([[0], np.cumsum(lengths[kept])[:-1]]).astype(np.int64)[: len(texts)]
        self._texts = len(texts)
        self._newest[:] = -1
        self._newest[self._slots] = np.arange(self._texts)
        self._frequency = np.bincount(self._chars, minlength=65_536).astype(np.int64)


def _texts_with(wanted: _Chars, chars: _Chars, starts: Int64, frequency: Int64) -> Int64:
    """The texts (by their place in ``starts``) in which a word stands; a text may be named more than once."""
    last = len(chars) - len(wanted)
    if last < 0 or not len(starts):
        return np.empty(0, dtype=np.int64)
    by_rarity = np.argsort(frequency, kind="stable").tolist()
    # Every place is looked at for the rarest character, and for the next ones as long as many are left.
    begins = np.zeros(len(chars), dtype=bool)
    head = begins[: last + 1]
    np.equal(chars[by_rarity[0] : last + by_rarity[0] + 1], wanted[by_rarity[0]], out=head)
    for done, offset in enumerate(by_rarity[1:], start=1):
        if np.count_nonzero(head) * _OFTEN < len(starts):
            places = np.flatnonzero(head)
            for other in by_rarity[done:]:
                places = places[chars[places + other] == wanted[other]]
            return np.searchsorted(starts, places, side="right") - 1
        head &= chars[offset : last + offset + 1] == wanted[offset]
    if np.count_nonzero(head) * _OFTEN < len(starts):
        return np.searchsorted(starts, np.flatnonzero(head), side="right") - 1
    return np.flatnonzero(np.logical_or.reduceat(begins, starts))


def _gathered(chars: _Chars, starts: Int64, texts: Int64) -> tuple[_Chars, Int64]:
    """Some texts on their own: their characters, and where each begins."""
    ends = np.append(starts[1:], len(chars))[texts]
    lengths = ends - starts[texts]
    begins = np.cumsum(lengths) - lengths
    places = np.repeat(starts[texts] - begins, lengths) + np.arange(int(lengths.sum()))
    return chars[places], begins


def fold(text: str) -> str:
    """Text as it is compared: lower case."""
    return text.lower()


def _roomy(array: npt.NDArray[T], needed: int) -> npt.NDArray[T]:
    if needed <= len(array):
        return array
    grown = np.empty(max(needed, 2 * len(array)), dtype=array.dtype)
    grown[: len(array)] = array
    return grown
