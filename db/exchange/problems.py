"""What was wrong with a row, as data: line, column, value, reason and what was done; and the file that
lists it.

The words come when it is shown, in the reader's language.
"""

from __future__ import annotations

import csv
import errno
import io
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO

from db.kernel.language import N_, _
from db.kernel.refusal import Unavailable
from db.kernel.text import one_line

KEPT = 500
"""How many problems are kept in memory to be shown; the file has them all."""
MAX_VALUE = 80
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Reason(Enum):
    """Why a row or a value was not simply taken; the value is the English sentence."""

    LINE_TOO_LONG = N_("The line has more than a million characters.")
    UNREADABLE_ROW = N_("A quotation mark is open, or a cell is longer than 131,072 characters.")
    CELL_COUNT = N_("The row has another number of cells than the heading.")
    EMPTY_ROW = N_("The row is empty.")
    NO_NUMBER = N_("There is no number; it tells a second import what is there already.")
    TWICE = N_("This number stands further up in the same file.")
    NUMBER_TAKEN = N_("Another case has this number already.")
    TOO_LONG = N_("The text is too long for its column.")
    MISSING = N_("The cell is empty, and it is needed.")
    NOT_A_DATE = N_("This is not a date in one of the forms that the mapping names.")
    NO_SUCH_DATE = N_("There is no such day or hour.")
    YEAR = N_("The year lies before 1971 or after 2199.")
    HOUR_TWICE = N_("The clocks went back: this hour came twice. The first was taken.")
    HOUR_LEFT_OUT = N_("The clocks went forward: this hour was left out. One hour later was taken.")
    BEFORE_REPORT = N_("This moment lies before the report.")
    BEFORE_REPORT_DROPPED = N_("This moment lies before the report; it was left out.")
    CLOSED_WITHOUT_TIME = N_("The case is closed, but there is no moment of closing.")
    CLOSED_BY_FALLBACK = N_("There is no moment of closing; the next column of the mapping was taken.")
    OPEN_WITH_CLOSING = N_("The case is open, but has a moment of closing; that was left out.")
    NOT_A_NUMBER = N_("This is not a number.")
    NOT_ON_EARTH = N_("This is not a place on earth.")
    SWAPPED = N_("Longitude and latitude had changed places; they were swapped.")
    OUTSIDE = N_("The place lies outside of the city.")
    HALF_A_POINT = N_("A position needs longitude and latitude; taken as “no position”.")
    ZERO_POINT = N_("0, 0 lies in the sea; taken as “no position”.")
    NO_POSITION = N_("No position.")
    UNKNOWN_STATE = N_("The mapping does not know this state.")
    UNKNOWN_SOURCE = N_("The mapping does not know this source; taken as “other”.")
    UNKNOWN_UNIT = N_("There is no such unit; the case waits for dispatch.")
    UNKNOWN_DISTRICT = N_("There is no such district; found by the position, if there is one.")
    UNKNOWN_CATEGORY = N_("The mapping does not know this word; the default class was taken.")
    CONTROL_CHARACTERS = N_("Control characters were removed.")
    CUT = N_("The text was cut to {limit} characters.")
    UNREADABLE_TEXT = N_("The text cannot be read in this encoding.")
    NO_CODE = N_("There is no code; it tells what is there already.")
    CODE_TWICE = N_("This code stands further up in the same file.")
    CODE_LENGTH = N_("The code has not as many digits as it must have.")
    CODE_FOREIGN = N_("The code begins with that of another city.")
    UNKNOWN_CLASS = N_("There is no such class of components.")
    UNKNOWN_PARENT = N_("The area that this one belongs to by its code is not there.")
    UNKNOWN_PATROL = N_("There is no such patrol area; it was left out.")
    UNKNOWN_KEEPER = N_("There is no such unit; it was left out.")
    UNKNOWN_CELL = N_("There is no such cell; the one in which it lies was taken.")
    OTHER_CELL = N_("It does not lie in the cell that is named.")
    UNKNOWN_WORD = N_("This word is not known here; a mapping can say what it means.")
    OUT_OF_RANGE = N_("The number is smaller or larger than can be.")
    NOT_AN_HOUR = N_("This is not a time of the day such as 05:30.")
    BAD_RULE = N_("The hours, days or classes of this rule cannot be.")
    NO_SHAPE = N_("There is no shape, or it cannot be read.")
    WRONG_SHAPE = N_("The shape is of another kind: point, line and area are not the same.")
    REPAIRED = N_("The outline crosses itself; it was repaired.")
    CROSSES_ITSELF = N_("The outline crosses itself, and repairing it would change its ground.")
    TOO_SMALL = N_("The shape is smaller than one metre.")

    @property
    def code(self) -> str:
        """The short name, for programs."""
        return self.name.lower()


SILENT = frozenset({Reason.UNKNOWN_CATEGORY})
"""Counted by word in the report; a line for each row would bury the others."""


@dataclass(frozen=True)
class Problem:
    """One thing to say about one row; ``line`` is the physical line of the file, ``column`` the source's
    heading.
    """

    line: int
    column: str
    value: str
    reason: Reason
    skipped: bool
    limit: int = 0

    def text(self) -> str:
        """The reason in the reader's language."""
        return _(self.reason.value).format(limit=self.limit)

    def outcome(self) -> str:
        """What was done with the row, in the reader's language."""
        return _("Skipped") if self.skipped else _("Taken")


class ProblemList:
    """Collects problems: the first few stay in memory, all of them go to a temporary file as finished
    lines.
    """

    def __init__(self) -> None:
        self.first: list[Problem] = []
        self.counts: Counter[Reason] = Counter()
        self._spool: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=4_000_000)  # noqa: SIM115
        self._line = io.StringIO()
        self._writer = csv.writer(self._line, lineterminator="\r\n")

    def __len__(self) -> int:
        return self.counts.total()

    def add(self, problem: Problem) -> None:
        """Keep a problem."""
        self.counts[problem.reason] += 1
        if len(self.first) < KEPT:
            self.first.append(problem)
        self._write(
            (
                str(problem.line),
                harmless(problem.column),
                harmless(problem.value),
                problem.text(),
                problem.outcome(),
            )
        )

    def _write(self, cells: tuple[str, ...]) -> None:
        self._writer.writerow(cells)
        self._spool.write(self._line.getvalue().encode())
        self._line.seek(0)
        self._line.truncate()

    def save(self, path: Path) -> None:
        """Write the list as CSV in UTF-8 with a mark, so that Excel and WPS read it; whole or not at all.

        Raises ``Unavailable``.
        """
        with self.saving(path):
            pass

    @contextmanager
    def saving(self, path: Path) -> Iterator[None]:
        """Write the list beside its place first; it takes its place only when the block ends well.

        So a disk that is full stops an import before it begins, and an import that fails leaves no list of
        what it has not done. Raises ``Unavailable``.
        """
        partly = path.with_name(f".{path.name}.part")
        try:
            with _told(path):
                self._write_all(partly)
                if path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            yield
            with _told(path):
                partly.replace(path)
        finally:
            with suppress(OSError):
                partly.unlink(missing_ok=True)

    def _write_all(self, path: Path) -> None:
        heading = (_("Line"), _("Column"), _("Value"), _("Reason"), _("What was done"))
        self._spool.seek(0)
        try:
            with path.open("wb") as stream:
                stream.write(("\ufeff" + ",".join(heading) + "\r\n").encode())
                shutil.copyfileobj(self._spool, stream)
        finally:
            self._spool.seek(0, io.SEEK_END)

    def close(self) -> None:
        """Let go of the temporary file."""
        self._spool.close()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the system says about a file, in words for the reader."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            "cannot_write_problems",
            N_("The list of problems {path} cannot be written: {reason}."),
            path=str(path),
            reason=error.strerror or str(error),
        ) from error


def harmless(text: str) -> str:
    """A value cut to one short line, and with an apostrophe before it where a spreadsheet would take it for
    a formula.
    """
    short = one_line(text, MAX_VALUE)
    return f"'{short}" if short.startswith(_FORMULA) else short
