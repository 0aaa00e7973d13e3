"""One gettext catalogue for desktop, command line and reports; the English text in the code is the key."""

from __future__ import annotations

import gettext
import io
import locale
import os
from functools import cache

from db.kernel.resources import resource

LANGUAGES = ("zh_CN", "en")
DOMAIN = "jingwei"

_current: gettext.NullTranslations = gettext.NullTranslations()
_code = "en"


def _(text: str) -> str:
    """``text`` in the reader's language."""
    return _current.gettext(text) if text else ""


def ngettext_(one: str, many: str, count: int) -> str:
    """``one`` or ``many`` in the reader's language, by ``count``."""
    return _current.ngettext(one, many, count)


def N_(text: str) -> str:  # noqa: N802  the name that gettext's tools look for
    """Mark ``text`` for the catalogue; it is translated with ``_`` when it is shown."""
    return text


def language() -> str:
    """The language in use: ``zh_CN`` or ``en``."""
    return _code


def in_language(code: str, text: str) -> str:
    """``text`` in a language of ``LANGUAGES``, whichever is in use: a thing is found by all its names."""
    if code == _code:
        return _(text)
    return text if code == "en" else _catalogue(code).gettext(text)


def set_language(code: str | None) -> str:
    """Speak ``code``, or the system's language when it is ``None``; returns what is in use now."""
    global _code, _current
    _code = _nearest(code or system_language())
    _current = gettext.NullTranslations() if _code == "en" else _load(_code)
    return _code


def system_language() -> str:
    """What the computer speaks, from ``JINGWEI_LANG``, the POSIX variables, or Windows' own setting."""
    for name in ("JINGWEI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value
    return locale.getlocale()[0] or "en"


def _nearest(code: str) -> str:
    return "zh_CN" if code.lower().startswith(("zh", "chinese")) else "en"


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    return _load(code)


def _load(code: str) -> gettext.NullTranslations:
    folder = resource("locale") / code / "LC_MESSAGES"
    source, compiled = folder / f"{DOMAIN}.po", folder / f"{DOMAIN}.mo"
    if compiled.exists() and (not source.exists() or compiled.stat().st_mtime >= source.stat().st_mtime):
        with compiled.open("rb") as stream:
            return gettext.GNUTranslations(stream)
    if not source.exists():
        return gettext.NullTranslations()
    return gettext.GNUTranslations(_compile(source.read_bytes(), code))


def _compile(source: bytes, code: str) -> io.BytesIO:
    # Imported here because a start from an installed program finds the compiled file and never needs Babel.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    stream = io.BytesIO()
    write_mo(stream, read_po(io.BytesIO(source), locale=code))
    stream.seek(0)
    return stream
