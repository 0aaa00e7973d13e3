"""The whole way of an import, for the command line and the window alike: read, check, list the problems,
write.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

from db.engine.bus import Bus
from db.engine.connections import Database
from db.exchange.checking import Checked, Report, check
from db.exchange.commands import import_of
from db.exchange.known import known_in, known_without_database
from db.exchange.mapping import CaseMapping
from db.exchange.problems import ProblemList
from db.exchange.reading import Progress, SourceFile, examine
from db.kernel.actor import Actor

PROBLEMS_SUFFIX = ".problems.csv"


def check_file(
    path: Path, mapping: CaseMapping, database: Database | None, progress: Progress | None = None
) -> Checked:
    """Check a file against a database, or against a fresh one when there is none; the caller closes the
    answer.

    Raises ``Refused`` or ``Unavailable`` when the file cannot be read as the mapping says.
    """
    return check_source(examine(path, mapping, progress), mapping, database, progress)


def check_source(
    source: SourceFile, mapping: CaseMapping, database: Database | None, progress: Progress | None = None
) -> Checked:
    """The same for a file that was examined already."""
    if database is None:
        return check(source, mapping, known_without_database(), progress)
    with database.read() as connection:
        known = known_in(connection, mapping)
    return check(source, mapping, known, progress)


def import_checked(
    bus: Bus,
    actor: Actor,
    checked: Checked,
    problems: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Report, Path | None]:
    """Write what was checked: the list of problems first, so that a full disk stops it before anything is
    imported.

    Returns the counts and where the list is; ``None`` when there was nothing to list.
    Raises ``Refused`` (not permitted, cancelled), ``Unavailable``.
    """
    if not checked.report.taken:
        return checked.report, list_problems(checked, problems)
    listed = place_of_list(checked.source.path, checked.problems, problems)
    with checked.problems.saving(listed) if listed is not None else nullcontext():
        report: Report = bus.run(import_of(checked, progress), actor).result
    return report, listed


def list_problems(checked: Checked, wanted: Path | None = None) -> Path | None:
    """Write the list of problems to ``wanted``, or beside the file, or, where one may not write there,
    here.
    """
    path = place_of_list(checked.source.path, checked.problems, wanted)
    if path is not None:
        checked.problems.save(path)
    return path


def place_of_list(source: Path, problems: ProblemList, wanted: Path | None) -> Path | None:
    """Where the list of problems goes: where one wants it, else beside the file; nowhere when it is empty."""
    if not len(problems):
        return None
    return wanted or problems_beside(source)


def problems_beside(source: Path) -> Path:
    """``FILE.problems.csv`` in the folder of the file; in the current folder when that one is read-only."""
    name = source.name + PROBLEMS_SUFFIX
    folder = source.resolve().parent
    # By the mode and not only by trying: the administrator of a computer may write everywhere, but should
    # not.
    writable = bool(folder.stat().st_mode & 0o222) and os.access(folder, os.W_OK)
    return (folder if writable else Path.cwd()) / name
