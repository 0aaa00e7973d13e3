"""Understands short orders as people type them: ``派 37 城关中队``, ``overdue 2h Xuefu Rd``, ``去 龙泉街道``.

Pure: it looks at the board and answers with readings, which tell word by word what was understood. It never
does anything; who shows a reading also carries it out.

    order    verb [ends of numbers] [unit] [reason]      what the verb asks for decides which of them
    filter   {light | time | stage | source | place | unit | category} [text in the address]
    going    去|go  place | unit | category | end of a number
    finding  找|find  text                                all of history
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from db.cases.rules import LIGHT_LABELS, SOURCES, STATES, Light
from db.cases.workflow import VERB_LABELS
from db.kernel.language import _, in_language, language
from db.live.board import Board
from db.live.directory import Directory
from db.live.filters import Filter
from db.live.naming import ABBREVIATED, EXACT, SPELLED, WORD_BEGINS, Names, folded

MINUTE_MS = 60_000
CHOICES = 12
"""So many readings are offered where words can mean several things; beyond that more must be typed."""
_LONGEST = 5
"""So many words one name may have."""

VERB_WORDS: Mapping[str, str] = {
    "accept": "受理",
    "register": "立案 file",
    "dispatch": "派 派遣 派单 派发 send",
    "reassign": "改派 转派 改",
    "receive": "接收 签收",
    "handle": "处置完成 办结 done",
    "pass_check": "核查通过 通过 pass",
    "fail_check": "核查不通过 返工 fail rework",
    "close": "结案",
    "urge": "催办 催 remind",
    "supervise": "督办 督",
    "void": "作废",
    "reject": "不予受理 不受理",
    "send_verify": "发核实 核实 verify",
    "send_check": "发核查 核查 check",
    "merge": "并案",
    "force_close": "强制结案",
    "resume": "恢复处置 恢复",
    "send_back": "退回受理 退回",
    "add_helper": "增加协办 协办",
}
"""How a verb is called besides its label."""

_GO = ("去", "到", "go", "goto")
_FIND = ("找", "查", "搜", "find", "search")
_LIGHT_WORDS: Mapping[int, str] = {
    int(Light.OVER): "超期 超时 逾期 over overdue late",
    int(Light.SOON): "临期 快到期 soon",
    int(Light.ON_TIME): "正常 未超期",
    int(Light.NO_CLOCK): "未派遣",
}
_UNIT_MS: Mapping[str, int] = {
    **dict.fromkeys(("分钟", "分", "min", "m", "minute", "minutes"), MINUTE_MS),
    **dict.fromkeys(("小时", "时", "个小时", "h", "hour", "hours"), 60 * MINUTE_MS),
    **dict.fromkeys(("天", "日", "d", "day", "days"), 24 * 60 * MINUTE_MS),
}
_ROAD_WORDS = {
    **dict.fromkeys(("rd", "road"), "lu"),
    **dict.fromkeys(("st", "street"), "jie"),
    **dict.fromkeys(("ave", "avenue"), "dadao"),
    **dict.fromkeys(("ln", "lane"), "xiang"),
}
_ROAD = re.compile(r"(?:^|[与和近、,，\s])([\u4e00-\u9fff]{1,7}?(?:大道|路|街|巷))")
_SPAN_UNITS = "|".join(sorted(_UNIT_MS, key=len, reverse=True))
_SPAN = re.compile(rf"(\d+(?:\.\d+)?)\s*({_SPAN_UNITS})")
# A time, a number, a run of Chinese, a run of letters, or a single other sign; spaces only part them.
_TOKEN = re.compile(rf"{_SPAN.pattern}(?![a-z])|\d+|[\u3400-\u9fff]+|[a-z][a-z'.-]*|[^\s\w]", re.IGNORECASE)


class Kind(StrEnum):
    """What a reading is good for."""

    ORDER = "order"
    FILTER = "filter"
    GO = "go"
    FIND = "find"


@dataclass(frozen=True)
class Word:
    """A stretch of what was typed, the part it plays, and what it was taken for in the reader's language."""

    typed: str
    part: str
    """verb, case, unit, light, time, state, source, district, community, category, road, reason, text; or
    "unknown" where it should name something and does not."""
    meaning: str


@dataclass(frozen=True)
class Reading:
    """One way to understand what was typed.

    An order has a verb and ``case_ids`` (typed, else the selected ones), a filter and a going a ``filter``,
    a finding its ``text``. ``lacking`` says what is still to be typed or settled before it can be done.
    """

    kind: Kind
    words: tuple[Word, ...]
    verb: str = ""
    case_ids: tuple[int, ...] = ()
    unit_id: int = 0
    text: str = ""
    filter: Filter | None = None
    lacking: str = ""


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int


class Grammar:
    """Reads sentences against a board; made once a window, its names follow the directory."""

    def __init__(self, board: Board, asks: Mapping[str, Sequence[str]]) -> None:
        """``asks``: what each verb asks for, as ``desktop.widgets.acting`` says it ("unit", "text", …)."""
        self._board = board
        self._asks = asks
        self._verbs = Names((verb, verb_words(verb)) for verb in asks)
        self._lexicon: _Lexicon | None = None
        self._roads: Names[str] | None = None

    def read(self, typed: str, selected: Iterable[int] = ()) -> tuple[Reading, ...]:
        """All readings, best first. What is no sentence at all gives none."""
        tokens = [_Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(typed)]
        if not tokens:
            return ()
        first = folded(tokens[0].text)
        if typed.strip().isdigit():
            return tuple(self._numbered(tokens[0], ()))
        for words, read in ((_FIND, self._finding), (_GO, self._going)):
            if word := _leading(first, words):
                return read(typed, _after(tokens, len(word)))
        return self._orders(typed, tokens, tuple(selected)) or self._filters(typed, tokens)

    # Orders.

    def _orders(self, typed: str, tokens: list[_Token], selected: tuple[int, ...]) -> tuple[Reading, ...]:
        found: list[Reading] = []
        for verb, length in self._leading_verbs(tokens[0].text):
            rest = _after(tokens, length)
            if rest:
                word = Word(tokens[0].text[:length], "verb", _(VERB_LABELS.get(verb, verb)))
                found += self._order(typed, verb, word, rest, selected)
        return tuple(found)

    def _leading_verbs(self, token: str) -> list[tuple[str, int]]:
        """Verbs that a token is, or, in Chinese, begins with, each with the length of the word."""
        wanted = folded(token)
        if wanted.isascii():
            # A word of English may be cut short, but not to less than three letters.
            worst = WORD_BEGINS if len(wanted) > 2 else SPELLED if len(wanted) > 1 else EXACT
            return [(verb, len(token)) for verb in self._verbs.best(wanted, worst)]
        longest = 0
        found: list[tuple[str, int]] = []
        for verb in self._asks:
            length = max((len(name) for name in verb_words(verb) if wanted.startswith(name)), default=0)
            if length > longest:
                longest, found = length, []
            if length and length == longest:
                found.append((verb, length))
        return found

    def _order(
        self, typed: str, verb: str, word: Word, tokens: list[_Token], selected: tuple[int, ...]
    ) -> Iterator[Reading]:
        ends: list[_Token] = []
        while tokens and tokens[0].text.isdigit():
            ends.append(tokens.pop(0))
        asks = self._asks[verb]
        takes_unit = "unit" in asks or "perhaps" in asks
        units, tokens = self._unit(typed, tokens) if takes_unit and tokens else (((0, None),), tokens)
        text = typed[tokens[0].start :].strip(" ,，。:：") if tokens else ""
        takes_text = "text" in asks or "maybe" in asks
        if text and not takes_text:
            after: tuple[Word, ...] = (Word(text, "unknown", _("more than this act asks for")),)
        else:
            after = (Word(text, "reason", _("reason")),) if text else ()
        for case_words, case_ids, why in self._cases(ends, selected, verb):
            for unit_id, unit_word in units:
                lacking = why
                if any(each.part == "unknown" for each in after):
                    lacking = lacking or _("“{text}” is more than this act asks for.").format(text=text)
                if unit_word is not None and unit_word.part == "unknown":
                    lacking = lacking or _("No unit is called “{name}”.").format(name=unit_word.typed)
                yield Reading(
                    Kind.ORDER,
                    (word, *case_words, *((unit_word,) if unit_word else ()), *after),
                    verb=verb,
                    case_ids=case_ids,
                    unit_id=unit_id,
                    text=text if takes_text else "",
                    lacking=lacking,
                )

    def _unit(
        self, typed: str, tokens: list[_Token]
    ) -> tuple[Sequence[tuple[int, Word | None]], list[_Token]]:
        """The units that the next words name, and what is left after them."""
        names = self._names.units
        first = tokens[0].text
        if not first.isascii():
            # Chinese runs on without a space: the longest name that it begins with.
            for length in range(len(first), 1, -1):
                if ids := [key for fit, key in names.find(first[:length], EXACT) if fit == EXACT]:
                    return self._unit_words(ids, first[:length]), _after(tokens, length)
        for count in range(min(len(tokens), _LONGEST), 0, -1):
            phrase = typed[tokens[0].start : tokens[count - 1].end]
            if ids := names.best(phrase, ABBREVIATED if count == 1 else WORD_BEGINS):
                return self._unit_words(ids, phrase), tokens[count:]
        return ((0, Word(first, "unknown", _("no such unit"))),), tokens[1:]

    def _unit_words(self, ids: Iterable[int], phrase: str) -> Sequence[tuple[int, Word | None]]:
        label = self._board.directory.label
        return [(key, Word(phrase, "unit", label("unit", key, language()))) for key in ids][:CHOICES]

    def _cases(
        self, ends: Sequence[_Token], selected: tuple[int, ...], verb: str
    ) -> Iterator[tuple[tuple[Word, ...], tuple[int, ...], str]]:
        """The cases that were meant, with their words and what is lacking; several where it is open."""
        if not ends:
            why = "" if selected else _("Select cases, or type the end of a number.")
            yield (), selected, why
            return
        told = [self._ending(each.text) for each in ends]
        for token, slots in zip(ends, told, strict=True):
            if not slots:
                words = tuple(Word(each.text, "case", "") for each in ends)
                yield words, (), _("No open case has a number ending in {end}.").format(end=token.text)
                return
        if len(ends) == 1:
            for slot in told[0][:CHOICES]:
                yield (self._case_word(ends[0], slot),), (int(self._board.store.id[slot]),), ""
            return
        words = tuple(
            self._case_word(token, slots[0])
            if len(slots) == 1
            else Word(token.text, "unknown", _("{count} cases").format(count=len(slots)))
            for token, slots in zip(ends, told, strict=True)
        )
        unclear = next((t.text for t, slots in zip(ends, told, strict=True) if len(slots) > 1), "")
        why = _("Several numbers end in {end}: type more digits.").format(end=unclear) if unclear else ""
        yield words, tuple(int(self._board.store.id[slots[0]]) for slots in told) if not why else (), why

    def _case_word(self, token: _Token, slot: int) -> Word:
        return Word(token.text, "case", self._board.store.number[slot])

    def _ending(self, digits: str) -> list[int]:
        """Slots of the open cases whose number ends in these digits: today's of that very serial first, then
        those on the list, then the newest."""
        store, lens = self._board.store, self._board.lens
        numbers = store.number
        slots = [slot for slot in np.flatnonzero(store.is_open).tolist() if numbers[slot].endswith(digits)]
        serial = digits.zfill(9)

        def place(slot: int) -> tuple[bool, bool, int]:
            is_today = store.reported_at[slot] >= store.day_start_ms
            is_serial = is_today and numbers[slot].endswith(serial)
            return not is_serial, not lens.mask[slot], -int(store.reported_at[slot])

        return sorted(slots, key=place)

    # Filters and places.

    def _filters(self, typed: str, tokens: list[_Token]) -> tuple[Reading, ...]:
        chosen, words = Filter(), []
        texts: list[str] = []
        known = 0
        while tokens:
            found = self._part(typed, tokens)
            if found is None:
                # What stands together is looked for together.
                chunk = typed[tokens[0].start :].split(maxsplit=1)[0]
                end = tokens[0].start + len(chunk)
                tokens = [each for each in tokens if each.start >= end]
                texts.append(chunk)
                words.append(Word(chunk, "text", _("in number, place, category or unit")))
                continue
            word, change, tokens = found
            chosen = change(chosen)
            words.append(word)
            known += 1
            if word.part == "road":
                texts.append(word.meaning)
        if not known:
            return ()
        if texts:
            chosen = replace(chosen, text=" ".join(texts))
        return (Reading(Kind.FILTER, tuple(words), filter=chosen),)

    def _part(
        self, typed: str, tokens: list[_Token]
    ) -> tuple[Word, Callable[[Filter], Filter], list[_Token]] | None:
        """What the next words narrow by: the word, how it changes a filter, what is left."""
        span = span_ms(tokens[0].text)
        if span is not None:
            return Word(tokens[0].text, "time", _span_words(span)), _narrow_time(span), tokens[1:]
        for count in range(min(len(tokens), _LONGEST), 0, -1):
            phrase = typed[tokens[0].start : tokens[count - 1].end]
            if hits := self._names.parts.best(phrase, SPELLED if len(folded(phrase)) > 1 else EXACT):
                part, value = hits[0]
                return self._named(phrase, part, value), _adding(part, value), tokens[count:]
            if road := self._road(phrase):
                return Word(phrase, "road", road), lambda chosen: chosen, tokens[count:]
        first = tokens[0].text
        if not first.isascii():
            for length in range(len(first) - 1, 1, -1):
                hits = [key for _fit, key in self._names.parts.find(first[:length], EXACT)]
                if hits:
                    part, value = hits[0]
                    left = _after(tokens, length)
                    return self._named(first[:length], part, value), _adding(part, value), left
        return None

    def _named(self, phrase: str, part: str, value: Any) -> Word:
        return Word(phrase, _PART_WORDS[part], part_label(part, value, self._board.directory))

    def _going(self, typed: str, tokens: list[_Token]) -> tuple[Reading, ...]:
        if not tokens:
            return ()
        place = typed[tokens[0].start :].strip()
        verb = Word(typed[: tokens[0].start].strip(), "verb", _("Go to"))
        if place.isdigit():
            return tuple(self._numbered(tokens[0], (verb,)))
        hits = [key for key in self._names.parts.best(place) if key[0] in _PLACES]
        readings = [
            Reading(Kind.GO, (verb, self._named(place, part, value)), filter=_adding(part, value)(Filter()))
            for part, value in hits[:CHOICES]
        ]
        road = self._road(place) or ("" if readings else place)
        if road:
            part = "road" if road != place or _ROAD.match(place) else "text"
            words = (verb, Word(place, part, road if part == "road" else _("in the address")))
            readings.append(Reading(Kind.GO, words, filter=Filter(text=road)))
        return tuple(readings)

    def _numbered(self, end: _Token, before: tuple[Word, ...]) -> Iterator[Reading]:
        for slot in self._ending(end.text)[:CHOICES]:
            case_ids = (int(self._board.store.id[slot]),)
            yield Reading(Kind.GO, (*before, self._case_word(end, slot)), case_ids=case_ids)

    def _finding(self, typed: str, tokens: list[_Token]) -> tuple[Reading, ...]:
        if not tokens:
            return ()
        text = typed[tokens[0].start :].strip()
        verb = Word(typed[: tokens[0].start].strip(), "verb", _("Search all cases"))
        return (Reading(Kind.FIND, (verb, Word(text, "text", _("anywhere in a case"))), text=text),)

    def _road(self, phrase: str) -> str:
        """The road of the city's addresses that a phrase names or spells; "" when there is none."""
        if not phrase.isascii():
            return ""
        letters = [_ROAD_WORDS.get(word.strip("."), word) for word in folded(phrase).split()]
        word = "".join(letters)
        # One letter or two fit too much to be called a road.
        if len(word) < 3:
            return ""
        if self._roads is None:
            names = dict.fromkeys(
                road for address in self._board.store.address[:20_000] for road in _ROAD.findall(address)
            )
            self._roads = Names((road, (road,)) for road in names)
        found = self._roads.best(word, SPELLED)
        # The shortest is the road itself, the others its branches.
        return min(found, key=len) if found else ""

    @property
    def _names(self) -> _Lexicon:
        directory = self._board.directory
        if self._lexicon is None or self._lexicon.directory is not directory:
            self._lexicon = _Lexicon(directory)
        return self._lexicon


class _Lexicon:
    """What the directory and the rules name, for one state of the directory."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory

    @cached_property
    def units(self) -> Names[int]:
        """The units that work can be given to."""
        return Names(
            (entry.id, (entry.name, entry.name_en)) for entry in self.directory.of("unit") if entry.active
        )

    @cached_property
    def parts(self) -> Names[tuple[str, Any]]:
        """Values of parts of a filter; places before units before categories where a word fits all."""
        return Names(self._parts())

    def _parts(self) -> Iterator[tuple[tuple[str, Any], tuple[str, ...]]]:
        for light, label in LIGHT_LABELS.items():
            yield ("lights", int(light)), (*_both(label), *_LIGHT_WORDS[int(light)].split())
        for code, state in STATES.items():
            yield ("states", code), _both(state.label)
        for code, label in SOURCES.items():
            yield ("sources", code), _both(label)
        directory = self.directory
        for part, kind in (("districts", "district"), ("communities", "community"), ("units", "unit")):
            for entry in directory.of(kind):
                yield (part, entry.id), (entry.name, entry.name_en)
        for entry in directory.of("major"):
            yield ("majors", entry.major), (entry.name, entry.name_en)
        for entry in directory.of("category"):
            yield ("categories", entry.id), (entry.name, entry.name_en)


_PART_WORDS = {
    "lights": "light",
    "states": "state",
    "sources": "source",
    "districts": "district",
    "communities": "community",
    "units": "unit",
    "majors": "category",
    "categories": "category",
}
_PLACES = frozenset({"districts", "communities", "units", "majors", "categories"})
_KINDS = {"districts": "district", "communities": "community", "units": "unit", "categories": "category"}


def part_label(part: str, value: Any, directory: Directory) -> str:
    """What a value of one part of a filter is called."""
    if part == "lights":
        return _(LIGHT_LABELS[Light(value)])
    if part == "states":
        return _(STATES[value].label)
    if part == "sources":
        return _(SOURCES[value])
    return directory.label(_KINDS.get(part, "major"), value, language())


def verb_words(verb: str) -> tuple[str, ...]:
    """All that a verb is called, folded: its label in both languages and the words people use."""
    return tuple(
        folded(word) for word in (*_both(VERB_LABELS.get(verb, verb)), *VERB_WORDS.get(verb, "").split())
    )


def span_ms(word: str) -> int | None:
    """A length of time ("2小时", "90 min", "1.5h") in milliseconds; ``None`` when a word is none."""
    match = _SPAN.fullmatch(folded(word))
    if match is None:
        return None
    return round(float(match.group(1)) * _UNIT_MS[match.group(2)])


def _narrow_time(span: int) -> Callable[[Filter], Filter]:
    """Over by more than that after "overdue", due within that after "soon"; else both."""

    def narrow(chosen: Filter) -> Filter:
        if chosen.lights == {int(Light.OVER)}:
            return replace(chosen, lights=frozenset(), slack=(None, -span))
        if chosen.lights == {int(Light.SOON)}:
            return replace(chosen, lights=frozenset(), slack=(0, span))
        return replace(chosen, slack=(None, span))

    return narrow


def _adding(part: str, value: Any) -> Callable[[Filter], Filter]:
    def add(chosen: Filter) -> Filter:
        if part == "lights" and chosen.slack is not None:
            # "2小时 超期" says the same as "超期 2小时".
            bare = replace(chosen, slack=None, lights=frozenset({value}))
            return _narrow_time(abs(chosen.slack[1] or 0))(bare)
        return replace(chosen, **{part: getattr(chosen, part) | {value}})

    return add


def _span_words(span: int) -> str:
    hours, minutes = divmod(span // MINUTE_MS, 60)
    # zh: {hours}小时{minutes}分
    return (
        _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)
        if minutes
        # zh: {hours}小时
        else (_("{hours} h").format(hours=hours))
    )


def _both(label: str) -> tuple[str, ...]:
    return tuple(in_language(code, label) for code in ("zh_CN", "en"))


def _leading(first: str, words: Iterable[str]) -> str:
    """The word of ``words`` that a folded token is or, in Chinese, begins with; "" for none."""
    return next(
        (word for word in words if first == word or (not word.isascii() and first.startswith(word))), ""
    )


def _after(tokens: Sequence[_Token], length: int) -> list[_Token]:
    """The tokens without the first ``length`` characters of the first one."""
    first = tokens[0]
    cut = [_Token(first.text[length:], first.start + length, first.end)] if length < len(first.text) else []
    return [*cut, *tokens[1:]]
