"""The command line: finds the verb, runs it, and turns trouble into one sentence and an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from platformdirs import user_data_path

from db.kernel.language import LANGUAGES, N_, _, set_language
from db.kernel.refusal import Trouble

VERBS = {
    "advice": ("db.cli.advice", N_("tell how good the advice for dispatch is")),
    "backup": ("db.cli.backup", N_("copy a database while people work")),
    "demo": ("db.cli.demo", N_("create the demo city, or let it live")),
    "due": ("db.cli.due", N_("tell when something is due, and how that was counted")),
    "duties": ("db.cli.duties", N_("tell who is responsible, prove that somebody is, edit the matrix")),
    "export": ("db.cli.export", N_("write map data to a file")),
    "grid": ("db.cli.grid", N_("check the grid of areas")),
    "import": ("db.cli.import_", N_("take in cases or map data from a file")),
    "restore": ("db.cli.backup", N_("make a database from a backup, or try to")),
    "scope": ("db.cli.scope", N_("tell where an account may act, set it or take it away")),
    "search": ("db.cli.search", N_("find cases in all of history")),
    "server": ("db.cli.server", N_("set up and look after a server")),
    "station": ("db.cli.station", N_("meet a server that was put back")),
    "tiles": ("db.cli.tiles", N_("look into map tiles and choose them")),
    "together": ("db.cli.together", N_("try out two stations and a server on this computer")),
    "tracks": ("db.cli.tracks", N_("erase old tracks of collectors")),
    "verify": ("db.cli.verify", N_("check the journal's chain and recount the live figures")),
}
"""Verb → the module that knows it, and a line of help; a module is imported only when its verb is called."""

EXIT_TROUBLE = 2
EXIT_INTERRUPTED = 130


def default_url() -> str:
    """The database when none is named: ``JINGWEI_DB``, else the room's own file, else the demo city."""
    if url := os.environ.get("JINGWEI_DB"):
        return url
    folder = data_folder()
    own = folder / "jingwei.db"
    return f"sqlite:///{own if own.exists() else folder / 'demo.db'}"


def data_folder() -> Path:
    """Where databases and logs of this computer's user are kept."""
    return user_data_path("jingwei", appauthor=False)


def choose_language(words: Sequence[str]) -> list[str]:
    """Speak the language that ``--lang`` asks for, before any help is made; returns the other words."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--lang", choices=LANGUAGES, default=None)
    chosen, rest = parser.parse_known_args(list(words))
    set_language(chosen.lang)
    return rest


def run_verb(verb: str, words: Sequence[str], module: str) -> int:
    """Parse the words after a verb and run it; the exit code."""
    parser = argparse.ArgumentParser(prog="jingwei")
    verbs = parser.add_subparsers(dest="verb", required=True)
    code = importlib.import_module(module)
    code.add(verbs)
    arguments = parser.parse_args(list(words))
    arguments.db = arguments.db or default_url()
    return guarded(lambda: int(code.run(arguments)))


def guarded(work: Callable[[], int]) -> int:
    """Run something and turn trouble into a sentence on standard error and an exit code."""
    try:
        return work()
    except Trouble as trouble:
        print(trouble.text(), file=sys.stderr)
        return EXIT_TROUBLE
    except BrokenPipeError:
        # The reader of our output has gone; what is left of it must not make a noise at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_TROUBLE
    except KeyboardInterrupt:
        print(_("Stopped; nothing half-done was kept."), file=sys.stderr)
        return EXIT_INTERRUPTED
