"""``jingwei bench`` says figures with their goals, in words and as JSON, and fails when a goal is missed."""

from __future__ import annotations

import argparse
import json

import pytest
from PySide6.QtWidgets import QApplication

from db.live.filters import PARTS
from db.live.lens import ORDER_KEYS
from desktop.app import bench, bench_queue
from desktop.app.invented import context as invented_context
from tests.desktop.app.test_shot import jingwei

SHAPE = {"what", "value", "unit", "goal", "ok"}


def test_the_start_is_measured_as_a_list_of_figures(city_url: str) -> None:
    done = jingwei("bench", "start", "--db", city_url, "--runs", "1", "--json")
    # On a machine under load the goal may be missed; the figures are there all the same.
    assert done.returncode in (0, 1), done.stderr
    figures = json.loads(done.stdout)
    assert all(set(figure) == SHAPE for figure in figures)
    named = {figure["what"]: figure for figure in figures}
    start = named["process start → room usable"]
    assert start["unit"] == "s"
    assert start["goal"] == 2.0
    assert start["ok"] == (start["value"] <= start["goal"])
    assert (done.returncode == 0) == all(figure["ok"] is not False for figure in figures)
    assert named["memory of all processes"]["value"] > 50


def test_a_goal_holds_up_to_its_value() -> None:
    assert bench.line("x", 2.0, "s", 2.0).ok
    assert bench.line("x", 2.001, "s", 2.0).ok is False
    assert bench.line("x", 9.0, "s").ok is None


def test_a_missed_goal_is_printed_and_ends_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(bench.BENCHES, "slow", lambda _arguments: iter([bench.line("it", 3.0, "s", 2.0)]))
    assert bench.run(argparse.Namespace(name="slow", json=False)) == 1
    assert "MISSED" in capsys.readouterr().out


def test_the_queue_is_measured_in_every_filter_and_order(
    monkeypatch: pytest.MonkeyPatch, application: QApplication
) -> None:
    monkeypatch.setattr(bench_queue, "GOALS_MS", {100_000: 16.0})
    monkeypatch.setattr(bench_queue.invented, "context", lambda _count: invented_context(2_000))
    lines = {each.what: each for each in bench_queue.queue(argparse.Namespace(runs=1))}
    assert {f"filter: {part}" for part in PARTS} <= lines.keys()
    assert {f"sort: {key}" for key in ORDER_KEYS} <= lines.keys()
    for how in ("scroll page by page: rows left blank", "scroll by wheel: rows left blank"):
        assert lines[how].value == 0


def test_every_filter_that_is_measured_lets_some_cases_through_and_stops_some() -> None:
    made = invented_context(20_000)
    for part, chosen in bench_queue.samples(made).items():
        assert [each for each, _values in chosen.parts()] == [part]
        made.set_filter(chosen)
        if part not in ("closed", "claimants"):
            assert 0 < made.board.lens.count < 20_000, part
