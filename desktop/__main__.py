"""The program's door: ``jingwei`` opens the room, ``jingwei VERB`` does one thing and ends."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from db.cli.main import VERBS as DB_VERBS
from db.cli.main import choose_language, data_folder, default_url, guarded, run_verb
from db.kernel.language import N_, _, language
from db.kernel.program import program_version

VERBS = {
    **DB_VERBS,
    "shot": ("desktop.app.shot", N_("write a picture of a page")),
    "bench": ("desktop.app.bench", N_("measure the program on this computer")),
}


def main(words: Sequence[str] | None = None) -> int:
    """Run the program; the exit code."""
    rest = choose_language(sys.argv[1:] if words is None else words)
    if rest and rest[0] in VERBS:
        return run_verb(rest[0], rest, VERBS[rest[0]][0])
    return guarded(lambda: _open_room(rest))


def _parser() -> argparse.ArgumentParser:
    verbs = "\n".join(f"  {name:<8} {_(words)}" for name, (_module, words) in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="jingwei",
        description=_("Opens the command room. With a verb it does one thing and ends:") + "\n\n" + verbs,
        epilog=_("“jingwei VERB --help” tells more about a verb."),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"jingwei {program_version()}")
    parser.add_argument(
        "--db", metavar="URL", default=None, help=_("database: sqlite:///FILE or postgresql://…")
    )
    parser.add_argument(
        "--server",
        metavar="ADDRESS",
        default=None,
        help=_("work at a server, on a copy of what it has: HOST or postgresql://HOST/DATABASE"),
    )
    parser.add_argument(
        "--authority",
        type=Path,
        metavar="FILE",
        default=None,
        help=_("certificate of the authority that vouches for the server; kept for the next time"),
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        default=None,
        help=_("where this station's files are kept; two windows with two folders are two stations"),
    )
    parser.add_argument("--theme", choices=("dark", "light"), default=None)
    parser.add_argument("--user", metavar="NAME", default=None, help=_("name to sign in with"))
    parser.add_argument(
        "--wall", action="store_true", help=_("the room for the big screen: read-only, full screen")
    )
    parser.add_argument(
        "--distance", type=float, metavar="M", default=None, help=_("viewing distance of the wall in metres")
    )
    parser.add_argument("--verbose", action="store_true", help=_("write the log to standard error too"))
    # Taken out by choose_language already; declared for the help text.
    parser.add_argument(
        "--lang", choices=("zh_CN", "en"), default=None, help=_("language of words and messages")
    )
    return parser


def _open_room(words: Sequence[str]) -> int:
    arguments = _parser().parse_args(list(words))
    # Qt is loaded only now: a verb that needs no window starts without it.
    from desktop.app.program import Options, is_headless, run
    from desktop.core import logs

    if is_headless() and not os.environ.get("QT_QPA_PLATFORM"):
        print(
            _("There is no screen here. “jingwei shot room.png” draws the room into a picture."),
            file=sys.stderr,
        )
        return 2
    logs.start(data_folder() / "log", verbose=arguments.verbose)
    return run(
        Options(
            arguments.db or default_url(),
            is_own=not arguments.db and not os.environ.get("JINGWEI_DB"),
            server=arguments.server,
            authority=arguments.authority,
            folder=arguments.folder,
            lang=language(),
            theme=arguments.theme,
            user=arguments.user,
            wall=arguments.wall,
            distance_m=arguments.distance,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
