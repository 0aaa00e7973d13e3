"""What narrows a search, as chips and as a menu: a value goes in, another value comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtWidgets import QMenu

from db.cases.rules import LIGHT_LABELS, SOURCES, STATES, Light
from db.kernel.clock import to_ms
from db.kernel.language import N_, _, language
from db.live.directory import Directory
from db.search.rules import Query, Span
from desktop.core.words import local
from desktop.widgets.chips import Chip

Change = Callable[[Query], None]

_SETS = {
    "states": N_("Stage"),
    "districts": N_("District"),
    "units": N_("Unit"),
    "categories": N_("Category"),
    "sources": N_("Source"),
}
_KINDS = {"districts": "district", "units": "unit", "categories": "category"}
_EMPTY = Query()


def chips(query: Query, directory: Directory, zone: ZoneInfo) -> list[Chip]:
    """One chip for each part that narrows; the text is none."""
    made: list[Chip] = []
    for part, title in _SETS.items():
        if held := getattr(query, part):
            names = [_name(part, value, directory) for value in sorted(held)]
            # zh: {first} 等 {count} 项
            words = (
                _(", ").join(names)
                if len(names) <= 2
                else _("{first} and {count} more").format(first=names[0], count=len(names) - 1)
            )
            made.append(
                Chip(part, words, _("{what}: {values}").format(what=_(title), values=_(", ").join(names)))
            )
    if query.reported is not None:
        made.append(Chip("reported", _("reported {span}").format(span=_span_words(query.reported, zone))))
    if query.overdue:
        made.append(Chip("overdue", _(LIGHT_LABELS[Light.OVER])))
    if query.with_photo:
        made.append(Chip("with_photo", _("With a photo")))
    return made


def without(query: Query, part: str) -> Query:
    """The query with one part taken off."""
    return replace(query, **{part: getattr(_EMPTY, part)})


def cleared(query: Query) -> Query:
    """The query with nothing but its text."""
    return replace(_EMPTY, text=query.text, phone=query.phone)


def fill_menu(
    menu: QMenu, query: Query, directory: Directory, now_ms: int, zone: ZoneInfo, change: Change
) -> None:
    """Offer every part; ``change`` gets the query that a choice makes."""
    for part, title in _SETS.items():
        _fill_set(menu.addMenu(_(title)), part, query, directory, change)
    spans = menu.addMenu(_("Reported"))
    for words, span in _spans(now_ms, zone):
        _add_choice(spans, words, query.reported == span, _toggled(query, "reported", span), change)
    menu.addSeparator()
    over = _(LIGHT_LABELS[Light.OVER])
    _add_choice(menu, over, query.overdue, replace(query, overdue=not query.overdue), change)
    photo = replace(query, with_photo=not query.with_photo)
    _add_choice(menu, _("With a photo"), query.with_photo, photo, change)


def _fill_set(menu: QMenu, part: str, query: Query, directory: Directory, change: Change) -> None:
    held = getattr(query, part)
    target = menu
    major = ""
    for value, words in _choices(part, directory):
        if part == "categories":
            entry = directory.categories[value]
            if entry.major != major:
                major = entry.major
                target = menu.addMenu(_plain(directory.label("major", major, language())))
        _add_choice(target, words, value in held, replace(query, **{part: held ^ {value}}), change)
    if menu.isEmpty():
        menu.addAction(_("nothing to choose")).setEnabled(False)


def _add_choice(menu: QMenu, words: str, chosen: bool, query: Query, change: Change) -> None:
    action = menu.addAction(_plain(words))
    action.setCheckable(True)
    action.setChecked(chosen)
    action.triggered.connect(lambda _on=False: change(query))


def _choices(part: str, directory: Directory) -> list[tuple[Any, str]]:
    if part == "states":
        return [(code, _(state.label)) for code, state in STATES.items()]
    if part == "sources":
        return [(code, _(words)) for code, words in SOURCES.items()]
    return [(entry.id, entry.label(language())) for entry in directory.of(_KINDS[part])]


def _name(part: str, value: Any, directory: Directory) -> str:
    if part == "states":
        return _(STATES[value].label)
    if part == "sources":
        return _(SOURCES[value])
    return directory.label(_KINDS[part], value, language())


def _toggled(query: Query, part: str, value: Any) -> Query:
    return replace(query, **{part: None if getattr(query, part) == value else value})


def _spans(now_ms: int, zone: ZoneInfo) -> list[tuple[str, Span]]:
    """Stretches up to now, and the two years before this one as wholes."""
    today = local(now_ms, zone).date()

    def midnight(days_ago: int) -> int:
        return to_ms(datetime.combine(today - timedelta(days=days_ago), time(), zone))

    def new_year(year: int) -> int:
        return to_ms(datetime(year, 1, 1, tzinfo=zone))

    return [
        (_("today"), (midnight(0), None)),
        (_("in the last 7 days"), (midnight(6), None)),
        (_("in the last 30 days"), (midnight(29), None)),
        *(
            (str(year), (new_year(year), new_year(year + 1)))
            for year in (today.year, today.year - 1, today.year - 2)
        ),
    ]


def _span_words(span: Span, zone: ZoneInfo) -> str:
    first = "" if span[0] is None else f"{local(span[0], zone):%Y-%m-%d}"
    last = "" if span[1] is None else f"{local(span[1] - 1, zone):%Y-%m-%d}"
    if not last:
        return _("since {time}").format(time=first)
    return f"{first} – {last}"


def _plain(words: str) -> str:
    return words.replace("&", "&&")
