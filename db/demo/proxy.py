"""A line between a program and its server that can be slow, cut, or dead without saying so."""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import threading
from contextlib import suppress
from time import monotonic

_TICK = 0.02


class Proxy:
    """Listens on a port of its own and passes on what comes, as it is told to."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.delay = 0.0
        """Seconds that each byte takes, in either direction."""
        self.swallows = False
        """Everything is taken, nothing is passed on."""
        self._is_cut = False
        self._cutting = threading.Event()
        self._stopping = threading.Event()
        self._other: dict[socket.socket, socket.socket] = {}
        self._late: list[tuple[float, int, socket.socket, bytes]] = []
        self._order = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name="proxy")
        self._thread.start()

    @property
    def is_cut(self) -> bool:
        """Whether nothing comes through."""
        return self._is_cut

    def cut(self) -> None:
        """Break every connection, and let nobody in until ``mend``."""
        self._is_cut = True
        self._cutting.set()

    def mend(self) -> None:
        """Pass on again, at once and everything."""
        self._is_cut = self.swallows = False
        self.delay = 0.0

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        while not self._stopping.is_set():
            for key, _events in self._selector.select(_TICK if not self._late else 0.001):
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._other:
                    self._take(key.fileobj)
            self._pass_on()
            if self._cutting.is_set():
                self._cutting.clear()
                self._close_all()
        self._close_all()
        self._listener.close()
        self._selector.close()

    def _accept(self) -> None:
        client, _address = self._listener.accept()
        if self._is_cut:
            client.close()
            return
        try:
            server = socket.create_connection(self._target, timeout=1)
        except OSError:
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            one.setblocking(True)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._other[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _take(self, source: socket.socket) -> None:
        try:
            content = source.recv(65536)
        except OSError:
            content = b""
        if not content:
            self._drop(source)
        elif not self.swallows:
            place = next(self._order)
            heapq.heappush(self._late, (monotonic() + self.delay, place, self._other[source], content))

    def _pass_on(self) -> None:
        while self._late and self._late[0][0] <= monotonic():
            _due, _place, target, content = heapq.heappop(self._late)
            if target in self._other:
                try:
                    target.sendall(content)
                except OSError:
                    self._drop(target)

    def _drop(self, one: socket.socket) -> None:
        for each in (one, self._other.get(one)):
            if each is not None and self._other.pop(each, None) is not None:
                with suppress(KeyError):
                    self._selector.unregister(each)
                each.close()

    def _close_all(self) -> None:
        for each in list(self._other):
            self._drop(each)
