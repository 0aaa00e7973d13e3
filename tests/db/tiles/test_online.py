"""An online source that is dead costs one short wait, and then nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from db.tiles.online import FAILURES, REST_S, NotNow, OnlineTiles


class Hand:
    """A clock that is turned by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/{{z}}/{{x}}/{{y}}"


class Source(BaseHTTPRequestHandler):
    """Answers /1/2/3, knows nothing of /9/…, is broken at /5/…, sends /7/… elsewhere."""

    def do_GET(self) -> None:
        zoom = self.path.split("/")[1]
        self.send_response({"9": 404, "5": 500, "7": 302}.get(zoom, 200))
        if zoom == "7":
            self.send_header("Location", "/1/2/3")
        self.end_headers()
        if zoom == "1":
            self.wfile.write(b"picture")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def source() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{{z}}/{{x}}/{{y}}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_silent_source_is_left_alone_after_two_tries() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/{{z}}/{{x}}/{{y}}"
        tiles = OnlineTiles(address, timeout_s=0.05, clock=Hand())
        for _try in range(FAILURES):
            with pytest.raises(NotNow):
                tiles.tile(1, 2, 3)
        assert tiles.is_resting
        for _try in range(100):
            with pytest.raises(NotNow):
                tiles.tile(1, 2, 3)
        server.setblocking(False)
        for _try in range(FAILURES):
            server.accept()[0].close()
        with pytest.raises(BlockingIOError):
            server.accept()


def test_after_its_rest_it_is_tried_once_and_rests_twice_as_long(black_hole: str) -> None:
    clock = Hand()
    tiles = OnlineTiles(black_hole, timeout_s=0.05, clock=clock)
    for _try in range(FAILURES):
        with pytest.raises(NotNow):
            tiles.tile(1, 2, 3)
    clock.now = REST_S
    assert not tiles.is_resting
    with pytest.raises(NotNow):
        tiles.tile(1, 2, 3)
    clock.now = REST_S + 2 * REST_S - 1
    assert tiles.is_resting
    clock.now = REST_S + 2 * REST_S
    assert not tiles.is_resting


def test_a_source_that_answers_is_asked_for_what_it_has(source: str) -> None:
    tiles = OnlineTiles(source)
    assert tiles.tile(1, 2, 3) == b"picture"
    assert tiles.tile(9, 0, 0) is None
    assert not tiles.is_resting


def test_nothing_is_asked_of_a_place_that_nobody_named(source: str) -> None:
    tiles = OnlineTiles(source)
    with pytest.raises(NotNow):
        tiles.tile(7, 0, 0)


def test_a_broken_answer_counts_and_a_good_one_forgives(source: str) -> None:
    tiles = OnlineTiles(source)
    for _round in range(3):
        with pytest.raises(NotNow):
            tiles.tile(5, 0, 0)
        assert tiles.tile(1, 2, 3) == b"picture"
    assert not tiles.is_resting


def test_a_port_where_nobody_listens_fails_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    tiles = OnlineTiles(f"http://127.0.0.1:{port}/{{z}}/{{x}}/{{y}}", clock=Hand())
    for _try in range(FAILURES):
        with pytest.raises(NotNow):
            tiles.tile(0, 0, 0)
    assert tiles.is_resting
