"""``jingwei import cases FILE --mapping FILE`` and ``jingwei import geography FILE --kind …``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from db.bootstrap import Core, open_core
from db.cli.geography import add_import, run_import
from db.cli.main import data_folder
from db.engine.connections import Database
from db.exchange.checking import Checked, Report
from db.exchange.importing import check_source, import_checked, list_problems
from db.exchange.mapping import read_mapping, shipped_mappings
from db.exchange.problems import Problem
from db.exchange.reading import Progress, examine
from db.kernel.actor import SYSTEM
from db.kernel.language import _, ngettext_
from db.kernel.refusal import Trouble

SHOWN_PROBLEMS = 10
SHOWN_WORDS = 20
_NOT_THERE = frozenset({"database_gone", "empty_database"})


def add(verbs: Any) -> None:
    """Declare the verb."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "import", help=_("take in cases or map data from a file")
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    cases = kinds.add_parser("cases", help=_("take in cases from a CSV file"))
    cases.add_argument("file", type=Path, metavar="FILE", help=_("the CSV file, in UTF-8 or GB18030"))
    cases.add_argument(
        "--mapping",
        type=Path,
        required=True,
        metavar="FILE",
        help=_("what its columns and words mean; shipped: {names}").format(
            names=", ".join(path.stem for path in shipped_mappings())
        ),
    )
    # Real cases never go into the demo city by default.
    own = f"sqlite:///{data_folder() / 'jingwei.db'}"
    cases.add_argument("--db", metavar="URL", default=os.environ.get("JINGWEI_DB") or own)
    cases.add_argument(
        "--errors", type=Path, metavar="FILE", help=_("where the list of problems goes; else beside FILE")
    )
    cases.add_argument("--json", action="store_true", help=_("print the counts as JSON"))
    cases.add_argument("--dry-run", action="store_true", help=_("check only; write no case"))
    add_import(kinds, os.environ.get("JINGWEI_DB") or own)


def run(arguments: argparse.Namespace) -> int:
    """Check the whole file, list its problems, and write its cases in one transaction."""
    progress = _terminal_progress() if sys.stderr.isatty() else None
    if arguments.kind == "geography":
        # A trial makes no database: without one there is nothing to compare with.
        with _opened(arguments.db, create=not arguments.check) as core:
            return run_import(arguments, core, progress)
    mapping = read_mapping(_mapping_path(arguments.mapping))
    # Before the database is opened: a file that cannot be read must not leave an empty database behind.
    source = examine(arguments.file, mapping, progress)
    if arguments.dry_run:
        with _checked_only(arguments.db, source, mapping, progress) as checked:
            listed = list_problems(checked, arguments.errors)
            _tell(checked, checked.report, listed, arguments)
        return 0
    with _opened(arguments.db) as core, check_source(source, mapping, core.database, progress) as checked:
        report, listed = import_checked(core.bus, SYSTEM, checked, arguments.errors, progress)
    _tell(checked, report, listed, arguments)
    return 0


@contextmanager
def _opened(url: str, *, create: bool = True) -> Iterator[Core]:
    """The database, made when it is not there; one made here goes again when the import fails."""
    file = _local_file(url)
    fresh = file is not None and not file.exists()
    try:
        core = open_core(url, create=create)
        try:
            yield core
        finally:
            core.close()
    except BaseException:
        if fresh and file is not None:
            for suffix in ("", "-wal", "-shm"):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
        raise


def _local_file(url: str) -> Path | None:
    """The file of a local database; ``None`` for a server, or for what is no address at all."""
    scheme, _mark, file = url.partition(":///")
    return Path(file) if scheme.startswith("sqlite") and file else None


def _mapping_path(given: Path) -> Path:
    """The file named, or the shipped mapping of that name."""
    shipped = {path.stem: path for path in shipped_mappings()}
    return given if given.exists() else shipped.get(str(given).removesuffix(".toml"), given)


def _checked_only(url: str, source: Any, mapping: Any, progress: Progress | None) -> Checked:
    """Check against the database, or against a fresh one when there is none yet: a trial makes no file."""
    try:
        core = open_core(url)
    except Trouble as trouble:
        if trouble.code not in _NOT_THERE:
            raise
        return check_source(source, mapping, None, progress)
    try:
        database: Database = core.database
        return check_source(source, mapping, database, progress)
    finally:
        core.close()


def _tell(checked: Checked, report: Report, listed: Path | None, arguments: argparse.Namespace) -> None:
    if arguments.json:
        counts = {
            "taken": report.taken,
            "skipped": report.skipped,
            "marked": report.marked,
            "already": report.already,
        }
        print(json.dumps(counts))
        return
    taken = _("{count} would be taken") if arguments.dry_run else _("{count} taken")
    print(
        ngettext_("{count} row in {file}", "{count} rows in {file}", report.rows).format(
            count=f"{report.rows:,}", file=checked.source.path
        )
    )
    print("  " + taken.format(count=f"{report.taken:,}"))
    print("  " + _("{count} of them without a position").format(count=f"{report.marked:,}"))
    print("  " + _("{count} skipped").format(count=f"{report.skipped:,}"))
    print("  " + _("{count} there already").format(count=f"{report.already:,}"))
    if report.unmapped:
        print(_("Words that the mapping does not know; the default class was taken:"))
        for word, count in report.unmapped.most_common(SHOWN_WORDS):
            print(f"  {count:>6,}  {word}")
        if len(report.unmapped) > SHOWN_WORDS:
            print("  …")
    skipped = [problem for problem in checked.problems.first if problem.skipped]
    for problem in skipped[:SHOWN_PROBLEMS]:
        print(_sentence(problem))
    if len(skipped) > SHOWN_PROBLEMS:
        print("…")
    if listed is not None:
        print(_("All remarks, row by row: {path}").format(path=listed))


def _sentence(problem: Problem) -> str:
    if not problem.column:
        return _("Line {line}: {reason}").format(line=problem.line, reason=problem.text())
    return _("Line {line}, column {column}: {reason}").format(
        line=problem.line, column=problem.column, reason=problem.text()
    )


def _terminal_progress() -> Progress:
    """A line on the terminal that is written over and over, once for each hundredth part."""
    shown = ""

    def show(done: int, total: int, label: str) -> bool:
        nonlocal shown
        percent = 100 * done // max(total, 1)
        line = f"{label} {percent} %"
        if line != shown:
            end = "\r\x1b[K" if done >= total else ""
            sys.stderr.write(f"\r\x1b[K{line}{end}")
            sys.stderr.flush()
            shown = line
        return True

    return show
