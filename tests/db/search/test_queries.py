"""What is found is what plain SQL finds, on both engines, page by page, and no more than one may see."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import or_, select

import db.search.queries as queries
from db.cases.tables import case as cases
from db.cases.tables import photo, reporter, step
from db.engine.connections import Database
from db.kernel.actor import SYSTEM, Actor
from db.kernel.clock import to_ms
from db.kernel.refusal import Refused
from db.registers.tables import category, component
from db.search.queries import Count, count, search
from db.search.rules import Query, fold
from tests.db.live.city import NOW, case_values, write
from tests.db.search.kit import NOW_MS, forget_cases, found

HAN = st.text("井盖路面破损，（ %", min_size=1, max_size=6)
# Without the digits that are in the names of the classes.
MIXED = st.text("井盖路3４4aBé，_ ", min_size=1, max_size=6)
CLERK = Actor(7, "王敏", frozenset({"room.view"}))
RUN = re.compile("[^\\W_\u2e80-\U0010ffff]+")


def put(database: Database, *rows: dict[str, Any]) -> None:
    write(database, (cases, list(rows)))


def by_sql(database: Database, word: str) -> list[int]:
    """Plain LIKE over the same columns and names; the classes here are 类1 and 类2."""
    pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    texts = [column.like(pattern, escape="\\") for column in (cases.c.address, cases.c.description)]
    texts.append(category.c.name.like(pattern, escape="\\"))
    statement = select(cases.c.id).join(category, category.c.id == cases.c.category_id).where(or_(*texts))
    with database.read() as connection:
        return list(connection.execute(statement.order_by(cases.c.id.desc())).scalars())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(HAN, HAN), min_size=1, max_size=10), st.lists(HAN, min_size=1, max_size=6))
def test_chinese_words_are_found_exactly_where_like_finds_them(
    database: Database, texts: list[tuple[str, str]], asked: list[str]
) -> None:
    forget_cases(database)
    put(database, *(case_values(i, address=a, description=d) for i, (a, d) in enumerate(texts, 1)))
    for word in asked:
        plain = " ".join(word.split())
        if plain:
            assert found(database, f'"{plain}"', limit=3) == by_sql(database, plain)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MIXED, min_size=1, max_size=10), st.lists(MIXED, min_size=1, max_size=6))
def test_runs_of_letters_and_digits_are_found_from_their_beginnings(
    database: Database, texts: list[str], asked: list[str]
) -> None:
    forget_cases(database)
    put(database, *(case_values(i, description=d) for i, d in enumerate(texts, 1)))
    for word in asked:
        plain = " ".join(fold(word).split())
        if plain:
            ids = [i for i, each in enumerate(texts, 1) if _has(fold(each), plain)]
            assert found(database, f'"{plain}"') == ids[::-1]


def test_all_words_must_be_there_each_in_a_text_or_in_a_name(database: Database) -> None:
    put(
        database,
        case_values(1, address="荆河路口", description="井盖破损"),
        case_values(2, address="善国路口", description="井盖破损", district_id=1, unit_id=1),
        case_values(3, description="路面积水", category_id=2),
    )
    assert found(database, "井盖 破损") == [2, 1]
    assert found(database, "荆河 井盖") == [2, 1], "荆河街道 is the district of 2"
    assert found(database, "类2") == found(database, "积水") == [3]
    assert found(database, "单位1") == [2]
    assert found(database, "井盖 积水") == []


def test_a_number_is_found_by_what_it_begins_with(database: Database) -> None:
    put(
        database,
        case_values(1, number="20260314001000123"),
        case_values(2, number="20260314001000124", foreign_system="s", foreign_number="HT-77"),
        case_values(3, number="20260215001000123", address="20260314"),
    )
    assert found(database, "20260314001000123") == [1]
    assert found(database, "202603140010") == [2, 1]
    assert found(database, "20260314") == [3, 2, 1]
    assert found(database, "202602") == [3]
    assert found(database, "2026021") == [3]
    assert found(database, "ht-77") == found(database, "77") == [2]


def test_pages_follow_one_another_without_gap_or_repeat(database: Database) -> None:
    put(database, *(case_values(i, address="井盖" if i % 3 else "路面") for i in range(1, 40)))
    wanted = [i for i in range(39, 0, -1) if i % 3]
    for limit in (1, 7, 26, 50):
        assert found(database, "井盖", limit=limit) == wanted
    with database.read() as connection:
        page = search(connection, Query("井盖"), NOW_MS, SYSTEM, limit=26)
    assert page.next is None


def test_a_walk_without_a_leading_term_rests_and_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "STRIDE", 5)
    monkeypatch.setattr(queries, "LED_STRIDE", 5)
    put(database, *(case_values(i, address="井，盖路" if i == 2 else "井盖 盖路") for i in range(1, 30)))
    with database.read() as connection:
        page = search(connection, Query("，"), NOW_MS, SYSTEM)
        assert page.hits == ()
        assert page.next is not None
        assert count(connection, Query("，"), NOW_MS, SYSTEM) == Count(0, True)
    assert found(database, "，") == [2]
    assert found(database, "盖 路") == list(range(29, 0, -1))
    assert found(database, "井盖路") == []


def test_facts_narrow(database: Database) -> None:
    hour = timedelta(hours=1)
    late = {"due_at": NOW - 5 * hour, "soon_at": NOW - 6 * hour}
    put(
        database,
        case_values(1, state="closed", closed_at=NOW - hour, handled_at=NOW - 6 * hour, **late),
        case_values(2, state="closed", closed_at=NOW, handled_at=NOW - hour, unit_id=1, **late),
        case_values(3, source="app", district_id=1, **late),
        case_values(4, category_id=2, reported_at=NOW - timedelta(days=70), state="void", closed_at=NOW),
    )
    assert found(database, Query(states=frozenset({"closed"}))) == [2, 1]
    assert found(database, Query(states=frozenset({"handling", "void"}))) == [4, 3]
    assert found(database, Query(units=frozenset({1}))) == [2]
    assert found(database, Query(districts=frozenset({1}), sources=frozenset({"app"}))) == [3]
    assert found(database, Query(categories=frozenset({2}))) == [4]
    assert found(database, Query(overdue=True)) == [3, 2]
    weeks = to_ms(NOW - timedelta(days=30))
    assert found(database, Query(reported=(weeks, None))) == [3, 2, 1]
    assert found(database, Query(reported=(None, weeks))) == [4]
    assert found(database, Query(closed=(to_ms(NOW), None))) == [4, 2]
    assert found(database, Query()) == [4, 3, 2, 1]


def test_components_people_and_photos_lead_to_their_cases(database: Database) -> None:
    code = "3704810106000001"
    place = {"category_id": 1, "state": "intact", "lon": 117.1, "lat": 35.1}
    write(database, (component, [{"id": 5, "code": code, **place}]))
    put(database, case_values(1, component_id=5), case_values(2), case_values(3, reporter_person_id=1))
    taken = {"at": NOW, "verb": "report", "from_state": "", "to_state": "reported", "actor_id": 9, "note": ""}
    kept = {"sha256": "0", "name": "a", "mime": "image/png", "bytes": 1, "width": 1, "height": 1}
    write(
        database,
        (step, [{"id": 1, "case_id": 2, "actor_name": "张三", **taken}]),
        (photo, [{"id": 1, "case_id": 2, "phase": "before", "added_by_name": "", "added_at": NOW, **kept}]),
    )
    assert found(database, Query(component=code)) == found(database, code) == [1]
    assert found(database, Query(component=code[:8])) == [1]
    assert found(database, Query(component="99")) == found(database, Query(component="9999999")) == []
    assert found(database, Query(component="37")) == [1]
    assert found(database, Query(person="张三")) == [3, 2]
    assert found(database, Query(person="李四")) == []
    assert found(database, Query(with_photo=True)) == [2]


def test_a_telephone_number_is_searched_only_by_who_may_see_contacts(database: Database) -> None:
    put(database, case_values(1), case_values(2))
    write(database, (reporter, [{"id": 1, "case_id": 1, "name": "赵六", "phone": "13800001111"}]))
    asked = Query(phone="13800001111")
    assert found(database, asked, Actor(7, "李强", frozenset({"contact.view"}))) == [1]
    with pytest.raises(Refused, match="may not"):
        found(database, asked, CLERK)
    assert found(database, "13800001111") == found(database, "赵六") == [], "they are not in the index"


def test_a_hit_says_what_a_list_shows(database: Database) -> None:
    put(
        database,
        case_values(1, unit_id=1, address="井盖", lon=117.1, lat=35.1, handled_at=NOW),
        case_values(2, state="closed", address="井盖", handled_at=NOW, closed_at=NOW),
    )
    with database.read() as connection:
        closed, running = search(connection, Query("井盖"), NOW_MS, CLERK).hits
        assert count(connection, Query("井盖"), NOW_MS, CLERK) == Count(2, False)
        assert count(connection, Query("井盖"), NOW_MS, CLERK, most=1) == Count(1, True)
    assert (running.number, running.unit_id, running.has_position, running.stopped_at) == ("N1", 1, True, 0)
    assert (closed.state, closed.unit_id, closed.has_position) == ("closed", 0, False)
    assert closed.stopped_at == closed.closed_at == NOW_MS


def _has(text: str, word: str) -> bool:
    runs = RUN.findall(text)
    return word in text and all(any(run.startswith(r) for run in runs) for r in RUN.findall(word))
