"""``jingwei due`` as typed by a person: the ten vectors of the domain sheet, explanations, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db.bootstrap import open_core
from db.calendars.commands import SetDay, SetWindows
from db.cli.main import run_verb
from db.kernel.actor import SYSTEM


def due(*words: str) -> int:
    return run_verb("due", ["due", *words], "db.cli.due")


@pytest.mark.parametrize(
    "start,limit,moment",
    [
        ("2026-03-13 17:30", "4 工作时", "2026-03-16 11:30"),
        ("2026-03-14 10:00", "4工作时", "2026-03-16 12:00"),
        ("2026-03-16 12:30", "2 working hours", "2026-03-16 16:00"),
        ("2026-04-30 11:30", "2 工作时", "2026-04-30 15:30"),
        ("2026-04-30 17:00", "4 工作时", "2026-05-06 11:00"),
        ("2026-02-13 16:00", "1 工作日", "2026-02-14 16:00"),
        ("2026-02-14 17:00", "1 working day", "2026-02-24 17:00"),
        ("2026-09-18 15:00", "3 工作日", "2026-09-22 15:00"),
        ("2026-10-09 09:00", "2 工作日", "2026-10-12 09:00"),
        ("2026-05-01 23:10", "2紧急工作时", "2026-05-02 01:10"),
    ],
)
def test_the_ten_vectors(start: str, limit: str, moment: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert due(start, limit) == 0
    assert capsys.readouterr().out == moment + "\n"


def test_the_hours_counted_are_listed_and_the_days_off_say_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert due("2026-09-18 17:00", "2", "working", "days", "--explain") == 0
    first, head, *lines, total = capsys.readouterr().out.splitlines()
    assert first == "2026-09-21 17:00"
    assert head == "2 working days from 2026-09-18 17:00; 1 working day = 8 working hours"
    assert [line.split() for line in lines] == [
        ["2026-09-18", "Fri", "17:00–18:00", "60"],
        ["2026-09-19", "Sat", "—", "0", "weekend"],
        ["2026-09-20", "Sun", "08:00–12:00", "240", "swap", "day", "国庆节调休"],
        ["2026-09-20", "Sun", "14:00–18:00", "240", "swap", "day", "国庆节调休"],
        ["2026-09-21", "Mon", "08:00–12:00", "240"],
        ["2026-09-21", "Mon", "14:00–17:00", "180"],
    ]
    assert total == "960 minutes in all"


def test_a_working_day_by_the_other_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert due("2026-03-16 08:00", "1 工作日", "--rule", "same_time", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts == {
        "start": "2026-03-16T08:00:00+08:00",
        "limit": {"amount": 1, "unit": "working_day"},
        "rule": "same_time",
        "due": "2026-03-17T08:00:00+08:00",
        "soon": "2026-03-16T16:24:00+08:00",
        "zone": "Asia/Shanghai",
    }


def test_json_lists_the_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert due("2026年3月13日 19:00", "1 工作时", "--explain", "--json") == 0
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert [(line["day"], line["minutes"], line["why"]) for line in lines] == [
        ("2026-03-13", 0, "outside"),
        ("2026-03-14", 0, "weekend"),
        ("2026-03-15", 0, "weekend"),
        ("2026-03-16", 60, "counted"),
    ]
    assert lines[-1]["to"] == "2026-03-16T09:00:00+08:00"


def test_the_calendar_of_a_database_counts_when_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'own.db'}"
    core = open_core(url, create=True)
    core.bus.run(SetDay("2026-03-16", "holiday", "停电"), SYSTEM)
    core.bus.run(SetWindows("2026-03-17", ("09:00-12:00", "13:00-18:00")), SYSTEM)
    core.close()
    assert due("2026-03-13 17:30", "4 工作时", "--db", url, "--explain") == 0
    said = capsys.readouterr().out
    assert said.startswith("2026-03-17 13:30\n")
    assert "holiday 停电" in said


@pytest.mark.parametrize(
    "start,limit,said",
    [
        ("2026-02-30 17:00", "4 工作时", "is not a moment"),
        ("2026-02-20", "4 工作时", "is not a moment"),
        ("9999-02-20 10:00", "4 工作时", "is not a moment"),
        ("2026-02-20 17:00", "4 天", "does not say by which clock"),
        ("2026-02-20 17:00", "soon", "is not a limit"),
        ("2026-12-31 17:00", "4 工作时", "The working calendar of 2027 is missing"),
    ],
)
def test_what_cannot_be_counted_is_refused_in_a_sentence(
    start: str, limit: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert due(start, limit) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.count("\n") == 1


def test_a_moment_may_name_its_own_zone(capsys: pytest.CaptureFixture[str]) -> None:
    assert due("2026-05-01T15:10Z", "2 urgent hours") == 0
    assert capsys.readouterr().out == "2026-05-02 01:10\n"
