"""Reads delimited text of any size row by row, keeps the physical line of each, and never guesses an
encoding.

A row that cannot be read spoils itself alone: when an open quotation mark has swallowed others, they are
read again.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from db.exchange.mapping import CaseMapping
from db.exchange.problems import Reason
from db.kernel.language import N_, _
from db.kernel.refusal import Refused, Unavailable

Progress = Callable[[int, int, str], bool]
"""Called with done, total and what is being done; ``False`` means: stop, and write nothing."""

MAX_LINE = 1_000_000
_CHUNK = 1 << 20
_HEADER_LIMIT = 100_000
_GB2312_SHARE = 0.9
"""Below this share of everyday Chinese characters a text that happens to be valid GB18030 is not taken for
it.
"""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class SourceFile:
    """A file that can be read with its mapping: encoding proven for the whole of it, every column found."""

    path: Path
    size: int
    changed_ns: int
    sha256: str
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_lines: int
    """How many physical lines the heading and what stands before it take."""


@dataclass(frozen=True)
class RawRow:
    """The cells of a row and the line on which it begins; ``fault`` says why there are none."""

    line: int
    cells: Sequence[str]
    fault: Reason | None = None


def examine(path: Path, mapping: CaseMapping, progress: Progress | None = None) -> SourceFile:
    """Find out how a file is to be read.

    Raises ``Refused`` (empty, no text, unknown encoding, columns missing: all of them at once),
    ``Unavailable``
    (cannot be opened).
    """
    try:
        with path.open("rb") as stream:
            status = path.stat()
            if status.st_size == 0:
                raise Refused("empty_file", N_("{path} is empty."), path=str(path))
            encoding, digest = find_encoding(stream, path, mapping.encoding, status.st_size, progress)
            stream.seek(0)
            delimiter, header, lines = _header(stream, path, encoding, mapping)
    except OSError as error:
        raise _cannot_read(path, error) from error
    return SourceFile(path, status.st_size, status.st_mtime_ns, digest, encoding, delimiter, header, lines)


def rows(source: SourceFile, progress: Progress | None = None, label: str = "") -> Iterator[RawRow]:
    """The rows below the heading, in order; blank lines are passed over.

    Raises ``Refused`` when the file is no longer the one that was examined, or when ``progress`` says stop.
    """
    try:
        with source.path.open("rb") as stream:
            status = source.path.stat()
            if (status.st_size, status.st_mtime_ns) != (source.size, source.changed_ns):
                raise Refused(
                    "file_changed",
                    N_("{path} was changed while it was being read; nothing was imported."),
                    path=str(source.path),
                )
            lines = _Lines(stream, source.encoding)
            for _skipped in range(source.header_lines):
                next(lines, None)
            lines.forget()
            for count, row in enumerate(_records(lines, source.delimiter, len(source.header))):
                if progress is not None and count % 500 == 0:
                    keep_on(progress, min(stream.tell(), source.size), source.size, label)
                yield row
    except OSError as error:
        raise _cannot_read(source.path, error) from error


def keep_on(progress: Progress | None, done: int, total: int, label: str) -> None:
    """Tell how far the work is. Raises ``Refused("cancelled")`` when the answer is to stop."""
    if progress is not None and not progress(done, total, label):
        raise Refused("cancelled", N_("The import was cancelled; nothing was written."))


def _cannot_read(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        "cannot_read",
        N_("{path} cannot be read: {reason}"),
        path=str(path),
        reason=error.strerror or str(error),
    )


class _Lines:
    """Physical lines with their numbers; lines can be given back, and one that is too long is cut away."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        # newline="" keeps \n, \r\n and \r as they are: all three end a line.
        self._text = io.TextIOWrapper(stream, encoding=encoding, errors="strict", newline="")
        self._returned: deque[tuple[int, str]] = deque()
        self._number = 0
        self.taken: list[tuple[int, str]] = []
        self.too_long: set[int] = set()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._returned:
            number, line = self._returned.popleft()
        else:
            line = self._text.readline(MAX_LINE)
            if not line:
                raise StopIteration
            self._number += 1
            number = self._number
            if len(line) == MAX_LINE and line[-1] not in "\r\n":
                while (rest := self._text.readline(MAX_LINE)) and rest[-1] not in "\r\n":
                    pass
                self.too_long.add(number)
                line = "\n"
        self.taken.append((number, line))
        return line

    def forget(self) -> None:
        """What was taken so far is done with."""
        self.taken.clear()

    def give_back(self) -> None:
        """Put back all lines taken but the first: they are rows of their own."""
        self._returned.extendleft(reversed(self.taken[1:]))
        self.taken.clear()


def _records(lines: _Lines, delimiter: str, width: int) -> Iterator[RawRow]:
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        begin = lines.taken[0][0]
        cut = lines.too_long.intersection(number for number, _line in lines.taken)
        if cells is not None and not cut:
            while len(cells) > width and not cells[-1].strip():
                cells.pop()
            if not cells:
                lines.forget()
                continue
            if len(cells) == width:
                lines.forget()
                yield RawRow(begin, cells)
                continue
        if len(lines.taken) > 1 and begin not in cut:
            # Most likely an open quotation mark: the first line is spoilt, the others get their own chance.
            lines.give_back()
            yield RawRow(begin, (), Reason.UNREADABLE_ROW)
            continue
        lines.forget()
        if cut:
            yield RawRow(begin, (), Reason.LINE_TOO_LONG)
        else:
            yield RawRow(begin, cells or (), Reason.UNREADABLE_ROW if cells is None else Reason.CELL_COUNT)


def find_encoding(
    stream: BinaryIO, path: Path, wanted: str, size: int, progress: Progress | None
) -> tuple[str, str]:
    """The encoding in which the whole file is valid, and the digest of its bytes."""
    start = stream.read(4096)
    stream.seek(0)
    bom = next((name for mark, name in _BOMS if start.startswith(mark)), None)
    if start.startswith(b"PK\x03\x04") or start.startswith(b"\xd0\xcf\x11\xe0"):
        raise Refused(
            "workbook", N_("{path} is a workbook, not a CSV file; save it as CSV first."), path=str(path)
        )
    # A NUL further down is one bad cell; in the first line it means UTF-16 without a mark, or no text at all.
    if bom != "utf-16" and b"\0" in start.split(b"\n", 1)[0]:
        raise Refused("not_text", N_("{path} is not a text file."), path=str(path))
    if bom is not None:
        candidates = [bom]
    elif wanted == "auto":
        candidates = ["utf-8", "gb18030"]
    else:
        candidates = ["utf-8-sig" if wanted == "utf-8" else wanted]
    trials = [Trial(name) for name in candidates]
    sha = hashlib.sha256()
    done = 0
    while chunk := stream.read(_CHUNK):
        sha.update(chunk)
        for trial in trials:
            trial.feed(chunk, done)
        done += len(chunk)
        keep_on(progress, done, size, _("Reading"))
    for trial in trials:
        trial.feed(b"", done, final=True)
    for trial in trials:
        if trial.fault_at is None and (trial.name != "gb18030" or wanted != "auto" or trial.is_chinese()):
            return trial.name, sha.hexdigest()
    raise _not_this_encoding(path, stream, trials)


class Trial:
    """Decodes a file strictly in one encoding and remembers where that failed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fault_at: int | None = None
        self._decoder = codecs.getincrementaldecoder(name)("strict")
        self._wide = 0
        self._everyday = 0
        self._counted = 0

    def feed(self, chunk: bytes, begins_at: int, *, final: bool = False) -> None:
        if self.fault_at is not None:
            return
        pending = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            self.fault_at = max(0, begins_at - pending) + error.start
            return
        if self.name == "gb18030" and self._counted < 2_000_000 and not text.isascii():
            self._count(text)

    def _count(self, text: str) -> None:
        wide = "".join(c for c in text if c > "\x7f")
        self._counted += len(wide)
        self._wide += len(wide)
        self._everyday += len(wide.encode("gb2312", "ignore")) // 2

    def is_chinese(self) -> bool:
        """Whether what is not ASCII is nearly all in GB 2312, the everyday part of GB18030."""
        return self._wide > 0 and self._everyday >= self._wide * _GB2312_SHARE


def _not_this_encoding(path: Path, stream: BinaryIO, trials: list[Trial]) -> Refused:
    at = trials[0].fault_at or 0
    stream.seek(0)
    line, left = 1, at
    while left and (chunk := stream.read(min(left, _CHUNK))):
        line += chunk.count(b"\n")
        left -= len(chunk)
    if len(trials) > 1:
        message = N_(
            "{path} is neither UTF-8 (line {line}, byte {at}) nor plainly Chinese in GB18030. "
            "Save it as UTF-8, or name the encoding in the mapping."
        )
    else:
        message = N_("{path} is not written in {encoding} (line {line}, byte {at}).")
    names = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "gb18030": "GB18030"}
    return Refused(
        "unknown_encoding",
        message,
        path=str(path),
        line=line,
        at=at + 1,
        encoding=names.get(trials[0].name, trials[0].name),
    )


def _header(
    stream: BinaryIO, path: Path, encoding: str, mapping: CaseMapping
) -> tuple[str, tuple[str, ...], int]:
    """The delimiter with which most headings are found, the headings, and how many lines they take."""
    lines = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        before = [lines.readline(_HEADER_LIMIT) for _skipped in range(mapping.header_line - 1)]
        # A heading may hold line ends within quotation marks.
        text = lines.readline(_HEADER_LIMIT)
        count = 1
        while text.count('"') % 2 and len(text) < _HEADER_LIMIT and (more := lines.readline(_HEADER_LIMIT)):
            text += more
            count += 1
        below = lines.readline(_HEADER_LIMIT)
    finally:
        lines.detach()
    wanted = mapping.headings
    best: tuple[str, tuple[str, ...]] = (",", ())
    best_found = -1
    for delimiter in [mapping.delimiter] if mapping.delimiter else [",", ";", "\t"]:
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        header = tuple(" ".join(cell.replace("\ufeff", "").split()) for cell in cells)
        found = len(set(header).intersection(wanted))
        if (found, len(header)) > (best_found, len(best[1])):
            best, best_found = (delimiter, header), found
    faults = [
        Refused(
            "missing_column",
            N_("{path} has no column “{heading}”. Its columns are: {known}."),
            path=str(path),
            heading=heading,
            known=", ".join(best[1][:60])[:1000],
        )
        for heading in wanted
        if heading not in best[1]
    ]
    if len(faults) > 1:
        faults = [
            Refused(
                "missing_column",
                N_("{path} has no columns {headings}. Its columns are: {known}."),
                path=str(path),
                headings=", ".join(f"“{fault.facts['heading']}”" for fault in faults),
                known=faults[0].facts["known"],
            )
        ]
    faults += [
        Refused(
            "double_column", N_("{path} has the column “{heading}” twice."), path=str(path), heading=heading
        )
        for heading in wanted
        if best[1].count(heading) > 1
    ]
    if faults:
        raise faults[0]
    if not below:
        raise Refused("no_rows", N_("{path} has a heading, but no rows."), path=str(path))
    return best[0], best[1], len(before) + count
