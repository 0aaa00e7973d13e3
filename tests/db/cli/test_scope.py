"""``jingwei scope`` binds an account by codes, says what counts, and lets it go again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from db.bootstrap import Core
from db.cli.main import run_verb
from db.kernel.actor import SYSTEM, Scope
from db.people.commands import CreateAccount, actor_of
from db.registers.tables import area
from tests.db.cases.office import ROADS, open_office
from tests.db.engine.kit import write


@pytest.fixture
def core(database_url: str) -> Iterator[Core]:
    core = open_office(database_url)
    core.bus.run(CreateAccount("wang", 1, "Abcdefg1", ("dispatcher",)), SYSTEM)
    place = {"id": 9, "kind": "district", "code": "370481002", "name": "龙泉街道", "name_en": "Longquan"}
    write(core.database, lambda u: u.insert(area, [{**place, "lon": 117.1, "lat": 35.1}]))
    yield core
    core.close()


def scope(url: str, *words: str) -> int:
    return run_verb("scope", ["scope", "wang", "--db", url, *words], "db.cli.scope")


def test_what_is_given_is_set_told_and_taken_away(
    core: Core, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scope(database_url) == 0
    assert capsys.readouterr().out == "张三 may act everywhere.\n"
    assert scope(database_url, "--area", "370481002", "--unit", "U1", "--class", "matter 09") == 0
    assert capsys.readouterr().out.splitlines() == [
        "张三 may act only on cases of",
        "  Areas: Longquan",
        "  Units: 市政处",
        "  Classes: matter 09",
    ]
    bound = Scope(frozenset({9}), frozenset({ROADS}), ("matter 09",))
    assert actor_of(core.database, "wang").scope == bound
    assert scope(database_url, "--everywhere", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "name": "张三",
        "everywhere": True,
        "areas": [],
        "units": [],
        "classes": [],
    }


@pytest.mark.parametrize(
    "words,sentence",
    [
        (("--area", "404"), "There is no area 404."),
        (("--unit", "404"), "There is no unit 404."),
        (("--class", "09"), "is no beginning of a class"),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(
    core: Core, database_url: str, capsys: pytest.CaptureFixture[str], words: tuple[str, str], sentence: str
) -> None:
    assert scope(database_url, *words) == 2
    assert sentence in capsys.readouterr().err
    assert actor_of(core.database, "wang").scope == Scope()
