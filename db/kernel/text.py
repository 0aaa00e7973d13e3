"""Cleaning of text that came from outside: citizens, files, other systems."""

from __future__ import annotations

import unicodedata

_KEPT = {"\n", "\t"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def clean(text: str, limit: int = 4000) -> str:
    """``text`` without control and direction-changing characters, line ends as ``\\n``, cut at ``limit``.

    Nothing is escaped here: text stays text, and whoever draws it draws it as text.
    """
    joined = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(c for c in joined if c in _KEPT or unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cs"})
    return kept.strip()[:limit]


def one_line(text: str, limit: int = 400) -> str:
    """``text`` cleaned and folded onto one line."""
    return " ".join(clean(text, limit * 2).split())[:limit]


def no_formula(text: str) -> str:
    """``text`` with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def mask_phone(phone: str) -> str:
    """A telephone number with at least four signs of its middle hidden (DOMAIN 6.5): 138****1234."""
    shown = min(7, max(0, len(phone) - 4))
    front = shown * 3 // 7
    return phone[:front] + "*" * (len(phone) - shown) + phone[len(phone) - shown + front :]


def mask_name(name: str) -> str:
    """A personal name with all but the first character hidden (DOMAIN 6.5): 张*."""
    return name[:1] + "*" * max(0, min(len(name) - 1, 2))
