"""The matrix of duties as a table that a bureau edits in WPS or Excel, and back.

The file is CSV in UTF-8 with a byte order mark, which both programs need to read Chinese. Codes begin with a
tab: else a spreadsheet takes the zero from "06010" and turns an area's twelve digits into 3.70E+11. What it
has done to a class's code all the same is mended on reading ("6010" is "06010"); the tab is taken off.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from db.duties.book import DutyBook
from db.duties.rules import KINDS, LEVELS, Duty
from db.kernel.language import N_
from db.kernel.refusal import Refused
from db.kernel.text import one_line

COLUMNS = (
    "kind", "class", "class_name", "area_kind", "area", "area_name", "unit", "unit_name", "person",
    "person_name", "valid_from", "valid_to", "note",
)  # fmt: skip
"""Heads of the columns; those that end in "_name" are for reading only."""
NEEDED = ("kind", "class", "area_kind", "area", "unit", "person", "valid_from", "valid_to")
_FORMULA = ("=", "+", "-", "@")

Row = tuple[int, str, str, int, int, int | None, str, str | None, str]
"""What ``commands.ImportDuties`` takes: line, kind, class, area, unit, person, from, to, note."""


@dataclass(frozen=True)
class Sheet:
    """What was read: rows that name what there is, and what is wrong with the others."""

    rows: tuple[Row, ...]
    faults: tuple[Refused, ...]


def written(book: DutyBook, duties: Iterable[Duty]) -> bytes:
    """The rows as a file."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for each in duties:
        area, unit = book.areas[each.area_id], book.units[each.unit_id]
        person = book.persons.get(each.person_id or 0)
        writer.writerow(
            (
                each.kind,
                _as_text(each.prefix),
                book.class_label(each.kind, each.prefix, "zh_CN"),
                area.kind,
                _as_text(area.code),
                _harmless(area.name),
                _as_text(unit.code),
                _harmless(unit.name),
                _as_text(person.code) if person else "",
                _harmless(person.name) if person else "",
                each.valid_from.isoformat(),
                each.valid_to.isoformat() if each.valid_to else "",
                _harmless(each.note),
            )
        )
    return b"\xef\xbb\xbf" + stream.getvalue().encode()


def read(book: DutyBook, content: bytes) -> Sheet:
    """The rows of a file; nothing is looked up but codes. Raises ``Refused`` when it is no such file.

    Also read: GB 18030, in which older spreadsheets save, and dates such as 2026/5/1, as they show them.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        message = N_("The file has no column {names}.")
        raise Refused("no_column", message, names=", ".join(missing))
    areas = {(each.kind, each.code): each.id for each in book.areas.values()}
    units = {each.code: each.id for each in book.units.values()}
    persons = {each.code: each.id for each in book.persons.values()}
    rows: list[Row] = []
    faults: list[Refused] = []
    for line in reader:
        value = {name: one_line(line.get(name) or "", 200) for name in COLUMNS}
        if not any(value.values()):
            continue
        at = reader.line_num
        code = _mended(value["class"])
        area_id = areas.get((value["area_kind"], value["area"]))
        unit_id = units.get(value["unit"])
        person_id = persons.get(value["person"])
        wrong = [
            (value["kind"] not in KINDS, "kind"),
            (value["area_kind"] not in LEVELS, "area_kind"),
            (value["area_kind"] in LEVELS and area_id is None, "area"),
            (unit_id is None, "unit"),
            (bool(value["person"]) and person_id is None, "person"),
        ]
        for is_wrong, name in wrong:
            if is_wrong:
                # zh: 第 {line} 行：{column} 列的“{value}”不存在
                message = N_("Line {line}: there is no {column} “{value}”.")
                faults.append(Refused("unknown_word", message, line=at, column=name, value=value[name]))
        if area_id is not None and unit_id is not None:
            first, last = _iso(value["valid_from"]), _iso(value["valid_to"])
            rows.append(
                (at, value["kind"], code, area_id, unit_id, person_id, first, last or None, value["note"])
            )
    return Sheet(tuple(rows), tuple(faults))


def _as_text(code: str) -> str:
    return f"\t{code}" if code else ""


def _harmless(words: str) -> str:
    """Words that a spreadsheet would take for a formula, as words."""
    return f"\t{words}" if words.startswith(_FORMULA) else words


def _mended(code: str) -> str:
    """The zero that a spreadsheet took from the front of a class's code."""
    return f"0{code}" if code.isdigit() and len(code) in (1, 4) else code


def _iso(day: str) -> str:
    if not day:
        return ""
    parts = day.replace("/", "-").replace(".", "-").split("-")
    return "-".join(part.zfill(2) for part in parts)
