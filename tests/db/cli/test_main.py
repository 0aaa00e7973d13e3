"""The command line: language, version, exit codes, and trouble as one sentence on standard error."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.cli import main as command_line
from db.cli.main import VERBS, choose_language, default_url, guarded, run_verb
from db.kernel.language import language
from db.kernel.program import program_version
from db.kernel.refusal import Refused, Unavailable
from desktop.__main__ import main
from tests.kit.source import ROOT


def test_every_verb_has_a_module_that_declares_and_runs_it(capsys: pytest.CaptureFixture[str]) -> None:
    for verb, (module, words) in VERBS.items():
        assert words
        assert {"add", "run"} <= set(dir(importlib.import_module(module)))
        with pytest.raises(SystemExit) as ended:
            run_verb(verb, [verb, "--help"], module)
        assert ended.value.code == 0
        assert f"usage: jingwei {verb}" in capsys.readouterr().out


def test_the_language_option_is_taken_out_wherever_it_stands() -> None:
    assert choose_language(["verify", "--lang", "zh_CN", "--json"]) == ["verify", "--json"]
    assert language() == "zh_CN"
    assert choose_language(["--lang=en"]) == []
    assert language() == "en"


def test_an_unknown_language_or_verb_ends_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--lang", "fr"], ["dance"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"jingwei {program_version()}\n"


@pytest.mark.parametrize(
    "trouble", [Refused("a", "No {what}.", what="way"), Unavailable("b", "No {what}.", what="way")]
)
def test_trouble_is_one_sentence_on_standard_error_and_exit_code_two(
    capsys: pytest.CaptureFixture[str], trouble: Exception
) -> None:
    def work() -> int:
        raise trouble

    assert guarded(work) == 2
    assert capsys.readouterr() == ("", "No way.\n")


def test_an_interruption_says_that_nothing_half_done_was_kept(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        raise KeyboardInterrupt

    assert guarded(work) == 130
    assert capsys.readouterr().err == "Stopped; nothing half-done was kept.\n"


def test_a_bug_is_not_hidden() -> None:
    def work() -> int:
        raise LookupError("bug")

    with pytest.raises(LookupError):
        guarded(work)


def test_a_reader_that_goes_away_is_no_noise() -> None:
    code = (
        "import sys\nfrom db.cli.main import guarded\n"
        "def work():\n    while True:\n        print('x' * 1000)\n"
        "sys.exit(guarded(work))"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.readline()
    program.stdout.close()
    errors = program.stderr.read()
    program.stderr.close()
    assert (program.wait(120), errors) == (2, b"")


def test_the_database_is_the_named_one_else_the_rooms_own_else_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_line, "data_folder", lambda: tmp_path)
    monkeypatch.delenv("JINGWEI_DB", raising=False)
    assert default_url() == f"sqlite:///{tmp_path / 'demo.db'}"
    (tmp_path / "jingwei.db").touch()
    assert default_url() == f"sqlite:///{tmp_path / 'jingwei.db'}"
    monkeypatch.setenv("JINGWEI_DB", "postgresql://server/city")
    assert default_url() == "postgresql://server/city"


def test_a_verb_runs_without_qt_and_fails_in_a_sentence(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom desktop.__main__ import main\n"
        "code = main(sys.argv[1:])\n"
        "assert not any(name.startswith('PySide6') for name in sys.modules)\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "verify", "--db", f"sqlite:///{tmp_path / 'no.db'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "JINGWEI_LANG": "en"},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"The database {tmp_path / 'no.db'} is not there.\n"
