"""Which open cases may be the one that is reported: on single cases, and on a labelled city of twins."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from db.bootstrap import Core, load_reference, open_core
from db.cases.duplicates import (
    Draft,
    Known,
    Limits,
    duplicates,
    judge,
    likeness,
    limits,
)
from db.cases.tables import case
from db.engine import settings
from db.kernel.actor import SYSTEM
from db.kernel.command import command
from db.registers.tables import category, component

NOW = datetime(2026, 4, 30, 9, 0, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
HOUR = 3_600_000
LON, LAT = 117.15, 35.08
METRE = 1 / 111_195.08
NARROW = math.cos(math.radians(LAT))


@command("test.twins", permission="test", label="Twins")
@dataclass(frozen=True)
class Twins:
    """Stands in for whatever brought the cases there."""


def moved(east: float, north: float = 0.0) -> tuple[float, float]:
    return LON + east * METRE / NARROW, LAT + north * METRE


def known(**values: Any) -> Known:
    usual = Known(
        1, "A-1", "handling", 7, "供水井盖", "Cover", "s|component|01", "井盖破损，有人差点摔倒",
        "龙泉路118号", LON, LAT, None, NOW_MS - HOUR, 1,
    )  # fmt: skip
    return replace(usual, **values)


DRAFT = Draft(7, LON, LAT, "井盖破了，差点摔倒")
MAJOR = "s|component|01"


def judged(draft: Draft = DRAFT, **values: Any) -> float:
    found = judge(draft, MAJOR, known(**values), NOW_MS, Limits())
    return found.score if found is not None else 0.0


def test_the_same_kind_at_the_same_place_just_now_in_like_words_is_likely_the_same() -> None:
    found = judge(DRAFT, MAJOR, known(), NOW_MS, Limits())
    assert found is not None
    assert found.is_likely
    assert found.reasons == ("category", "near", "words")
    assert found.why() == "same category · 0 m away · words alike 62 %"


@pytest.mark.parametrize(
    "values",
    [
        {"lon": moved(51)[0]},
        {"reported_at": NOW_MS - 25 * HOUR},
        {"category_id": 8, "major": "s|matter|01"},
        {"lon": None, "lat": None},
    ],
)
def test_what_is_far_old_or_of_another_kind_is_not_shown(values: dict[str, Any]) -> None:
    assert judged(**values) == 0.0


def test_the_same_major_is_worth_a_look_when_the_words_are_alike() -> None:
    score = judged(category_id=8)
    assert 0 < score < judged()
    assert judged(category_id=8, description="路灯不亮") == 0.0


def test_the_same_component_counts_however_far_the_address_was_off_and_however_long_it_is_open() -> None:
    draft = replace(DRAFT, component_id=5)
    assert judged(draft, component_id=5, lon=moved(300)[0], reported_at=NOW_MS - 90 * HOUR) > 0.6
    found = judge(draft, MAJOR, known(component_id=5), NOW_MS, Limits())
    assert found is not None
    assert found.reasons[0] == "component"


@given(st.floats(0, 49), st.floats(0, 49), st.floats(0, 23), st.floats(0, 23))
def test_nearer_and_later_never_counts_less(near: float, far: float, young: float, old: float) -> None:
    near, far, young, old = min(near, far), max(near, far), min(young, old), max(young, old)
    first = judged(lon=moved(near)[0], reported_at=NOW_MS - round(young * HOUR))
    second = judged(lon=moved(far)[0], reported_at=NOW_MS - round(old * HOUR))
    assert first >= second - 1e-9


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_symmetric_and_between_nothing_and_all(one: str, other: str) -> None:
    there, back = likeness(one, other), likeness(other, one)
    assert there == back
    assert there is None or 0.0 <= there <= 1.0
    assert likeness(one, one) in (None, 1.0)


def test_punctuation_and_width_make_no_difference_to_words() -> None:
    assert likeness("井盖，破损！", "井盖破损") == 1.0
    assert likeness("ＡＢＣ", "abc") == 1.0
    assert likeness("井", "井盖破损") is None


@pytest.fixture
def core(database_url: str) -> Iterator[Core]:
    core = open_core(database_url)
    load_reference(core.database)
    yield core
    core.close()


def classes(core: Core) -> list[int]:
    """Some classes of one kind, in the order of their codes."""
    with core.database.read() as connection:
        query = select(category.c.id).where(category.c.kind == "matter", category.c.successor_id.is_(None))
        return list(connection.execute(query.order_by(category.c.code).limit(12)).scalars())


def put(core: Core, rows: list[dict[str, Any]], first: int = 1) -> None:
    usual = {
        "state": "handling", "source": "hotline", "reported_at": NOW - timedelta(hours=1), "description": "",
        "lon": None, "lat": None, "component_id": None, "closed_at": None,
    }  # fmt: skip
    with core.database.write(SYSTEM, Twins()) as unit:
        unit.connection.execute(
            insert(case), [{"id": i, "number": f"A-{i}", **usual, **row} for i, row in enumerate(rows, first)]
        )


def asked(core: Core, draft: Draft) -> list[str]:
    with core.database.read() as connection:
        return [each.case.number for each in duplicates(connection, draft, NOW)]


def test_open_cases_near_by_are_found_likeliest_first(core: Core) -> None:
    (kind, other, *_rest) = classes(core)
    put(
        core,
        [
            {"category_id": kind, "lon": moved(30)[0], "lat": LAT, "description": "垃圾堆放"},
            {"category_id": kind, "lon": LON, "lat": LAT, "description": "垃圾成堆没人管"},
            {"category_id": kind, "lon": moved(80)[0], "lat": LAT, "description": "垃圾成堆没人管"},
            {"category_id": kind, "lon": LON, "lat": LAT, "closed_at": NOW, "state": "closed"},
            {"category_id": kind, "lon": LON, "lat": LAT, "closed_at": NOW, "state": "merged"},
            {"category_id": other, "lon": LON, "lat": LAT, "description": "完全不同的事情"},
            {"category_id": kind},
        ],
    )
    assert asked(core, Draft(kind, LON, LAT, "垃圾成堆，没人管")) == ["A-2", "A-1"]
    assert asked(core, Draft(kind, None, None, "垃圾成堆，没人管")) == []


def test_a_case_of_the_same_component_is_found_without_any_point(core: Core) -> None:
    (kind, *_rest) = classes(core)
    with core.database.write(SYSTEM, Twins()) as unit:
        unit.connection.execute(
            insert(component).values(
                id=5, code="1" * 17, category_id=kind, state="intact", lon=LON, lat=LAT, version=1
            )
        )
    put(core, [{"category_id": kind, "component_id": 5, "reported_at": NOW - timedelta(days=9)}])
    assert asked(core, Draft(kind, None, None, "", 5)) == ["A-1"]


def test_the_settings_of_a_bureau_decide_what_is_near_and_lately(core: Core) -> None:
    (kind, *_rest) = classes(core)
    put(core, [{"category_id": kind, "lon": moved(80)[0], "lat": LAT}])
    draft = Draft(kind, LON, LAT)
    assert asked(core, draft) == []
    with core.database.write(SYSTEM, Twins()) as unit:
        settings.put(unit, "duplicates.radius_m", 100)
        settings.put(unit, "duplicates.hours", 0.5)
    with core.database.read() as connection:
        assert limits(connection) == Limits(100.0, 0.5)
    assert asked(core, draft) == []
    with core.database.write(SYSTEM, Twins()) as unit:
        settings.put(unit, "duplicates.hours", 12)
    assert asked(core, draft) == ["A-1"]


# A labelled city: incidents with one to three reports each. Two callers put the pin some metres apart, use
# other words, and call hours apart; strangers are as near as a crowded street makes them.
WORDS = [
    ("路边垃圾成堆没人清理", "这里垃圾堆了好多，没人清理", "垃圾成堆，发臭"),
    ("流动商贩占道经营影响通行", "有商贩占道卖菜，影响通行", "摊贩占道经营"),
    ("墙上乱贴小广告", "墙面被贴了很多小广告", "小广告到处乱贴"),
    ("机动车乱停放堵住人行道", "人行道上停了车，机动车乱停放", "车辆乱停放"),
    ("渣土车沿路遗撒", "渣土遗撒一路都是", "路面渣土遗撒没有清扫"),
    ("夜间施工噪音扰民", "半夜施工噪音太大扰民", "工地夜间施工太吵"),
]


@dataclass(frozen=True)
class Labelled:
    incident: int
    row: dict[str, Any]


def labelled(kinds: list[int], incidents: int, draw: random.Random) -> list[Labelled]:
    made: list[Labelled] = []
    for incident in range(incidents):
        which = draw.randrange(len(WORDS))
        # 500 incidents a day on 25 km², all of six kinds: several times as dense as the demo city.
        east, north = draw.uniform(-2500, 2500), draw.uniform(-2500, 2500)
        first = draw.uniform(0, 20)
        for _report in range(draw.choice((1, 1, 1, 2, 3))):
            lon, lat = moved(east + draw.gauss(0, 10), north + draw.gauss(0, 10))
            hours = max(0.0, first - draw.expovariate(1 / 3))
            made.append(
                Labelled(
                    incident,
                    {
                        "category_id": kinds[which],
                        "lon": lon,
                        "lat": lat,
                        "description": draw.choice(WORDS[which]),
                        "reported_at": NOW - timedelta(hours=hours),
                    },
                )
            )
    return made


def test_twins_of_a_labelled_city_are_found_and_strangers_seldom_shown_as_likely(core: Core) -> None:
    reports = labelled(classes(core), 500, random.Random(4))
    put(core, [each.row for each in reports])
    truth = {f"A-{i}": each.incident for i, each in enumerate(reports, 1)}
    hits = strangers = shown = wanted = found = 0
    with core.database.read() as connection:
        for number, each in enumerate(reports, 1):
            row = each.row
            draft = Draft(row["category_id"], row["lon"], row["lat"], row["description"])
            answers = [d for d in duplicates(connection, draft, NOW) if d.case.number != f"A-{number}"]
            twins = {key for key, incident in truth.items() if incident == each.incident} - {f"A-{number}"}
            likely = [d for d in answers if d.is_likely]
            hits += sum(d.case.number in twins for d in likely)
            strangers += sum(d.case.number not in twins for d in likely)
            if twins:
                wanted += 1
                shown += any(d.case.number in twins for d in answers[:3])
                found += any(d.case.number in twins for d in likely)
    precision, recall = hits / (hits + strangers), found / wanted
    assert precision > 0.9
    assert recall > 0.85
    assert shown / wanted > 0.95


@pytest.mark.speed
def test_ten_times_as_many_open_cases_do_not_take_ten_times_as_long(core: Core) -> None:
    kinds, draw = classes(core), random.Random(1)

    def least_with(more: int, first: int) -> float:
        put(
            core,
            [
                {
                    "category_id": draw.choice(kinds),
                    "lon": moved(draw.uniform(-5000, 5000))[0],
                    "lat": moved(0, draw.uniform(-5000, 5000))[1],
                    "description": draw.choice(draw.choice(WORDS)),
                }
                for _number in range(more)
            ],
            first,
        )
        times = []
        for _round in range(7):
            begun = time.perf_counter()
            asked(core, Draft(kinds[0], LON, LAT, WORDS[0][0]))
            times.append(time.perf_counter() - begun)
        return min(times)

    few = least_with(2_000, 1)
    assert least_with(18_000, 2_001) < 3 * few
