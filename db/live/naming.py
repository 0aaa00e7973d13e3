"""Finds things by what people call them: in Chinese, in English, by pinyin, by first letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from db.registers.finding import Syllables, spells, syllables

Key = TypeVar("Key", bound=Hashable)

EXACT, BEGINS, SPELLED, WORD_BEGINS, INSIDE, SPELLED_INSIDE, ABBREVIATED = range(7)
"""How well a word fits a name, best first. ``gp`` and ``gaipai`` spell 改派; ``cgd`` abbreviates 城关中队."""


def folded(text: str) -> str:
    """Text as names are compared: full-width forms and capitals do not matter."""
    return unicodedata.normalize("NFKC", text).lower().strip()


@dataclass(frozen=True)
class Name:
    """One way to call a thing, folded."""

    text: str

    @cached_property
    def spoken(self) -> Syllables:
        """The pinyin of a Chinese name; nothing for a name in letters."""
        return () if self.text.isascii() else syllables(self.text)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of a name in letters."""
        return tuple("".join(sign if sign.isalnum() else " " for sign in self.text).split())

    @cached_property
    def initials(self) -> str:
        """The first letters of its syllables or words."""
        return "".join(part[0] for part in self.spoken or self.words)

    def fit(self, word: str) -> int | None:
        """How well a folded word without spaces at its ends fits, 0 best; ``None`` when it does not."""
        if word == self.text:
            return EXACT
        if self.text.startswith(word):
            # "long" is a word cut short, "longquan" the first of two.
            is_whole = not (word[-1:].isalpha() and word.isascii() and self.text[len(word)].isalpha())
            return BEGINS if is_whole else WORD_BEGINS
        if not word.isascii():
            return INSIDE if word in self.text else None
        letters = "".join(word.split())
        if not letters[:1].isalpha():
            return INSIDE if word in self.text else None
        if self.spoken:
            start = spells(letters, self.spoken)
            if start >= 0:
                return SPELLED if start == 0 else SPELLED_INSIDE
        elif any(each.startswith(word) for each in self.words):
            return WORD_BEGINS
        elif len(word) > 2 and word in self.text:
            return INSIDE
        return ABBREVIATED if _abbreviates(letters, self.initials) else None


def _abbreviates(letters: str, initials: str) -> bool:
    """Whether ``letters`` are some of the initials in their order, the first among them."""
    if len(letters) < 2 or letters[0] != initials[:1]:
        return False
    rest = iter(initials)
    return all(letter in rest for letter in letters)


class Names(Generic[Key]):
    """Things by their names; the order in which they were given decides among equals."""

    def __init__(self, named: Iterable[tuple[Key, Iterable[str]]]) -> None:
        self._named = [
            (key, tuple(Name(text) for text in dict.fromkeys(map(folded, names)) if text))
            for key, names in named
        ]

    def find(self, word: str, worst: int = ABBREVIATED) -> list[tuple[int, Key]]:
        """All things that ``word`` fits at least as well as ``worst``, best first, each with its fit."""
        wanted = folded(word)
        if not wanted:
            return []
        found: list[tuple[int, int, Key]] = []
        for place, (key, names) in enumerate(self._named):
            fits = [fit for name in names if (fit := name.fit(wanted)) is not None and fit <= worst]
            if fits:
                found.append((min(fits), place, key))
        found.sort(key=lambda hit: hit[:2])
        return [(fit, key) for fit, _place, key in found]

    def best(self, word: str, worst: int = ABBREVIATED) -> list[Key]:
        """The things that ``word`` fits best, all equally well: more than one is a choice to be made."""
        found = self.find(word, worst)
        return [key for fit, key in found if fit == found[0][0]]
