"""The fence around a web view: what is local passes, everything else is refused."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QWidget

from desktop.widgets.webview import ORIGIN, LocalView, Reply, is_local, register_scheme

# Both before the application exists; without the flag Chromium looks for a graphics card and complains.
os.environ.setdefault("QTWEBENGINE_CHROMIUM_FLAGS", "--disable-gpu")
register_scheme()

# Chromium speaks of the graphics card it does not find, once per process.
pytestmark = pytest.mark.expects_qt_warning


@pytest.mark.parametrize(
    "url,local",
    [
        (f"{ORIGIN}/map.html", True),
        ("data:text/plain,x", True),
        ("blob:jingwei://room/1", True),
        ("https://example.org/", False),
        ("http://127.0.0.1/", False),
        ("file:///etc/passwd", False),
        ("wss://example.org/", False),
    ],
)
def test_only_what_this_process_provides_is_local(url: str, local: bool) -> None:
    assert is_local(QUrl(url)) is local


@pytest.mark.expects_log("Refused a request")
def test_a_page_without_a_policy_is_fenced_in_all_the_same(
    shown: Callable[..., QWidget], until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.widgets.webview.HEADERS", {})
    view = LocalView()
    shown(view, 100, 100)
    view.site.serve_text("a.html", "<img src='https://example.org/x.png'>", "text/html")
    view.open("a.html")
    until(lambda: bool(view.refused))
    assert view.refused == ["https://example.org/x.png"]


@pytest.mark.expects_log("Refused to leave")
def test_a_page_cannot_be_led_away(
    shown: Callable[..., QWidget], until: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    view = LocalView()
    shown(view, 100, 100)
    ended: list[bool] = []
    view.loadFinished.connect(ended.append)
    view.site.serve_text("a.html", "<p>here</p>", "text/html")
    view.open("a.html")
    until(lambda: len(ended) == 1)
    view.page().runJavaScript("location.href = 'https://example.org/'")
    until(lambda: "Refused to leave" in caplog.text)
    titles: list[str] = []
    view.page().runJavaScript("location.href", 0, titles.append)
    until(lambda: bool(titles))
    assert titles == [f"{ORIGIN}/a.html"]


@pytest.mark.expects_log("which nobody serves")
def test_files_outside_a_served_folder_are_not_found(
    shown: Callable[..., QWidget], until: Callable[..., None], tmp_path
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "a.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    view = LocalView()
    shown(view, 100, 100)
    view.site.serve_folder("open", tmp_path / "open")
    view.site.serve_text("a.html", "<p>here</p>", "text/html")
    ended: list[bool] = []
    view.loadFinished.connect(ended.append)
    view.open("a.html")
    until(lambda: bool(ended))
    view.page().runJavaScript(
        "Promise.all(['open/a.js', 'open/../secret.txt', 'open/%2e%2e/secret.txt', 'open/..%2fsecret.txt']"
        ".map(async (path) => (await fetch(path)).headers.has('x-missing') ? 'no' : 'yes'))"
        ".then((texts) => { document.title = texts.join() })"
    )
    until(lambda: "no" in view.title())
    assert view.title() == "yes,no,no,no"


def test_without_a_graphics_card_the_processor_draws_and_the_user_may_say_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("desktop.widgets.webview.GRAPHICS_CARDS", ())
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("QT_QUICK_BACKEND", "rhi")
    monkeypatch.delenv("QTWEBENGINE_CHROMIUM_FLAGS")
    register_scheme()
    assert os.environ["QT_QUICK_BACKEND"] == "rhi"
    assert "--disable-gpu" in os.environ["QTWEBENGINE_CHROMIUM_FLAGS"].split()


def fetched(view: LocalView, until: Callable[..., None], path: str) -> list[object]:
    """What the page gets for a path: content type, whether it is missing, and the text."""
    answers: list[str] = []
    view.page().runJavaScript(
        f"fetch('/{path}').then(async (a) => window.answer = JSON.stringify("
        "[a.headers.get('content-type'), a.headers.has('x-missing'), await a.text()]))"
    )

    def is_answered() -> bool:
        view.page().runJavaScript("window.answer ?? ''", 0, answers.append)
        return bool(answers and answers[-1])

    until(is_answered)
    view.page().runJavaScript("delete window.answer")
    return list(json.loads(answers[-1]))


@pytest.fixture
def opened_view(shown: Callable[..., QWidget], until: Callable[..., None]) -> LocalView:
    view = LocalView()
    shown(view, 100, 100)
    ended: list[bool] = []
    view.loadFinished.connect(ended.append)
    view.site.serve_text("a.html", "<p>here</p>", "text/html")
    view.open("a.html")
    until(lambda: bool(ended))
    return view


def test_what_is_slow_is_answered_by_a_thread_of_its_own(
    opened_view: LocalView, until: Callable[..., None]
) -> None:
    threads: list[str] = []

    def provide(query: dict[str, str]) -> Reply:
        threads.append(threading.current_thread().name)
        return Reply(query["word"].encode(), "text/plain")

    opened_view.site.serve_slowly("tiles", provide)
    assert fetched(opened_view, until, "tiles?word=there") == ["text/plain", False, "there"]
    assert threads[0].startswith("tiles")


@pytest.mark.expects_log("The provider of tiles failed")
def test_a_slow_provider_that_fails_leaves_nobody_waiting(
    opened_view: LocalView, until: Callable[..., None]
) -> None:
    opened_view.site.serve_slowly("tiles", lambda query: Reply(query["absent"].encode(), "text/plain"))
    assert fetched(opened_view, until, "tiles") == ["text/plain", True, ""]


def test_while_one_answer_waits_others_come(opened_view: LocalView, until: Callable[..., None]) -> None:
    gate = threading.Event()

    def provide(_query: dict[str, str]) -> Reply:
        gate.wait(120)
        return Reply(b"late", "text/plain")

    opened_view.site.serve_slowly("slow", provide)
    opened_view.site.serve("quick", lambda _query: Reply(b"now", "text/plain"))
    opened_view.page().runJavaScript("fetch('/slow').then((a) => a.text()).then((t) => window.late = t)")
    assert fetched(opened_view, until, "quick") == ["text/plain", False, "now"]
    gate.set()
    answers: list[str] = []

    def is_late() -> bool:
        opened_view.page().runJavaScript("window.late ?? ''", 0, answers.append)
        return bool(answers and answers[-1] == "late")

    until(is_late)


def test_an_answer_for_a_page_that_is_gone_is_let_go(
    opened_view: LocalView, until: Callable[..., None]
) -> None:
    gate, asked = threading.Event(), threading.Event()

    def provide(_query: dict[str, str]) -> Reply:
        asked.set()
        gate.wait(120)
        return Reply(b"", "text/plain")

    opened_view.site.serve_slowly("slow", provide)
    opened_view.page().runJavaScript("void fetch('/slow')")
    until(asked.is_set)
    opened_view.open("a.html")
    until(lambda: not opened_view.site._waiting)
    gate.set()
