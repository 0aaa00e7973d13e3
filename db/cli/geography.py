"""The part of ``jingwei import`` that takes map data, with its preview in words."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from db.exchange.geography.checking import Checked, Report, check
from db.exchange.geography.fields import REGISTERS, read_geography_mapping, register_of
from db.exchange.geography.files import examine
from db.exchange.geography.writing import import_checked, list_geography_problems
from db.exchange.problems import Problem
from db.exchange.reading import Progress
from db.kernel.actor import SYSTEM
from db.kernel.language import _, ngettext_

SHOWN_PROBLEMS = 20


def add_import(kinds: Any, own: str) -> None:
    """Declare ``import geography``."""
    parser: argparse.ArgumentParser = kinds.add_parser(
        "geography", help=_("take in map data from GeoJSON or a Shapefile")
    )
    parser.add_argument("file", type=Path, metavar="FILE", help=_("a .geojson or .shp file"))
    add_choices(parser, "auto")
    parser.add_argument(
        "--mapping", type=Path, metavar="FILE", help=_("what fields and words of the file mean (TOML)")
    )
    parser.add_argument("--check", action="store_true", help=_("check only; write nothing"))
    parser.add_argument(
        "--complete",
        action="store_true",
        help=_("the file is the whole register: mark what it no longer has"),
    )
    parser.add_argument("--db", metavar="URL", default=own)
    parser.add_argument(
        "--errors", type=Path, metavar="FILE", help=_("where the list of problems goes; else beside FILE")
    )
    parser.add_argument("--json", action="store_true", help=_("print the counts as JSON"))


def add_choices(parser: argparse.ArgumentParser, datum: str) -> None:
    """What import and export of map data both ask: which register, in which frame and encoding."""
    parser.add_argument("--kind", dest="register", choices=tuple(REGISTERS), required=True)
    parser.add_argument(
        "--datum",
        default=datum,
        metavar="DATUM",
        help=_("WGS-84, CGCS2000, GCJ-02, BD-09 or EPSG:4548 and its like; default: {datum}").format(
            datum=datum
        ),
    )
    parser.add_argument(
        "--encoding",
        default="auto" if datum == "auto" else "utf-8",
        metavar="NAME",
        help=_("of the texts: utf-8, gbk, gb18030"),
    )


def run_import(arguments: argparse.Namespace, core: Any, progress: Progress | None) -> int:
    """Check the whole file, tell what would happen and what is bad, then write it in one transaction."""
    register = register_of(arguments.register)
    mapping = read_geography_mapping(arguments.mapping, register) if arguments.mapping else None
    file = examine(arguments.file, arguments.datum, arguments.encoding, progress)
    with check(
        file, register, core.database, mapping, complete=arguments.complete, progress=progress
    ) as checked:
        if arguments.check:
            report, listed = checked.report, list_geography_problems(checked, arguments.errors)
        else:
            if not arguments.json:
                _tell_problems(checked)
            report, listed = import_checked(core.bus, SYSTEM, checked, arguments.errors, progress)
        _tell(checked, report, listed, arguments)
    return 0


def _tell(checked: Checked, report: Report, listed: Path | None, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(vars(report)))
        return
    if arguments.check:
        _tell_problems(checked)
    file = checked.file
    print(
        ngettext_("{count} feature in {file}", "{count} features in {file}", report.rows).format(
            count=f"{report.rows:,}", file=file.path
        )
        + f" ({file.frame.name}, {file.encoding})"
    )
    for words, count in (
        (_("{count} new"), report.new),
        (_("{count} changed"), report.changed),
        (_("{count} the same"), report.same),
        (_("{count} skipped"), report.skipped),
        (_("{count} ended"), report.ended),
    ):
        if count:
            print("  " + words.format(count=f"{count:,}"))
    if report.gaps or report.overlaps:
        print(
            _(
                "The register then has {gaps} gaps and {overlaps} overlaps; “jingwei grid check” lists them."
            ).format(gaps=f"{report.gaps:,}", overlaps=f"{report.overlaps:,}")
        )
    if arguments.check:
        print(_("Nothing was written."))
    if listed is not None:
        print(_("All remarks, row by row: {path}").format(path=listed))


def _tell_problems(checked: Checked) -> None:
    bad = [problem for problem in checked.problems.first if problem.skipped]
    for problem in bad[:SHOWN_PROBLEMS]:
        print(_sentence(problem))
    if checked.report.skipped > SHOWN_PROBLEMS:
        print("…")


def _sentence(problem: Problem) -> str:
    value = f" “{problem.value}”" if problem.value else ""
    if not problem.column:
        return _("Row {row}: {reason}").format(row=problem.line, reason=problem.text()) + value
    return (
        _("Row {row}, {column}: {reason}").format(
            row=problem.line, column=problem.column, reason=problem.text()
        )
        + value
    )
