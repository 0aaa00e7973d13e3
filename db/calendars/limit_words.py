"""Limits as people write them, in Chinese and English: “4 工作时”, “2紧急工作时”, “3 working days”."""

from __future__ import annotations

import re
import unicodedata

from db.calendars.rules import Limit, LimitUnit
from db.kernel.language import N_, ngettext_
from db.kernel.refusal import Refused
from db.kernel.text import one_line

LARGEST = 9999

# Urgent units first: “2紧急工作时” read as 工作时 was another program's mistake (PEERS 9.3).
_UNITS = (
    (LimitUnit.URGENT_HOUR, r"紧急(?:工作)?(?:小时|时)|urgent[ _-]*(?:working[ _-]*)?hours?"),
    (LimitUnit.URGENT_DAY, r"紧急(?:工作)?[日天]|urgent[ _-]*(?:working[ _-]*)?days?"),
    (LimitUnit.WORKING_HOUR, r"工作(?:小时|时)|(?:work|working|business|office)[ _-]*hours?"),
    (LimitUnit.WORKING_DAY, r"工作[日天]|(?:work|working|business)[ _-]*days?"),
    (LimitUnit.NATURAL_DAY, r"(?:自然|日历)[日天]|(?:natural|calendar)[ _-]*days?"),
)
_PATTERNS = tuple((unit, re.compile(pattern)) for unit, pattern in _UNITS)
_NO_CLOCK = re.compile(r"小时|时|天|日|hours?|days?|[hd]")
_AMOUNT = re.compile(r"(\d{1,9}|[一二两三四五六七八九十]{1,3}|an?|one)\s*个?\s*(.*)")
_DIGITS = {word: value for value, word in enumerate("一二三四五六七八九", start=1)} | {"两": 2}


def parse_limit(text: str) -> Limit:
    """The limit that a text tells.

    Raises ``Refused``: ``no_limit`` for what is none, ``limit_without_clock`` for “3 天” or “4 hours”, which
    may mean either clock.
    """
    shown = one_line(text, 40)
    plain = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    found = _AMOUNT.fullmatch(plain)
    amount = _number(found[1]) if found else 0
    word = found[2] if found else ""
    unit = next((unit for unit, pattern in _PATTERNS if pattern.fullmatch(word)), None)
    if unit is None and amount and _NO_CLOCK.fullmatch(word):
        raise Refused(
            "limit_without_clock",
            N_(
                "“{text}” does not say by which clock: write 工作时, 紧急工作时, 工作日, 紧急工作日 or 自然日"
                " (working hours, urgent hours, working days, urgent days, calendar days)."
            ),
            text=shown,
        )
    if unit is None or not 1 <= amount <= LARGEST:
        raise Refused(
            "no_limit",
            N_("“{text}” is not a limit such as “4 工作时”, “2紧急工作时” or “3 working days”."),
            text=shown,
        )
    return Limit(amount, unit)


def say_limit(limit: Limit) -> str:
    """A limit in the reader's language."""
    count = limit.amount
    match limit.unit:
        case LimitUnit.URGENT_HOUR:
            # zh: {count} 紧急工作时
            words = ngettext_("{count} urgent hour", "{count} urgent hours", count)
        case LimitUnit.URGENT_DAY:
            # zh: {count} 紧急工作日
            words = ngettext_("{count} urgent day", "{count} urgent days", count)
        case LimitUnit.WORKING_HOUR:
            # zh: {count} 工作时
            words = ngettext_("{count} working hour", "{count} working hours", count)
        case LimitUnit.WORKING_DAY:
            # zh: {count} 工作日
            words = ngettext_("{count} working day", "{count} working days", count)
        case LimitUnit.NATURAL_DAY:
            # zh: {count} 自然日
            words = ngettext_("{count} calendar day", "{count} calendar days", count)
    return words.format(count=count)


def _number(word: str) -> int:
    if word.isdecimal():
        return int(word)
    if word in {"a", "an", "one"}:
        return 1
    tens, ten, ones = word.rpartition("十")
    if not ten:
        return _DIGITS.get(word, 0)
    if (tens and tens not in _DIGITS) or (ones and ones not in _DIGITS):
        return 0
    return _DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0)
