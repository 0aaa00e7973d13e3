"""The fence around a web view: what is local passes, everything else is refused."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QWidget

from desktop.widgets.webview import ORIGIN, LocalView, is_local, register_scheme

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
    until(lambda: bool(view.refused), 10_000)
    assert view.refused == ["https://example.org/x.png"]


@pytest.mark.expects_log("Refused to leave")
def test_a_page_cannot_be_led_away(shown: Callable[..., QWidget], until: Callable[..., None]) -> None:
    view = LocalView()
    shown(view, 100, 100)
    ended: list[bool] = []
    view.loadFinished.connect(ended.append)
    view.site.serve_text("a.html", "<p>here</p>", "text/html")
    view.open("a.html")
    until(lambda: len(ended) == 1, 10_000)
    view.page().runJavaScript("location.href = 'https://example.org/'")
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
    until(lambda: bool(ended), 10_000)
    view.page().runJavaScript(
        "Promise.all(['open/a.js', 'open/../secret.txt', 'open/%2e%2e/secret.txt', 'open/..%2fsecret.txt']"
        ".map(async (path) => (await fetch(path)).headers.has('x-missing') ? 'no' : 'yes'))"
        ".then((texts) => { document.title = texts.join() })"
    )
    until(lambda: "no" in view.title(), 10_000)
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
