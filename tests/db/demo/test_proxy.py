"""A line that can be cut, mended, slow, or dead without saying so."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from db.demo.proxy import Proxy

DEADLINE = 60.0


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that says what it hears."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _where = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(client,), daemon=True).start()

    def answer(client: socket.socket) -> None:
        with client:
            while words := client.recv(100):
                client.sendall(words)

    threading.Thread(target=serve, daemon=True).start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def line(echo: int) -> Iterator[Proxy]:
    proxy = Proxy(echo)
    yield proxy
    proxy.stop()


def caller(line: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line.port), DEADLINE)


def test_it_passes_on_until_it_is_cut_and_again_when_it_is_mended(line: Proxy) -> None:
    with caller(line) as one:
        one.sendall(b"hello")
        assert one.recv(100) == b"hello"
        line.cut()
        assert line.is_cut
        assert one.recv(100) == b""
    with caller(line) as nobody:
        assert nobody.recv(100) == b""
    line.mend()
    assert not line.is_cut
    with caller(line) as again:
        again.sendall(b"back")
        assert again.recv(100) == b"back"


def test_a_dead_line_takes_every_byte_and_brings_none(line: Proxy) -> None:
    with caller(line) as one:
        line.swallows = True
        one.sendall(b"hello")
        one.settimeout(0.3)
        with pytest.raises(TimeoutError):
            one.recv(100)
