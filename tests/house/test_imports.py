"""Names point down: the contracts of ``pyproject.toml`` hold, and nobody dodges them inside a function."""

from __future__ import annotations

import ast

import pytest
from importlinter.cli import lint_imports

from tests.kit.source import PACKAGES, ROOT, python_files, tree, where

# The command line imports a verb when it is asked for, so that "jingwei --help" need not load Qt; the program
# imports the maker of the demo city on the very first start only.
MAY_IMPORT_LATE = ("db/cli/", "desktop/__main__.py", "desktop/app/program.py")


def test_the_import_contracts_are_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    failed = lint_imports(no_cache=True)
    assert not failed, capsys.readouterr().out


def test_no_function_imports_our_own_modules() -> None:
    late = [
        where(path, node)
        for path in python_files(*PACKAGES)
        if not where(path).startswith(MAY_IMPORT_LATE)
        for function in ast.walk(tree(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and _roots(node).intersection(PACKAGES)
    ]
    assert not late, late


def test_no_import_is_only_for_the_type_checker() -> None:
    dodged = [
        where(path, node)
        for path in python_files(*PACKAGES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Name | ast.Attribute)
        and (node.id if isinstance(node, ast.Name) else node.attr) == "TYPE_CHECKING"
    ]
    assert not dodged, dodged


def _roots(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return {name.partition(".")[0] for name in names}
