"""``jingwei duties``: the proof that everything has its keeper (事事有人管), and the matrix as a file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from db.bootstrap import Core, city_facts, open_core
from db.cases.holders import Holderless, holderless
from db.cases.rules import STATES
from db.duties import sheet
from db.duties.book import WHY, Coverage, DutyBook, prove
from db.duties.commands import ImportDuties, parse_day
from db.duties.queries import duty_book
from db.duties.rules import Duty
from db.kernel.actor import SYSTEM
from db.kernel.language import N_, _, language, ngettext_
from db.kernel.refusal import Refused, RefusedAll, Unavailable

_SHOWN = 30


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "duties", help=_("tell who is responsible, prove that somebody is, edit the matrix")
    )
    deeds = parser.add_subparsers(dest="deed", required=True)
    check = deeds.add_parser("check", help=_("prove that every class in every cell has one keeper"))
    check.add_argument("--json", action="store_true")
    listed = deeds.add_parser("list", help=_("the rows in force"))
    export = deeds.add_parser("export", help=_("write the rows in force to a CSV file for a spreadsheet"))
    export.add_argument("out", type=Path, metavar="OUT.csv")
    taken = deeds.add_parser("import", help=_("take in such a file, all of it or nothing"))
    taken.add_argument("file", type=Path, metavar="FILE.csv")
    taken.add_argument(
        "--complete", action="store_true", help=_("end what is not in the file; without it, that stays")
    )
    for each in (check, listed, export, taken):
        each.add_argument("--on", metavar="DATE", default=None, help=_("the day; today by default"))
        each.add_argument("--db", metavar="URL", default=None)


def run(arguments: argparse.Namespace) -> int:
    """Do it; exit code 1 when a check found a hole, an overlap or a case without a holder."""
    core = open_core(arguments.db)
    try:
        on = parse_day(arguments.on) if arguments.on else _today(core)
        with core.database.read() as connection:
            book = duty_book(connection)
            lost = holderless(connection, on) if arguments.deed == "check" else []
        if arguments.deed == "check":
            return _check(book, prove(book, on), lost, arguments.json)
        if arguments.deed == "import":
            return _import(core, book, arguments.file, arguments.complete, on)
        standing = [each for each in book.duties if each.holds_on(on)]
        if arguments.deed == "export":
            return _export(book, standing, arguments.out)
        _list(book, standing)
        return 0
    finally:
        core.close()


def _today(core: Core) -> date:
    return core.clock.now().astimezone(ZoneInfo(city_facts(core).zone)).date()


def _check(book: DutyBook, found: Coverage, lost: list[Holderless], as_json: bool) -> int:
    if as_json:
        print(json.dumps(_facts(book, found, lost), ensure_ascii=False))
    else:
        _print(book, found, lost)
    return int(bool(found.holes or found.overlaps or found.lame or lost))


def _print(book: DutyBook, found: Coverage, lost: list[Holderless]) -> None:
    # zh: {day}：{cells} 个单元网格 × {classes} 个小类 = {pairs} 项，{percent} % 有唯一责任人
    words = _("{day}: {cells} cells × {classes} classes = {pairs}; {percent} % have exactly one keeper")
    print(
        words.format(
            day=found.on,
            cells=f"{found.cells:,}",
            classes=found.classes,
            pairs=f"{found.pairs:,}",
            percent=_percent(found.percent),
        )
    )
    code = language()
    _section(
        ngettext_("{count} hole", "{count} holes", len(found.holes)),
        [h.text(book, code) for h in found.holes],
    )
    _section(
        ngettext_("{count} overlap", "{count} overlaps", len(found.overlaps)),
        [each.text(book, code) for each in found.overlaps],
    )
    lame, ended = found.lame, found.run_out
    _section(
        ngettext_(
            "{count} row names an inactive unit or person",
            "{count} rows name an inactive unit or person",
            len(lame),
        ),
        [_line(book, each) for each in lame],
    )
    _section(
        ngettext_(
            "{count} row has run out and left a hole", "{count} rows have run out and left a hole", len(ended)
        ),
        [_line(book, each) for each in ended],
    )
    _section(
        ngettext_("{count} open case without a holder", "{count} open cases without a holder", len(lost)),
        [f"{each.number} {_(STATES[each.state].label)}: {_(WHY[each.why])}" for each in lost],
    )


def _percent(percent: float) -> str:
    """Never rounded up to a hundred."""
    return f"{int(percent * 1000) / 1000:.3f}"


def _section(title: str, lines: list[str]) -> None:
    print(title.format(count=len(lines)))
    for line in lines[:_SHOWN]:
        print(f"  {line}")
    if len(lines) > _SHOWN:
        print("  " + _("and {count} more").format(count=len(lines) - _SHOWN))


def _line(book: DutyBook, each: Duty) -> str:
    code = language()
    person = book.persons.get(each.person_id or 0)
    return "  ".join(
        (
            book.areas[each.area_id].label(code),
            book.class_label(each.kind, each.prefix, code),
            book.units[each.unit_id].label(code),
            person.name if person else "—",
            f"{each.valid_from}–{each.valid_to or ''}",
        )
    )


def _facts(book: DutyBook, found: Coverage, lost: Iterable[Holderless]) -> dict[str, Any]:
    code = language()
    return {
        "on": found.on.isoformat(),
        "cells": found.cells,
        "classes": found.classes,
        "pairs": found.pairs,
        "covered": found.covered,
        "percent": found.percent,
        "holes": [asdict(h) | {"text": h.text(book, code)} for h in found.holes],
        "overlaps": [{"duties": [o.one.id, o.other.id], "text": o.text(book, code)} for o in found.overlaps],
        "lame": [each.id for each in found.lame],
        "run_out": [each.id for each in found.run_out],
        "holderless": [asdict(each) for each in lost],
    }


def _list(book: DutyBook, standing: Iterable[Duty]) -> None:
    for each in sorted(standing, key=lambda d: (d.kind, d.prefix, book.areas[d.area_id].code)):
        print(_line(book, each))


def _export(book: DutyBook, standing: list[Duty], out: Path) -> int:
    try:
        out.write_bytes(sheet.written(book, standing))
    except OSError as error:
        raise Unavailable("cannot_write", N_("{path} cannot be written."), path=out) from error
    print(_("{count} rows written to {path}").format(count=len(standing), path=out))
    return 0


def _import(core: Core, book: DutyBook, file: Path, complete: bool, on: date) -> int:
    """Every fault of the file is told before anything is written."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Unavailable("cannot_read", N_("{path} cannot be read."), path=file) from error
    read = sheet.read(book, content)
    if read.faults:
        raise RefusedAll(read.faults)
    if not read.rows:
        raise Refused("no_rows", N_("There are no rows in the file."))
    changed = core.bus.run(ImportDuties(read.rows, complete, on.isoformat()), SYSTEM).result
    print(
        _("{count} rows read, {changed} rows of the matrix changed").format(
            count=len(read.rows), changed=changed
        )
    )
    return 0
