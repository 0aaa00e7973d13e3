"""The scripts of packaging/: they parse, may be run, and know the packages they ask a system for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from tests.kit.source import ROOT

SCRIPTS = ("packaging/run", "packaging/test", "packaging/dev/check", "packaging/dev/locale", ".ci/run")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no executable bit")
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_may_be_run_and_parses(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    if "bash" in path.read_text(encoding="utf-8").splitlines()[0]:
        subprocess.run([shutil.which("bash") or "bash", "-n", str(path)], check=True)


def test_the_gate_of_the_ci_is_the_test_script_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert [line for line in lines[1:] if line.strip()] == [
        'exec bash "$(dirname "${BASH_SOURCE[0]}")/../packaging/test"'
    ]


def test_the_list_of_system_packages_has_one_name_a_line() -> None:
    lines = (ROOT / "packaging" / "apt.txt").read_text(encoding="utf-8").splitlines()
    names = [name for line in lines if (name := line.partition("#")[0].strip())]
    assert [name for name in names if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name)] == []
    assert len(names) == len(set(names))
