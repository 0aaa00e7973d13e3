"""Reads the small TOML file in which a clerk says what a source's columns and words mean.

Everything that is wrong with such a file is said at once, each fault with its key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from db.cases.rules import SOURCES, STATES
from db.exchange.values import DATE_FORMATS, DEFAULT_FORMATS
from db.kernel.geo import TO_WGS84, on_earth
from db.kernel.language import N_
from db.kernel.refusal import Refused, refuse_all
from db.kernel.resources import resource

ENCODINGS = ("auto", "utf-8", "gb18030")
DELIMITERS = {"auto": "", "comma": ",", "semicolon": ";", "tab": "\t", ",": ",", ";": ";", "\t": "\t"}
TEXT_FIELDS = (
    "number",
    "state",
    "source",
    "description",
    "address",
    "unit",
    "unit_name",
    "district",
    "lon",
    "lat",
    "reporter_name",
    "reporter_phone",
    "note",
)
DATE_FIELDS = ("reported_at", "filed_at", "dispatched_at", "handled_at", "due_at", "closed_at")
NEEDED_FIELDS = ("state", "reported_at")
OTHERS = "*"
"""The word that stands for every word not named."""
UNIT_KINDS = ("district", "squad", "office", "company", "centre")
MAX_FILE = 1_000_000
MAX_SYSTEM = 24
"""The name of a source is also the name of its own code list: as long as ``category.standard`` allows."""


@dataclass(frozen=True)
class Pick:
    """Which columns make a value: the first choice that is filled; a choice of several columns is joined."""

    choices: tuple[tuple[str, ...], ...]
    joined_by: str = " "

    @property
    def headings(self) -> tuple[str, ...]:
        """Every heading named, each once."""
        return tuple(dict.fromkeys(heading for choice in self.choices for heading in choice))


@dataclass(frozen=True)
class Target:
    """A class of a code list: unique is the whole triple (DOMAIN 0.2)."""

    standard: str
    kind: str
    code: str

    def __str__(self) -> str:
        return f"{self.standard}/{self.kind}/{self.code}"


@dataclass(frozen=True)
class Extension:
    """A class of the source's own, for what no standard list has."""

    target: Target
    major: str
    major_name: str
    major_name_en: str
    name: str
    name_en: str


@dataclass(frozen=True)
class Words:
    """Their word to ours, written in any case; ``Noise*`` stands for every word that begins so, ``*`` for
    the rest.
    """

    exact: Mapping[str, str] = field(default_factory=dict)
    prefixes: tuple[tuple[str, str], ...] = ()
    others: str | None = None

    def find(self, word: str) -> str | None:
        """Our word, or ``None``; what ``*`` says is not asked here, so that the caller can count it."""
        key = word.casefold()
        found = self.exact.get(key)
        if found is not None:
            return found
        return next((ours for prefix, ours in self.prefixes if key.startswith(prefix)), None)


@dataclass(frozen=True)
class Register:
    """How units or districts are found by the source's word, and whether the register may grow from the
    file.
    """

    create: bool = False
    words: Words = field(default_factory=Words)
    names: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    kind: str = "office"


@dataclass(frozen=True)
class City:
    """The city of the source; written only into a database that has none yet."""

    name: str
    name_en: str
    bounds: tuple[float, float, float, float] | None

    def holds(self, lon: float, lat: float) -> bool:
        """Whether a point lies in the bounds; true when none were given."""
        if self.bounds is None:
            return True
        west, south, east, north = self.bounds
        return west <= lon <= east and south <= lat <= north


@dataclass(frozen=True)
class CaseMapping:
    """A checked mapping file."""

    file: str
    system: str
    number_prefix: str
    encoding: str
    delimiter: str
    header_line: int
    zone: str
    datum: str
    date_formats: tuple[str, ...]
    city: City
    columns: Mapping[str, Pick]
    states: Words
    sources: Words
    category_columns: tuple[str, ...]
    category_words: Words
    categories: Mapping[str, Target]
    extensions: tuple[Extension, ...]
    units: Register
    districts: Register
    keep_contradicting: bool
    """Whether a row whose times contradict is kept without the later time, instead of being skipped."""

    @property
    def headings(self) -> tuple[str, ...]:
        """Every heading that the file must have, each once, in the order of the mapping."""
        named = [heading for pick in self.columns.values() for heading in pick.headings]
        return tuple(dict.fromkeys([*named, *self.category_columns]))

    def target(self, word: str) -> Target | None:
        """The class of a word of ``[categories.words]``: its value as a triple."""
        return self.categories.get(word)


def shipped_mappings() -> list[Path]:
    """The mapping files that come with the program."""
    return sorted(resource("reference", "mappings").glob("*.toml"))


def read_mapping(path: Path) -> CaseMapping:
    """Read and check a mapping file.

    Raises ``Refused`` with every fault at once: file, key and reason.
    """
    return _Reader(path.name, _load(path)).mapping()


def _load(path: Path) -> dict[str, Any]:
    name = str(path)
    try:
        if path.stat().st_size > MAX_FILE:
            raise Refused("bad_mapping", N_("{file} is too large for a mapping file."), file=name)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Refused(
            "no_mapping",
            N_("The mapping file {file} cannot be read: {reason}"),
            file=name,
            reason=error.strerror or str(error),
        ) from error
    except UnicodeDecodeError as error:
        raise Refused(
            "bad_mapping",
            N_("{file} is not written in UTF-8 (byte {at}); save it as UTF-8."),
            file=name,
            at=error.start + 1,
        ) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(
            "bad_mapping", N_("{file} is not a TOML file: {reason}"), file=name, reason=str(error)
        ) from error


class _Reader:
    """Takes a mapping apart and collects what is wrong with it."""

    def __init__(self, file: str, tables: dict[str, Any]) -> None:
        self.file = file
        self.tables = tables
        self.faults: list[Refused] = []

    def mapping(self) -> CaseMapping:
        known = ("source", "city", "columns", "states", "sources", "categories", "extension", "units")
        self._only(self.tables, "", (*known, "districts", "rules"))
        source = self._table("source")
        columns = self._table("columns")
        categories = self._table("categories")
        rules = self._table("rules")
        self._only(
            source,
            "source",
            (
                "name",
                "number_prefix",
                "encoding",
                "delimiter",
                "header_line",
                "time_zone",
                "datum",
                "date_formats",
            ),
        )
        self._only(columns, "columns", (*TEXT_FIELDS, *DATE_FIELDS))
        self._only(categories, "categories", ("columns", "standard", "default", "words"))
        self._only(rules, "rules", ("contradicting_times",))
        system = self._text(source, "source", "name", needed=True, limit=MAX_SYSTEM)
        extensions = self._extensions(system)
        standard = self._text(categories, "categories", "standard", "GB/T 47678.5-2026", limit=MAX_SYSTEM)
        category_words = self._words(self._inner(categories, "categories", "words"), "categories.words")
        default = self._text(categories, "categories", "default", needed=True)
        for field_name in NEEDED_FIELDS:
            if field_name not in columns:
                self._fault(N_("{file}: {key} is missing."), f"columns.{field_name}")
        if ("lon" in columns) != ("lat" in columns):
            self._fault(N_("{file}: {key}: a position needs both lon and lat."), "columns")
        result = CaseMapping(
            file=self.file,
            system=system,
            number_prefix=self._text(source, "source", "number_prefix", limit=8),
            encoding=self._choice(source, "source", "encoding", ENCODINGS, "auto"),
            delimiter=DELIMITERS[self._choice(source, "source", "delimiter", tuple(DELIMITERS), "auto")],
            header_line=self._header_line(source),
            zone=self._zone(source),
            datum=self._choice(source, "source", "datum", tuple(TO_WGS84), "WGS-84"),
            date_formats=self._formats(source),
            city=self._city(),
            columns={name: self._pick(columns, name) for name in columns},
            states=self._checked_words("states", STATES),
            sources=self._checked_words("sources", SOURCES),
            category_columns=self._category_columns(categories),
            category_words=Words(category_words.exact, category_words.prefixes, default),
            categories=self._targets(category_words, default, standard, extensions),
            extensions=tuple(extensions.values()),
            units=self._register("units"),
            districts=self._register("districts"),
            keep_contradicting=self._choice(rules, "rules", "contradicting_times", ("skip", "drop"), "skip")
            == "drop",
        )
        refuse_all(self.faults)
        return result

    def _fault(self, message: str, key: str, **facts: object) -> None:
        self.faults.append(Refused("bad_mapping", message, file=self.file, key=key, **facts))

    def _table(self, name: str) -> dict[str, Any]:
        return self._inner(self.tables, "", name)

    def _inner(self, table: dict[str, Any], path: str, name: str) -> dict[str, Any]:
        value = table.get(name, {})
        if not isinstance(value, dict):
            self._fault(N_("{file}: {key} must be a table."), _key(path, name))
            return {}
        return value

    def _only(self, table: dict[str, Any], path: str, known: Collection[str]) -> None:
        for name in table:
            if name not in known:
                self._fault(
                    N_("{file}: {key} is not known; known are {known}."),
                    _key(path, name),
                    known=", ".join(known),
                )

    def _text(
        self,
        table: dict[str, Any],
        path: str,
        name: str,
        default: str = "",
        *,
        needed: bool = False,
        limit: int = 100,
    ) -> str:
        value = table.get(name, default)
        key = _key(path, name)
        if not isinstance(value, str):
            self._fault(N_("{file}: {key} must be a text in quotes."), key)
            return default
        if needed and not value.strip():
            self._fault(N_("{file}: {key} is missing."), key)
        if len(value) > limit:
            self._fault(N_("{file}: {key} has more than {limit} characters."), key, limit=limit)
        return value.strip()

    def _choice(
        self, table: dict[str, Any], path: str, name: str, allowed: Collection[str], default: str
    ) -> str:
        value = table.get(name, default)
        if isinstance(value, str) and value in allowed:
            return value
        self._fault(
            N_("{file}: {key} is “{value}”; allowed are {known}."),
            _key(path, name),
            value=value,
            known=", ".join(repr(each).strip("'") for each in allowed),
        )
        return default

    def _header_line(self, source: dict[str, Any]) -> int:
        value = source.get("header_line", 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
            self._fault(N_("{file}: {key} must be a line number from 1 to 100."), "source.header_line")
            return 1
        return value

    def _zone(self, source: dict[str, Any]) -> str:
        name = self._text(source, "source", "time_zone", "Asia/Shanghai")
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            self._fault(N_("{file}: {key}: there is no time zone “{value}”."), "source.time_zone", value=name)
            return "Asia/Shanghai"
        return name

    def _formats(self, source: dict[str, Any]) -> tuple[str, ...]:
        value = source.get("date_formats", list(DEFAULT_FORMATS))
        key = "source.date_formats"
        if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
            self._fault(N_("{file}: {key} must be a list of texts."), key)
            return DEFAULT_FORMATS
        for each in value:
            if each not in DATE_FORMATS:
                self._fault(
                    N_("{file}: {key} is “{value}”; allowed are {known}."),
                    key,
                    value=each,
                    known=", ".join(DATE_FORMATS),
                )
        if {"month-first", "day-first"} <= set(value):
            self._fault(
                N_("{file}: {key}: 04/05/2024 cannot be both month-first and day-first; keep one."), key
            )
        return tuple(each for each in value if each in DATE_FORMATS)

    def _city(self) -> City:
        city = self._table("city")
        self._only(city, "city", ("name", "name_en", "bounds"))
        bounds = city.get("bounds")
        if bounds is not None and not (
            isinstance(bounds, list)
            and len(bounds) == 4
            and all(isinstance(b, int | float) for b in bounds)
            and on_earth(bounds[0], bounds[1])
            and on_earth(bounds[2], bounds[3])
            and bounds[0] < bounds[2]
            and bounds[1] < bounds[3]
        ):
            self._fault(N_("{file}: {key} must be four degrees: west, south, east, north."), "city.bounds")
            bounds = None
        name = self._text(city, "city", "name")
        return City(
            name,
            self._text(city, "city", "name_en", name),
            None if bounds is None else (bounds[0], bounds[1], bounds[2], bounds[3]),
        )

    def _pick(self, columns: dict[str, Any], name: str) -> Pick:
        value = columns[name]
        key = f"columns.{name}"
        joined_by = " "
        if isinstance(value, dict):
            self._only(value, key, ("first", "join"))
            joined_by = value.get("join", " ")
            value = value.get("first")
            choices = value if isinstance(value, list) else None
        elif isinstance(value, list) and name in DATE_FIELDS:
            # Two dates cannot be joined: a list means "the first that is filled".
            choices = value
        else:
            choices = [value]
        picked = None if choices is None else [_headings(choice) for choice in choices]
        if not picked or not all(picked) or not isinstance(joined_by, str):
            self._fault(
                N_("{file}: {key} must be a heading, a list of headings, or {{ first = […], join = “…” }}."),
                key,
            )
            return Pick(())
        return Pick(tuple(choice for choice in picked if choice), joined_by)

    def _category_columns(self, categories: dict[str, Any]) -> tuple[str, ...]:
        found = _headings(categories.get("columns", []))
        if not found:
            self._fault(N_("{file}: {key} is missing."), "categories.columns")
        return found

    def _words(self, table: dict[str, Any], path: str) -> Words:
        exact: dict[str, str] = {}
        prefixes: list[tuple[str, str]] = []
        others = None
        for theirs, ours in table.items():
            if not isinstance(ours, str):
                self._fault(N_("{file}: {key} must be a text in quotes."), _key(path, theirs))
            elif theirs == OTHERS:
                others = ours
            elif theirs.endswith("*"):
                prefixes.append((theirs[:-1].casefold(), ours))
            elif exact.setdefault(theirs.casefold(), ours) != ours:
                self._fault(N_("{file}: {key} is there twice."), _key(path, theirs))
        # The longer beginning says more.
        prefixes.sort(key=lambda pair: -len(pair[0]))
        return Words(exact, tuple(prefixes), others)

    def _checked_words(self, path: str, allowed: Collection[str]) -> Words:
        table = self._table(path)
        for theirs, ours in table.items():
            if isinstance(ours, str) and ours not in allowed:
                self._fault(
                    N_("{file}: {key} is “{value}”; allowed are {known}."),
                    _key(path, theirs),
                    value=ours,
                    known=", ".join(allowed),
                )
        if path == "states" and not table:
            self._fault(N_("{file}: {key} is missing."), path)
        return self._words(table, path)

    def _extensions(self, system: str) -> dict[str, Extension]:
        rows = self.tables.get("extension", [])
        found: dict[str, Extension] = {}
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._fault(N_("{file}: {key} must be written as [[extension]]."), "extension")
            return found
        for position, row in enumerate(rows, 1):
            path = f"extension {position}"
            self._only(row, path, ("code", "kind", "major", "major_name", "major_name_en", "name", "name_en"))
            code = self._text(row, path, "code", needed=True, limit=12)
            name = self._text(row, path, "name", needed=True, limit=80)
            major_name = self._text(row, path, "major_name", needed=True, limit=60)
            if code in found or "/" in code:
                self._fault(N_("{file}: {key} is there twice, or holds a “/”."), f"{path}.code {code}")
            found[code] = Extension(
                Target(system, self._choice(row, path, "kind", ("matter", "component"), "matter"), code),
                self._text(row, path, "major", needed=True, limit=4),
                major_name,
                self._text(row, path, "major_name_en", major_name, limit=80),
                name,
                self._text(row, path, "name_en", name, limit=120),
            )
        return found

    def _targets(
        self, words: Words, default: str, standard: str, extensions: dict[str, Extension]
    ) -> dict[str, Target]:
        """Each value of the word list as a class: ``kind/code``, ``standard/kind/code``, or an extension's
        code.
        """
        found: dict[str, Target] = {}
        for ours in [*words.exact.values(), *(ours for _prefix, ours in words.prefixes), default]:
            parts = ours.rsplit("/", 2)
            if ours in extensions:
                found[ours] = extensions[ours].target
            elif len(parts) in (2, 3) and parts[-2] in ("matter", "component"):
                found[ours] = Target(parts[0] if len(parts) == 3 else standard, parts[-2], parts[-1])
            elif ours:
                self._fault(
                    N_("{file}: {key}: “{value}” is no matter/CODE, component/CODE or [[extension]]."),
                    "categories",
                    value=ours,
                )
        return found

    def _register(self, name: str) -> Register:
        table = self._table(name)
        units = name == "units"
        allowed = ("create", "words", "names", *(("prefix", "kind") if units else ()))
        self._only(table, name, allowed)
        create = table.get("create", False)
        if not isinstance(create, bool):
            self._fault(N_("{file}: {key} must be true or false."), f"{name}.create")
            create = False
        names = self._inner(table, name, "names")
        return Register(
            create,
            self._words(self._inner(table, name, "words"), f"{name}.words"),
            {key: self._text(names, f"{name}.names", key) for key in names},
            self._text(table, name, "prefix", limit=8),
            self._choice(table, name, "kind", UNIT_KINDS, "office") if units else "",
        )


def _headings(value: object) -> tuple[str, ...]:
    """One heading or several; nothing when it is neither."""
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    if isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value):
        return tuple(value)
    return ()


def _key(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
