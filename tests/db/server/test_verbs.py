"""The verbs that make, fill, copy and look after a server, as an administrator types them."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text

from db.bootstrap import open_core
from db.cases.commands.intake import Accept, Report
from db.cases.tables import reporter
from db.cli.main import run_verb
from db.demo.postgres import of_package, programs
from db.engine import schema
from db.engine.connections import address_of, open_database
from db.engine.tables import journal, setting
from db.kernel.actor import SYSTEM
from db.kernel.refusal import Refused, Unavailable
from db.people.commands import CreateFirstAccount, actor_of, sign_in
from db.server import moving
from db.server.backup import back_up, open_scratch, restore
from db.server.setup import as_owner
from tests.flows.bureau import COVER
from tests.kit.postgres import PostgresServer

pytestmark = pytest.mark.postgres

Jingwei = Callable[..., tuple[int, str, str]]
PASSWORD = "Abcd-1234"
HAS_TOOLS = (programs() / "pg_dump").exists()
BINARIES = programs() if HAS_TOOLS else of_package()


@pytest.fixture
def jingwei(capsys: pytest.CaptureFixture[str]) -> Jingwei:
    """Run a verb; exit code and what it said on both ways."""

    def run(*words: str) -> tuple[int, str, str]:
        module = {"server": "db.cli.server"}.get(words[0], "db.cli.backup")
        capsys.readouterr()
        code = run_verb(words[0], words, module)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    """Where a server is to be; nothing is there yet."""
    name = postgres.create()
    postgres.drop(name)
    yield postgres.url(name)
    with postgres.connect() as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            postgres.drop(name)


@pytest.fixture
def local(tmp_path: Path) -> str:
    """A database of its own with an officer, a case with a contact, and a photo folder."""
    file = tmp_path / "own.db"
    core = open_core(f"sqlite:///{file}", create=True)
    core.bus.run(CreateFirstAccount("王敏", "wangmin", PASSWORD), SYSTEM)
    who = actor_of(core.database, "wangmin")
    told = Report(
        "hotline", COVER, "井盖破损", "学府路", reporter_name="张三丰", reporter_phone="13812345678"
    )
    case_id = core.bus.run(told, who).result
    core.bus.run(Accept((case_id,)), who)
    core.close()
    photos = tmp_path / "own.db.photos" / "ab"
    photos.mkdir(parents=True)
    (photos / "ab12.jpg").write_bytes(b"photo")
    return f"sqlite:///{file}"


def test_a_server_is_made_step_by_step_and_again(jingwei: Jingwei, url: str) -> None:
    code, said, _err = jingwei("server", "init", "--db", url)
    assert code == 0
    for step in (
        "Roles and database",
        "Tables made",
        "Reference data loaded",
        "Guard put up",
        "Nobody can sign in",
    ):
        assert step in said
    # The test's own server is not made to last.
    assert "fsync is off" in said
    code, said, _err = jingwei("server", "init", "--db", url)
    assert code == 0
    assert "Guard renewed" in said
    assert "Reference data" not in said
    code, said, _err = jingwei("server", "check", "--json", "--db", url)
    found = {row["code"]: row["weight"] for row in json.loads(said)}
    assert code == 1
    assert found["not_durable"] == "fault"
    assert not {"no_guard", "old_guard", "older_tables", "few_months", "no_tables", "few_connections"} & set(
        found
    )


def test_nothing_there_yet_is_told(jingwei: Jingwei, empty_postgres_url: str) -> None:
    code, said, _err = jingwei("server", "check", "--db", empty_postgres_url)
    assert (code, "server init" in said) == (1, True)


def test_a_local_file_is_no_server(jingwei: Jingwei, local: str) -> None:
    code, _said, err = jingwei("server", "init", "--db", local)
    assert (code, "A server is PostgreSQL" in err) == (2, True)


def test_people_are_let_in_changed_and_shut_out(
    jingwei: Jingwei, url: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    jingwei("server", "init", "--db", url)
    login = f"zhao_{postgres.folder.name[-4:]}"
    person = ("server", "person")
    code, said, _err = jingwei(
        *person, "add", login, "--name", "赵六", "--roles", "dispatcher,acceptor", "--db", url
    )
    assert (code, bool(re.search(rf"{login} is let in with the password \S+", said))) == (0, True)
    core = open_core(url.replace("postgres@", f"{login}@"))
    who = actor_of(core.database, login)
    assert (who.name, set(who.roles)) == ("赵六", {"dispatcher", "acceptor"})
    case_id = core.bus.run(Report("hotline", COVER, "井盖破损", "学府路"), who).result
    core.close()
    code, said, _err = jingwei(*person, "roles", login, "--roles", "leader", "--db", url)
    assert (code, said.strip()) == (0, f"赵六 ({login}): leader")
    core = open_core(url.replace("postgres@", f"{login}@"))
    with pytest.raises(Refused, match="may not do this"):
        core.bus.run(Accept((case_id,)), who)
    core.close()
    monkeypatch.setattr("sys.stdin", io.StringIO("Wxyz-9876\n"))
    code, said, _err = jingwei(*person, "password", login, "--ask", "--db", url)
    assert (code, said.strip()) == (0, f"{login} is let in.")
    code, said, _err = jingwei(*person, "remove", login, "--db", url)
    assert code == 0
    with pytest.raises(Unavailable):
        open_database(url.replace("postgres@", f"{login}@"))
    code, _said, err = jingwei(*person, "add", "jw_owner", "--roles", "leader", "--db", url)
    assert (code, "cannot take the name" in err) == (2, True)
    code, _said, err = jingwei(*person, "add", "x", "--name", "x", "--roles", "king", "--db", url)
    assert (code, "no role king" in err) == (2, True)


def test_a_local_database_goes_to_a_server_and_back_with_its_journal(
    jingwei: Jingwei, url: str, local: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    source = open_database(local)
    with source.read() as connection:
        rows = moving.counted(connection)
        entries = connection.execute(select(journal.c.seq, journal.c.hash).order_by(journal.c.seq)).all()
        number = connection.execute(select(setting.c.value).where(setting.c.key == "station")).scalar_one()
    source.close()
    code, said, _err = jingwei("server", "adopt", "--from", local, "--db", url)
    assert code == 0, said
    (password,) = re.findall(r"wangmin is let in with the password (\S+)", said)
    assert "The journal is whole: " in said
    owner = open_core(as_owner(address_of(url)).render_as_string(hide_password=False))
    with owner.database.read() as connection:
        assert moving.counted(connection) == rows
        kept = connection.execute(select(journal.c.seq, journal.c.hash).order_by(journal.c.seq)).all()
        assert [(seq, bytes(seal)) for seq, seal in kept] == [tuple(row) for row in entries]
        settings = dict(connection.execute(select(setting.c.key, setting.c.value)).all())
        assert settings["station"] == 0
        # Nobody else makes ids and numbers under the old one; it has told nothing of itself.
        taken = connection.execute(text("SELECT number, program FROM station")).all()
        assert [tuple(row) for row in taken] == [(number, "")]
    owner.close()
    member = open_core(url.replace("postgres@", "wangmin@"))
    who = actor_of(member.database, "wangmin")
    member.bus.run(Report("hotline", COVER, "路灯不亮", "学府路"), who)
    member.bus.undo(who)
    member.close()
    # Not over what is there.
    code, _said, err = jingwei("server", "adopt", "--from", local, "--db", url)
    assert (code, "holds something already" in err) == (2, True)
    out = tmp_path / "back.db"
    code, said, _err = jingwei("server", "release", str(out), "--db", url)
    assert code == 0
    (password,) = re.findall(r"wangmin signs in with the password (\S+)", said)
    core = open_core(f"sqlite:///{out}")
    assert sign_in(core.database, "wangmin", password).name == "王敏"
    with core.database.read() as connection:
        assert connection.execute(select(reporter.c.phone)).scalars().all() == ["13812345678"]
        assert "server" not in dict(connection.execute(select(setting.c.key, setting.c.value)).all())
    core.close()
    code, _said, err = jingwei("server", "release", str(out), "--db", url)
    assert (code, "is there already" in err) == (2, True)
    with postgres.connect() as connection:
        connection.execute("ALTER ROLE wangmin NOLOGIN")


def test_a_forged_journal_is_not_lifted(url: str, local: str, jingwei: Jingwei) -> None:
    with closing(sqlite3.connect(local.removeprefix("sqlite:///"))) as raw:
        raw.execute("UPDATE journal SET actor_name = 'x' WHERE seq = 2")
        raw.commit()
    code, _said, err = jingwei("server", "adopt", "--from", local, "--db", url)
    assert (code, "does not hold at entry 2" in err) == (2, True)
    database = open_database(url)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM journal")).scalar() == 0
    assert schema.is_untouched(database)
    database.close()


# Backups.


def test_a_local_backup_is_made_while_somebody_writes_and_proved(
    jingwei: Jingwei, local: str, tmp_path: Path
) -> None:
    core = open_core(local)
    who = actor_of(core.database, "wangmin")
    out = tmp_path / "copies" / "monday.db"
    out.parent.mkdir()
    with core.database.write(who, Report("hotline", COVER, "x", "x")) as unit:
        # A transaction is open: its rows are not in the copy.
        unit.connection.execute(text("UPDATE cases SET address = 'half done'"))
        code, said, _err = jingwei("backup", str(out), "--db", local)
        unit.connection.execute(text("UPDATE cases SET address = '学府路'"))
    core.close()
    assert code == 0
    assert "The journal chain is whole" in said
    assert "Photos: 1" in said
    with closing(sqlite3.connect(out)) as raw:
        assert raw.execute("SELECT address FROM cases").fetchall() == [("学府路",)]
    assert (out.with_name("monday.db.photos") / "ab" / "ab12.jpg").read_bytes() == b"photo"
    code, _said, err = jingwei("backup", str(out), "--db", local)
    assert (code, "is there already" in err) == (2, True)
    code, said, _err = jingwei("restore", str(out), "--check", "--db", local)
    assert (code, "equal a recount" in said) == (0, True)
    back = tmp_path / "back" / "city.db"
    code, _said, _err = jingwei("restore", str(out), "--db", f"sqlite:///{back}")
    assert code == 0
    assert (back.with_name("city.db.photos") / "ab" / "ab12.jpg").exists()
    code, _said, err = jingwei("restore", str(out), "--db", f"sqlite:///{back}")
    assert (code, "is there already" in err) == (2, True)


def test_a_damaged_or_forged_backup_is_found_out(jingwei: Jingwei, local: str, tmp_path: Path) -> None:
    out = tmp_path / "copy.db"
    back_up(local, out)
    with closing(sqlite3.connect(out)) as raw:
        raw.execute("UPDATE journal SET arguments = '{}' WHERE seq = 3")
        raw.commit()
    code, _said, err = jingwei("restore", str(out), "--check", "--db", local)
    assert (code, "does not hold at entry 3" in err) == (2, True)
    out.write_bytes(b"PK" + out.read_bytes())
    code, _said, err = jingwei("restore", str(out), "--check", "--db", local)
    assert (code, "is no backup" in err) == (2, True)


@pytest.mark.skipif(not HAS_TOOLS, reason="no pg_restore of the server's own version")
def test_a_server_is_dumped_and_comes_back_guarded(
    jingwei: Jingwei, url: str, local: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    jingwei("server", "adopt", "--from", local, "--db", url)
    binaries = ("--bin", str(BINARIES))
    out = tmp_path / "server.dump"
    code, said, _err = jingwei("backup", str(out), "--db", url, *binaries)
    assert (code, "Prove it" in said) == (0, True)
    before = _databases(postgres)
    code, said, _err = jingwei("restore", str(out), "--check", "--db", url, *binaries)
    assert code == 0, said
    assert "The journal chain is whole" in said
    assert "equal a recount" in said
    assert _databases(postgres) == before
    other = f"{address_of(url).database}_back"
    try:
        code, said, _err = jingwei("restore", str(out), "--db", postgres.url(other), *binaries)
        assert code == 0, said
        member = open_core(postgres.url(other).replace("postgres@", "wangmin@"))
        who = actor_of(member.database, "wangmin")
        member.bus.run(Report("hotline", COVER, "路灯不亮", "学府路"), who)
        with (
            pytest.raises(Refused, match="without an entry"),
            member.database.troubles(),
            member.database.engine.begin() as connection,
        ):
            connection.execute(text("UPDATE cases SET description = 'x'"))
        member.close()
    finally:
        postgres.drop(other)
    code, _said, err = jingwei("restore", str(out), "--db", f"sqlite:///{tmp_path / 'x.db'}")
    assert (code, "go between them" in err) == (2, True)


def _databases(postgres: PostgresServer) -> set[str]:
    with postgres.connect() as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()}


def test_without_the_tools_a_sentence_says_so(jingwei: Jingwei, url: str, tmp_path: Path) -> None:
    code, _said, err = jingwei("backup", str(tmp_path / "x"), "--db", url, "--bin", str(tmp_path))
    assert (code, "pg_dump is not there" in err) == (2, True)
    assert not list(tmp_path.iterdir())


def test_what_a_failed_restore_began_is_gone(tmp_path: Path, url: str, postgres: PostgresServer) -> None:
    # The server need not be one that was set up before.
    broken = tmp_path / "broken.dump"
    broken.write_bytes(b"PGDMP" + bytes(100))
    before = _databases(postgres)
    with pytest.raises(Unavailable, match="pg_restore failed"):
        open_scratch(broken, url, tmp_path, BINARIES)
    assert _databases(postgres) == before
    with pytest.raises(Refused, match="is no backup"):
        restore(Path(__file__), url)
