"""The program's door: versions, help, refusals in a sentence, and an end without a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from db.kernel.language import set_language
from db.sync.copy import INDEXES
from desktop import __main__ as door
from desktop.app.program import DEMO_LOGIN, DEMO_PASSWORD, YIELD_S, Options, copying_words
from tests.desktop.app.test_shot import jingwei
from tests.kit.source import ROOT


def test_version_and_help_need_no_screen_and_no_database() -> None:
    version = jingwei("--version")
    assert version.returncode == 0
    assert version.stdout.startswith("jingwei ")
    told = jingwei("--help")
    assert told.returncode == 0
    assert all(verb in told.stdout for verb in door.VERBS)


def test_without_a_screen_a_sentence_says_what_can_be_done() -> None:
    surroundings = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "--lang", "en"],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if sys.platform.startswith("linux"):
        assert done.returncode == 2
        assert "There is no screen here." in done.stderr


def test_a_named_database_that_is_not_there_ends_with_a_sentence(tmp_path: Path) -> None:
    done = jingwei("--db", f"sqlite:///{tmp_path / 'none.db'}")
    assert done.returncode == 2
    assert "none.db" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a matter of POSIX")
def test_ctrl_c_ends_the_program_in_good_order(city_url: str, tmp_path: Path) -> None:
    surroundings = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_DATA_HOME": str(tmp_path)}
    program = subprocess.Popen(
        [sys.executable, "-m", "desktop", "--lang", "en", "--verbose", "--wall", "--db", city_url],
        cwd=ROOT,
        env=surroundings,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stderr is not None
    # The page of the map speaks once the loop runs.
    for line in program.stderr:
        if "GPUInfo" in line or "sandbox" in line.lower():
            break
    program.send_signal(signal.SIGINT)
    _out, said = program.communicate(timeout=120)
    assert program.returncode == 0, said
    assert "Traceback" not in said


def test_the_demo_city_signs_in_with_what_the_page_says() -> None:
    assert (DEMO_LOGIN, DEMO_PASSWORD) == ("zhiban", "jingwei-2026")
    assert not Options("sqlite:///x.db").wall


STARTED = """
import sys

from desktop.app.program import Options, make_application
from desktop.core.preferences import Preferences

print(sys.getswitchinterval())
make_application(Options("sqlite:///x.db"), Preferences())
print(sys.getswitchinterval())
"""


def test_a_started_program_gives_the_window_its_turn_back_sooner_than_python_would(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    before, after = map(float, done.stdout.split())
    assert after == pytest.approx(YIELD_S)
    assert after < before


def test_the_order_after_the_last_row_has_words_of_its_own() -> None:
    set_language("en")
    assert copying_words("cases") == "First copy: Cases"
    assert copying_words(INDEXES) == "First copy: putting it in order"
    assert copying_words("unit") == "First copy: Registers and the rest"
