"""Checks a whole file before anything is written: each row becomes a draft of a case, or a line in the list
of problems.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

from db.cases.rules import BEFORE_DISPATCH, STATES
from db.exchange.known import Known
from db.exchange.mapping import DATE_FIELDS, CaseMapping, Pick
from db.exchange.problems import SILENT, Problem, ProblemList, Reason
from db.exchange.reading import Progress, RawRow, SourceFile, rows
from db.exchange.values import Unreadable, read_degrees, read_moment
from db.kernel.geo import TO_WGS84, on_earth
from db.kernel.language import N_, _
from db.kernel.refusal import Refused, Unavailable, refuse_all
from db.kernel.text import clean, one_line

PREVIEW_ROWS = 200
MAX_DESCRIPTION = 4000
MAX_NOTE = 2000
MAX_NUMBER = 24
MAX_CODE = 24
MAX_WORDS = 10_000
"""So many words of the category columns are remembered; a column of free text must not fill the memory."""
HANDED_BACK = frozenset({"pending_check", "pending_close", "closed", "forced"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DAY_MS = 86_400_000
_SOON_SHARE = 0.8
_SPOOL_MEMORY = 8_000_000
_SPOOL_ROWS = 500


class Draft(NamedTuple):
    """A case as it will be written; plain values only. Moments in milliseconds, points in WGS-84 degrees."""

    line: int
    foreign_number: str
    number: str
    state: str
    source: str
    target: str
    """The word of the mapping for the class: a key of ``CaseMapping.categories``."""
    description: str
    address: str
    lon: float | None
    lat: float | None
    unit: str
    district: str
    reported_at: int
    filed_at: int | None
    dispatched_at: int | None
    handled_at: int | None
    due_at: int | None
    closed_at: int | None
    reporter_name: str
    reporter_phone: str
    note: str


@dataclass(frozen=True)
class PreviewRow:
    """One of the first rows: the draft, or nothing when it is skipped or there already, with what there is
    to say.
    """

    line: int
    cells: tuple[str, ...]
    draft: Draft | None
    already: bool
    problems: tuple[Problem, ...]


@dataclass
class NewPlace:
    """A unit or district that the register does not have yet, with the mean of its points."""

    word: str
    name: str
    count: int = 0
    lon_sum: float = 0.0
    lat_sum: float = 0.0

    @property
    def middle(self) -> tuple[float, float] | None:
        """The mean of its points (lon, lat); ``None`` when there was none."""
        return (self.lon_sum / self.count, self.lat_sum / self.count) if self.count else None


@dataclass
class Report:
    """The counts of a check or an import: taken + skipped + already = rows of the file."""

    rows: int = 0
    taken: int = 0
    skipped: int = 0
    already: int = 0
    marked: int = 0
    """Of the taken, those without a position."""
    open: int = 0
    """Of the taken, those still open."""
    classes: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    """Words of the category columns that fell to the default class."""
    bounds: tuple[float, float, float, float] | None = None
    """West, south, east, north of the points in the city."""

    def stretch(self, lon: float, lat: float) -> None:
        """Let the bounds hold one more point."""
        west, south, east, north = self.bounds or (lon, lat, lon, lat)
        self.bounds = (min(west, lon), min(south, lat), max(east, lon), max(north, lat))


class Checked:
    """A file that was checked: counts, problems, the first rows, and all drafts in a temporary file. Close
    it.
    """

    def __init__(self, source: SourceFile, mapping: CaseMapping) -> None:
        self.source = source
        self.mapping = mapping
        self.report = Report()
        self.problems = ProblemList()
        self.preview: list[PreviewRow] = []
        self.units: dict[str, NewPlace] = {}
        self.districts: dict[str, NewPlace] = {}
        self._stack = ExitStack()
        self._spool: IO[bytes] = self._stack.enter_context(
            tempfile.SpooledTemporaryFile(max_size=_SPOOL_MEMORY)  # noqa: SIM115  the stack closes it
        )
        self._stack.callback(self.problems.close)
        self._waiting: list[Draft] = []

    def keep(self, draft: Draft) -> None:
        """Put a draft aside for writing."""
        self._waiting.append(draft)
        if len(self._waiting) >= _SPOOL_ROWS:
            self._flush()

    def _flush(self) -> None:
        self._spool.write(json.dumps(self._waiting, ensure_ascii=False).encode() + b"\n")
        self._waiting.clear()

    def drafts(self) -> Iterator[Draft]:
        """The drafts again, in the order of the file."""
        if self._waiting:
            self._flush()
        self._spool.seek(0)
        for line in self._spool:
            for values in json.loads(line):
                yield Draft(*values)

    def close(self) -> None:
        """Let go of the temporary files."""
        self._stack.close()

    def __enter__(self) -> Checked:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def check(
    source: SourceFile, mapping: CaseMapping, known: Known, progress: Progress | None = None
) -> Checked:
    """Read every row and decide: taken, taken with a remark, skipped with a reason, or there already.

    Raises ``Refused`` when the mapping names a class that there is not, when the file changes meanwhile or
    the work is
    cancelled; ``Unavailable`` when it cannot be read or the disk for temporary files is full.
    """
    demand_targets(mapping, known)
    checked = Checked(source, mapping)
    try:
        checker = _Checker(checked, known)
        for row in rows(source, progress, _("Checking")):
            checker.take(row)
        if not checked.report.rows:
            raise Refused("no_rows", N_("{path} has a heading, but no rows."), path=str(source.path))
    except OSError as error:
        checked.close()
        raise Unavailable(
            "no_room",
            N_("The temporary folder cannot be written: {reason}. Nothing was imported."),
            reason=error.strerror or str(error),
        ) from error
    except BaseException:
        checked.close()
        raise
    return checked


def demand_targets(mapping: CaseMapping, known: Known) -> None:
    """Refuse a mapping that names classes which are neither in the code lists nor its own."""
    own = {extension.target for extension in mapping.extensions}
    refuse_all(
        [
            Refused(
                "no_such_class",
                N_("{file}: {key}: there is no class “{value}”."),
                file=mapping.file,
                key="categories",
                value=word,
            )
            for word, target in mapping.categories.items()
            if target not in known.categories and target not in own
        ]
    )


class _Skip(Exception):
    """This row cannot be taken; the problem is noted already."""


class _Checker:
    """Turns the rows of one file into drafts."""

    def __init__(self, checked: Checked, known: Known) -> None:
        self.checked = checked
        self.mapping = checked.mapping
        self.known = known
        self.seen: set[str] = set()
        self.numbers: set[str] = set()
        self.line = 0
        self.cells: tuple[str, ...] | list[str] = ()
        self.found: list[Problem] = []
        self._classes: dict[tuple[str, ...], str | None] = {}
        header = checked.source.header
        place = {heading: index for index, heading in enumerate(header)}
        self._picks = {
            name: [[place[heading] for heading in choice] for choice in pick.choices]
            for name, pick in self.mapping.columns.items()
        }
        self._category_places = [place[heading] for heading in self.mapping.category_columns]
        self._pick_of: dict[str, Pick] = dict(self.mapping.columns)
        self._to_wgs84 = TO_WGS84[self.mapping.datum]

    def take(self, row: RawRow) -> None:
        """Decide about one row and count it."""
        report = self.checked.report
        report.rows += 1
        self.line, self.cells, self.found = row.line, list(row.cells), []
        draft: Draft | None = None
        already = False
        try:
            if row.fault is not None:
                self._skip("", " ".join(row.cells[:3]), row.fault)
            if not any(cell.strip() for cell in row.cells):
                self._skip("", "", Reason.EMPTY_ROW)
            number = self._foreign_number()
            if number in self.known.foreign_numbers and number not in self.seen:
                self.seen.add(number)
                already = True
            else:
                draft = self._draft(number)
        except _Skip:
            pass
        if already:
            report.already += 1
        elif draft is None:
            report.skipped += 1
        else:
            self._count(draft)
        for problem in self.found:
            self.checked.problems.add(problem)
        if len(self.checked.preview) < PREVIEW_ROWS:
            self.checked.preview.append(
                PreviewRow(row.line, tuple(row.cells), draft, already, tuple(self.found))
            )

    def _count(self, draft: Draft) -> None:
        report = self.checked.report
        report.taken += 1
        report.open += STATES[draft.state].open
        report.classes[draft.target] += 1
        self.seen.add(draft.foreign_number)
        self.numbers.add(draft.number)
        self.checked.keep(draft)
        if draft.lon is None or draft.lat is None:
            report.marked += 1
        elif self.mapping.city.holds(draft.lon, draft.lat):
            report.stretch(draft.lon, draft.lat)
        if (district := self.checked.districts.get(draft.district)) and draft.lon is not None:
            district.count += 1
            district.lon_sum += draft.lon
            district.lat_sum += draft.lat or 0.0

    def _draft(self, foreign_number: str) -> Draft:
        if foreign_number in self.seen:
            self._skip(self._heading("number"), foreign_number, Reason.TWICE)
        number = self._own_number(foreign_number)
        state = self._state()
        moments = self._moments(state)
        lon, lat = self._position()
        unit = self._unit()
        if not unit and state in {"pending_handle", "handling", "suspended"} and "unit" in self._picks:
            state = "pending_dispatch"
        if state in BEFORE_DISPATCH:
            unit = ""
        return Draft(
            line=self.line,
            foreign_number=foreign_number,
            number=number,
            state=state,
            source=self._source(),
            target=self._class(),
            description=self._text("description", MAX_DESCRIPTION, lines=True),
            address=self._text("address", 200),
            lon=lon,
            lat=lat,
            unit=unit,
            district=self._district(),
            reporter_name=self._text("reporter_name", 60),
            reporter_phone=self._text("reporter_phone", 40),
            note=self._text("note", MAX_NOTE, lines=True),
            **moments,
        )

    # What a row has to say.

    def _heading(self, name: str) -> str:
        pick = self._pick_of.get(name)
        return pick.headings[0] if pick else ""

    def _say(self, column: str, value: str, reason: Reason, limit: int = 0) -> None:
        if reason not in SILENT:
            self.found.append(Problem(self.line, column, value, reason, skipped=False, limit=limit))

    def _skip(self, column: str, value: str, reason: Reason, limit: int = 0) -> None:
        # A row that is skipped has one reason to be so; what was remarked before no longer matters.
        self.found = [Problem(self.line, column, value, reason, skipped=True, limit=limit)]
        raise _Skip

    def _raw(self, name: str) -> tuple[str, str, int]:
        """The text of a field, the heading it came from and which choice that was; joined where several
        make one.
        """
        for order, places in enumerate(self._picks.get(name, ())):
            parts = [part for part in (self.cells[place].strip() for place in places) if part]
            if parts:
                pick = self._pick_of[name]
                return pick.joined_by.join(parts), pick.choices[order][0], order
        return "", self._heading(name), 0

    def _text(self, name: str, limit: int, *, lines: bool = False) -> str:
        raw, heading, _order = self._raw(name)
        if not raw:
            return ""
        if _CONTROL.search(raw):
            self._say(heading, raw, Reason.CONTROL_CHARACTERS)
        text = clean(raw, limit + 1) if lines and not raw.isprintable() else _line(raw, limit + 1)
        if len(text) > limit:
            self._say(heading, text, Reason.CUT, limit)
        return text[:limit].rstrip()

    # The fields.

    def _foreign_number(self) -> str:
        if "number" not in self._picks:
            # A source without numbers: a row that is the same to the letter is the same case.
            joined = "\x1f".join(self.cells).encode("utf-8", "replace")
            return "#" + hashlib.sha256(joined).hexdigest()[:19]
        raw, heading, _order = self._raw("number")
        number = _line(raw, 400)
        if not number:
            self._skip(heading, raw, Reason.NO_NUMBER)
        if len(number) > 60:
            self._skip(heading, raw, Reason.TOO_LONG)
        return number

    def _own_number(self, foreign_number: str) -> str:
        number = self.mapping.number_prefix + foreign_number
        if len(number) > MAX_NUMBER:
            digest = hashlib.sha256(foreign_number.encode()).hexdigest()
            number = self.mapping.number_prefix + digest[: MAX_NUMBER - len(self.mapping.number_prefix)]
        if number in self.known.numbers or number in self.numbers:
            self._skip(self._heading("number"), number, Reason.NUMBER_TAKEN)
        return number

    def _state(self) -> str:
        raw, heading, _order = self._raw("state")
        word = _line(raw)
        words = self.mapping.states
        state = words.find(word) if word else None
        state = state or words.others
        if state is None:
            self._skip(heading, raw, Reason.UNKNOWN_STATE if word else Reason.MISSING)
            raise _Skip
        return state

    def _source(self) -> str:
        raw, heading, _order = self._raw("source")
        word = _line(raw)
        words = self.mapping.sources
        found = (words.find(word) if word else None) or words.others
        if found is None and word:
            self._say(heading, raw, Reason.UNKNOWN_SOURCE)
        return found or "other"

    def _class(self) -> str:
        words = tuple(_line(self.cells[place]) for place in self._category_places)
        if words not in self._classes:
            if len(self._classes) >= MAX_WORDS:
                self._classes.clear()
            self._classes[words] = _class_of(self.mapping, words)
        found = self._classes[words]
        if found is None:
            unmapped, word = self.checked.report.unmapped, " / ".join(words)
            if word in unmapped or len(unmapped) < MAX_WORDS:
                unmapped[word] += 1
            return self.mapping.category_words.others or ""
        return found

    def _moments(self, state: str) -> dict[str, Any]:
        """Every moment of the draft; ``reported_at`` is always there."""
        moments: dict[str, int | None] = {}
        for name in DATE_FIELDS:
            if STATES[state].open and name == "closed_at":
                if self._picks.get(name) and any(self.cells[p].strip() for p in self._picks[name][0]):
                    self._say(self._heading(name), self._raw(name)[0], Reason.OPEN_WITH_CLOSING)
                moments[name] = None
                continue
            moments[name] = self._moment(name, moments.get("reported_at"))
        if not STATES[state].open and moments["closed_at"] is None:
            self._skip(self._heading("closed_at"), "", Reason.CLOSED_WITHOUT_TIME)
        if state in BEFORE_DISPATCH:
            moments["dispatched_at"] = moments["handled_at"] = None
        elif state not in HANDED_BACK:
            moments["handled_at"] = None
        elif moments["handled_at"] is None:
            moments["handled_at"] = moments["closed_at"]
        if moments["dispatched_at"] is None and state not in {*BEFORE_DISPATCH, "rejected", "void", "merged"}:
            moments["dispatched_at"] = moments["filed_at"] or moments["reported_at"]
        return moments

    def _moment(self, name: str, reported_at: int | None) -> int | None:
        raw, heading, order = self._raw(name)
        if not raw:
            if name == "reported_at":
                self._skip(heading, "", Reason.MISSING)
            return None
        try:
            read = read_moment(raw, self.mapping.date_formats, self.mapping.zone)
        except Unreadable as error:
            self._skip(heading, raw, error.reason)
            raise
        if reported_at is not None and read.ms < reported_at:
            if not self.mapping.keep_contradicting:
                self._skip(heading, raw, Reason.BEFORE_REPORT)
            self._say(heading, raw, Reason.BEFORE_REPORT_DROPPED)
            # A case that ended has a moment of ending; the earliest that can be is the report itself.
            return reported_at if name == "closed_at" else None
        if read.remark is not None:
            self._say(heading, raw, read.remark)
        if name == "closed_at" and order:
            self._say(heading, raw, Reason.CLOSED_BY_FALLBACK)
        return read.ms

    def _position(self) -> tuple[float | None, float | None]:
        if "lon" not in self._picks:
            return None, None
        lon = self._degrees("lon")
        lat = self._degrees("lat")
        raw = f"{self._raw('lon')[0]}, {self._raw('lat')[0]}"
        heading = self._heading("lon")
        if lon is None or lat is None:
            half = lon is not None or lat is not None
            self._say(heading, raw if half else "", Reason.HALF_A_POINT if half else Reason.NO_POSITION)
            return None, None
        if lon == 0 and lat == 0:
            self._say(heading, raw, Reason.ZERO_POINT)
            return None, None
        if not on_earth(lon, lat):
            if not on_earth(lat, lon):
                self._skip(self._heading("lat" if abs(lon) <= 180 else "lon"), raw, Reason.NOT_ON_EARTH)
            swapped = self._to_wgs84(lat, lon)
            if not self.mapping.city.holds(*swapped):
                self._skip(self._heading("lat"), raw, Reason.NOT_ON_EARTH)
            self._say(heading, raw, Reason.SWAPPED)
            return swapped
        point = self._to_wgs84(lon, lat)
        if self.mapping.city.holds(*point):
            return point
        if on_earth(lat, lon) and self.mapping.city.holds(*(swapped := self._to_wgs84(lat, lon))):
            self._say(heading, raw, Reason.SWAPPED)
            return swapped
        self._say(heading, raw, Reason.OUTSIDE)
        return point

    def _degrees(self, name: str) -> float | None:
        raw, heading, _order = self._raw(name)
        try:
            return read_degrees(raw)
        except Unreadable as error:
            self._skip(heading, raw, error.reason)
            raise

    def _unit(self) -> str:
        raw, heading, _order = self._raw("unit")
        word = _line(raw, 60)
        register = self.mapping.units
        ours = register.words.find(word) if word else None
        if ours is not None:
            word = ours
        if not word:
            return ""
        code = short_code(word if ours is not None else register.prefix + word)
        for candidate in (code, word):
            if candidate.casefold() in self.known.units:
                return candidate
        if not register.create:
            self._say(heading, raw, Reason.UNKNOWN_UNIT)
            return ""
        if code not in self.checked.units:
            self.checked.units[code] = NewPlace(word, _line(self._raw("unit_name")[0], 100) or word)
        return code

    def _district(self) -> str:
        raw, heading, _order = self._raw("district")
        word = _line(raw, 100)
        register = self.mapping.districts
        ours = register.words.find(word) if word else None
        word = word if ours is None else ours
        if not word:
            return ""
        if word.casefold() in self.known.districts:
            return word
        if not register.create:
            self._say(heading, raw, Reason.UNKNOWN_DISTRICT)
            return ""
        self.checked.districts.setdefault(word, NewPlace(word, word))
        return word


def _class_of(mapping: CaseMapping, words: tuple[str, ...]) -> str | None:
    """The longest rule that fits: all columns, a beginning of them, or the first column alone."""
    table = mapping.category_words
    whole = " / ".join(words).casefold()
    rules = [(len(key), ours) for key in (whole, words[0].casefold()) if (ours := table.exact.get(key))]
    rules += [(len(prefix), ours) for prefix, ours in table.prefixes if whole.startswith(prefix)]
    return max(rules, key=lambda rule: rule[0])[1] if rules else None


def _line(text: str, limit: int = 400) -> str:
    """``one_line``, without looking at each character where all of them can be printed."""
    if text.isprintable():
        return " ".join(unicodedata.normalize("NFC", text).split())[:limit]
    return one_line(text, limit)


def short_code(word: str) -> str:
    """A word as a code of the registers: itself, or a digest when it is too long for one."""
    if len(word) <= MAX_CODE:
        return word
    return hashlib.sha256(word.encode()).hexdigest()[:MAX_CODE]


def soon_at(start_ms: int, due_ms: int) -> int:
    """When 80 % of the time to a given due moment has gone (DOMAIN 2.5)."""
    return start_ms + round((due_ms - start_ms) * _SOON_SHARE)


def limit_days(start_ms: int, due_ms: int) -> int:
    """The limit in calendar days that a due moment of another system amounts to; at least one."""
    return max(1, -(-(due_ms - start_ms) // _DAY_MS))
