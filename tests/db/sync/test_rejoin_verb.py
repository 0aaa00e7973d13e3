"""A station meets a server that was put back, by the command line: told what would be done, then done."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select, update

from db.cases.commands.intake import Report
from db.cases.commands.marking import TagCases
from db.cases.tables import case, step, tag
from db.cli.main import run_verb
from db.engine.tables import journal_head, replica
from tests.db.sync.conftest import Pair
from tests.db.sync.test_merging import dispatched, in_step
from tests.db.sync.test_pull import put_back
from tests.flows.bureau import COVER
from tests.kit.refusals import refused


def test_what_would_be_sent_again_is_told_before_it_is(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    east = pair.east
    address = f"postgresql+psycopg:///{pair.server.name}?host={pair.server.postgres.folder}"
    with east.local.write_many() as writing:
        writing.connection.execute(update(replica).values(server=address))

    def jingwei(*more: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
        words = ("station", "rejoin", "--db", f"sqlite:///{east.path}", "--user", "li", *more)
        code = run_verb("station", words, "db.cli.station")
        return code, capsys.readouterr().out

    kept = dispatched(pair)
    code, said = jingwei()
    assert (code, "was not put back" in said, "nothing to do" in said) == (0, True, True)
    with pair.server.owner.read() as connection:
        head = connection.execute(select(journal_head)).one()
        known = {table.name: connection.execute(select(table)).mappings().all() for table in (case, step)}
    lost = int(east.run(Report("hotline", COVER, "污水外溢", reporter_name="张三"), "wang"))
    east.run(TagCases((kept,), "防汛"), "li")
    east.sync()
    east.run(TagCases((kept,), "夜间"), "li")
    put_back(pair.server, head, known)
    with refused("other_history"):
        east.pull()
    before = {table.name: east.rows(table) for table in (case, step, tag)}
    states = [act.state for act in east.acts().values()]
    code, said = jingwei()
    assert code == 0
    for words in (
        f"knows {head.seq} entries; this station has seen {head.seq + 2}.",
        "1 act waits here anyway.",
        "2 acts of this station are lost there and will be sent again:",
        "without the contact",
        "李华  Tag cases  1 case",
        "Nothing was changed. Add --yes to do it.",
    ):
        assert words in said, said
    assert {table.name: east.rows(table) for table in (case, step, tag)} == before
    assert [act.state for act in east.acts().values()] == states
    code, said = jingwei("--yes")
    assert (code, "2 acts are sent again when their persons sign in here" in said) == (0, True), said
    in_step(pair)
    assert lost in pair.server.rows(case)
    assert {row["word"] for row in pair.server.rows(tag).values()} == {"防汛", "夜间"}


def test_another_file_is_no_station(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for url in (sqlite_url, "postgresql://localhost/jingwei"):
        assert run_verb("station", ("station", "rejoin", "--db", url, "--user", "x"), "db.cli.station") == 2
        assert "belongs to no server" in capsys.readouterr().err
