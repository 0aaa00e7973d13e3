"""Finds a class by code, name, pinyin, first letters or in English, while it is being typed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from db.registers.queries import CategoryValue

Syllables = tuple[str, ...]


@lru_cache(maxsize=8192)
def syllables(text: str) -> Syllables:
    """The pinyin of each Chinese character without tones; a run of other letters is one syllable."""
    # Imported here because its dictionaries take a fifth of a second and only a search needs them.
    from pypinyin import lazy_pinyin

    spoken = " ".join(lazy_pinyin(text))
    # Brackets and commas are never typed.
    return tuple("".join(sign if sign.isalnum() else " " for sign in _folded(spoken)).split())


def spells(word: str, spoken: Syllables) -> int:
    """Where in ``spoken`` a row of syllables begins that ``word`` spells out; -1 when none does.

    Each syllable may be whole, its first letter, or anything between: gsjg, gongshui and gongsjing all spell
    gong shui jing gai.
    """
    for start, first in enumerate(spoken):
        if first[0] == word[0] and _spells_from(word, spoken, start):
            return start
    return -1


def _spells_from(word: str, spoken: Syllables, start: int) -> bool:
    reached = {0}
    for syllable in spoken[start:]:
        further = set()
        for at in reached:
            for length in range(1, len(syllable) + 1):
                if not word.startswith(syllable[:length], at):
                    break
                further.add(at + length)
        if len(word) in further:
            return True
        if not further:
            return False
        reached = further
    return False


@dataclass(frozen=True)
class _Entry:
    value: CategoryValue
    code: str
    name: str
    major: str
    english: str
    english_words: tuple[str, ...]
    spoken: Syllables
    major_spoken: Syllables
    standing: tuple[int, int, str, str]
    """What decides among equals: the class in force, the one used most, code and standard."""


class Finder:
    """An index over the classes; built once, asked at each key (under 5 ms for 600 classes)."""

    def __init__(self, classes: Iterable[CategoryValue], used: Mapping[int, int] | None = None) -> None:
        """``used`` counts the cases of a class by its id: what is reported often stands first."""
        counts = used or {}
        self._entries = [_entry(value, counts.get(value.id, 0)) for value in classes]
        self._entries.sort(key=lambda entry: entry.standing)

    def find(self, words: str, limit: int = 12) -> list[CategoryValue]:
        """The classes that all of ``words`` fit, best first; without words the usual ones."""
        wanted = _folded(words).split()
        if not wanted:
            return [entry.value for entry in self._entries[:limit]]
        found = []
        for entry in self._entries:
            ranks = []
            for word in wanted:
                rank = _rank(word, entry)
                if rank is None:
                    break
                ranks.append(rank)
            else:
                found.append((max(ranks), sum(ranks), len(entry.name), entry))
        found.sort(key=lambda hit: (hit[0], hit[3].standing[0], hit[1], hit[3].standing[1], hit[2]))
        return [hit[3].value for hit in found[:limit]]


def _entry(value: CategoryValue, count: int) -> _Entry:
    english = _folded(value.name_en)
    return _Entry(
        value,
        value.code.lower(),
        _folded(value.name),
        _folded(value.major_name),
        english,
        tuple(english.replace("-", " ").replace("/", " ").split()),
        syllables(value.name),
        syllables(value.major_name),
        (value.successor_id is not None, -count, value.code, value.standard),
    )


def _rank(word: str, entry: _Entry) -> int | None:
    """How well one word fits, 0 best; ``None`` when it does not."""
    if word[0].isdigit():
        if entry.code == word:
            return 0
        if entry.code.startswith(word):
            return 2
    if word in entry.name:
        return 0 if word == entry.name else 1 if entry.name.startswith(word) else 3
    if word.isascii() and word[0].isalpha():
        return _rank_letters(word, entry)
    return 7 if word in entry.major else None


def _rank_letters(word: str, entry: _Entry) -> int | None:
    start = spells(word, entry.spoken)
    if start == 0:
        return 1
    if entry.english.startswith(word):
        return 2
    if any(each.startswith(word) for each in entry.english_words):
        return 3
    if start > 0:
        return 4
    if len(word) > 2 and word in entry.english:
        return 6
    if spells(word, entry.major_spoken) == 0 or _folded(entry.value.major_name_en).startswith(word):
        return 7
    return None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
