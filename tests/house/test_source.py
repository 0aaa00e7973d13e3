"""How every source file looks: a docstring first, no attics, colours, nested event loops or stray prints."""

from __future__ import annotations

import ast
import re

from tests.kit.source import PACKAGES, ROOT, calls, python_files, strings, tree, where

ATTICS = {"util", "utils", "helper", "helpers", "common", "misc", "shared", "tools"}
COLOUR = re.compile(
    r"#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})(?![0-9a-z])|\b(?:rgb|hsl)a?\(\s*\d", re.IGNORECASE
)
# Verbs answer on standard output.
MAY_PRINT = (
    "db/cli/",
    "desktop/__main__.py",
    "desktop/app/bench.py",
    "desktop/app/shot.py",
    "desktop/app/start_probe.py",
)


def test_every_init_is_empty() -> None:
    full = [
        where(path) for path in python_files(*PACKAGES) if path.name == "__init__.py" and path.stat().st_size
    ]
    assert not full, full


def test_no_module_is_an_attic() -> None:
    attics = [
        where(path) for path in python_files(*PACKAGES) if ATTICS.intersection((path.stem, path.parent.name))
    ]
    assert not attics, attics


def test_each_python_file_says_first_what_it_is_for() -> None:
    silent = [
        where(path)
        for path in python_files(*PACKAGES, "tests")
        if path.name != "__init__.py" and not ast.get_docstring(tree(path))
    ]
    assert not silent, silent


def test_each_script_of_the_map_says_first_what_it_is_for() -> None:
    silent = [
        where(path)
        for path in sorted((ROOT / "resources").rglob("*.js"))
        if not path.read_text(encoding="utf-8").lstrip().startswith(("//", "/*"))
    ]
    assert not silent, silent


def test_colours_come_from_the_tokens() -> None:
    python = [
        f"{where(path, node)} {node.value!r}"
        for path in python_files(*PACKAGES)
        for node in strings(path)
        if COLOUR.search(str(node.value))
    ]
    scripts = [
        f"{where(path)}:{number} {line.strip()}"
        for path in sorted((ROOT / "resources").rglob("*.js"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if COLOUR.search(re.sub(r"//.*", "", line))
    ]
    assert not python + scripts, "\n".join(python + scripts)


def test_no_colour_is_made_of_literal_numbers_or_names() -> None:
    made = [
        where(path, node)
        for path in python_files("desktop")
        for node, name in calls(path)
        if name == "QColor"
        and node.args
        and all(isinstance(argument, ast.Constant) for argument in node.args)
    ]
    named = [
        where(path, node)
        for path in python_files("desktop")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "GlobalColor"
        and node.attr != "transparent"
    ]
    assert not made + named, made + named


def test_nothing_runs_a_nested_event_loop() -> None:
    nested = [
        where(path, node)
        for path in python_files("desktop")
        for node, name in calls(path)
        if name in {"exec", "exec_", "processEvents"} and not _is_the_application(node)
    ]
    assert not nested, nested


def test_only_the_command_line_prints() -> None:
    printed = [
        where(path, node)
        for path in python_files(*PACKAGES)
        if not where(path).startswith(MAY_PRINT)
        for node, name in calls(path)
        if name == "print" and isinstance(node.func, ast.Name)
    ]
    assert not printed, printed


def _is_the_application(call: ast.Call) -> bool:
    """``application.exec()`` is the one loop there is."""
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr == "exec"
        and isinstance(function.value, ast.Name)
        and function.value.id in {"app", "application", "QApplication"}
    )
