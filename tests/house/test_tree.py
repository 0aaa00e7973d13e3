"""What the tree as a whole keeps: mirrors, both languages, plain pins, nothing of one machine."""

from __future__ import annotations

import re
import tomllib

from tests.kit.source import ROOT, python_files, text_files, where

# Written apart, so that this file does not name them either.
FOREIGN = re.compile(
    "|".join(
        (
            "(?<![a-z.])/wor" + "k/",
            "(?<![a-z.])/ro" + "ot/",
            "py" + r"pi\.org",
            "pythonhos" + "ted",
            "npm" + r"js\.",
            r"deb\.deb" + r"ian\.org",
            r"snapshot\.deb" + r"ian\.org",
            r"mirrors?\.(?:ali" + "yun|tuna|us" + "tc)",
            "index" + "-url",
            "find" + "-links",
        )
    )
)


HELD_BY = {
    "tests/db/server/test_doors.py": ("people/staff",),
    "tests/db/server/test_guard.py": ("server/persons", "server/setup"),
    "tests/db/server/test_tending.py": ("cli/tend", "upkeep"),
    "tests/db/server/test_tls.py": ("engine/trust", "sync/authority"),
    "tests/db/server/test_update.py": ("server/stations",),
    "tests/db/server/test_verbs.py": ("cli/backup", "cli/server", "server/backup", "server/moving"),
    "tests/db/cli/test_main.py": ("kernel/program",),
    "tests/db/sync/test_batch.py": ("kernel/act",),
    "tests/db/sync/test_grace.py": ("sync/seat",),
    "tests/db/sync/test_merging.py": ("sync/concurrent",),
    "tests/db/sync/test_pull.py": ("sync/incoming", "sync/news", "sync/rejoin"),
    "tests/db/sync/test_push.py": ("sync/skew", "sync/tray"),
    "tests/desktop/app/test_network.py": ("sync/roll",),
    "tests/desktop/core/test_line.py": ("sync/standing",),
    "tests/faults/test_network.py": (
        *("demo/postgres", "demo/serving", "engine/outbox", "engine/patience"),
        *("sync/bell", "sync/door", "sync/station"),
    ),
    "tests/db/sync/test_rejoin_verb.py": ("cli/station",),
    "tests/flows/test_stations.py": ("sync/rebase",),
}
"""What only shows beside a real server is held where one runs, several modules at once."""
MEASURED = frozenset({"db/demo/naive.py", "db/demo/sitting.py"})
"""Programs of `jingwei bench network`: their figures are their proof."""


def test_each_module_of_db_has_a_test_of_its_name() -> None:
    held = {f"db/{name}.py" for names in HELD_BY.values() for name in names} | MEASURED
    missing = {
        where(path)
        for path in python_files("db")
        if _needs_mirror(where(path)) and not _has_mirror(where(path)) and where(path) not in held
    }
    assert all((ROOT / test).is_file() for test in HELD_BY)
    assert all((ROOT / module).is_file() for module in held)
    assert not missing, "no test of its name: " + ", ".join(sorted(missing))


def test_nothing_in_the_tree_belongs_to_one_machine() -> None:
    found = [
        f"{where(path)}:{number}: {line.strip()[:80]}"
        for path, text in text_files()
        for number, line in enumerate(text.splitlines(), 1)
        if FOREIGN.search(line)
    ]
    assert not found, "\n".join(found)


def test_every_dependency_is_pinned_by_name_and_version_alone() -> None:
    lines = (ROOT / "packaging" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin)] == []
    pinned = {_plain(pin) for pin in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {_plain(line) for line in (*project["dependencies"], *project["optional-dependencies"]["dev"])}
    assert not wanted - pinned, wanted - pinned


def test_the_changelog_knows_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{project['version']}]" in changes or "## [Unreleased]" in changes


def test_the_readme_speaks_both_languages() -> None:
    readmes = sorted(path.name for path in ROOT.glob("README*.md"))
    if readmes:
        assert "README.md" in readmes
        assert len(readmes) == 2, readmes
        for own, other in (readmes, reversed(readmes)):
            assert other in (ROOT / own).read_text(encoding="utf-8"), f"{own} does not lead to {other}"


def _needs_mirror(module: str) -> bool:
    """Tables are declarations, and migrations are history: both are proven by the tests of the schema."""
    return not module.endswith(("__init__.py", "/tables.py")) and "/migrations/" not in module


def _has_mirror(module: str) -> bool:
    """db/cases/queries.py: tests/db/cases/test_queries.py, or a test of the folder it was split into."""
    path = ROOT / "tests" / module
    return (
        path.with_name(f"test_{path.name}").exists()
        or path.parent.with_name(f"test_{path.parent.name}.py").exists()
    )


def _plain(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()
