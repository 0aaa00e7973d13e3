"""The door of a server that does TLS, and nothing behind it: who gets so far has trusted its certificate."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from contextlib import suppress
from pathlib import Path

ANSWER = "nobody is at home"


class TlsDoor:
    """Speaks just enough of PostgreSQL's protocol to begin TLS; then it refuses everybody in words."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.asked: list[bytes] = []
        """The words with which those introduced themselves who trusted it."""
        self._thread = threading.Thread(target=self._serve, name="tls-door")
        self._thread.start()

    def close(self) -> None:
        """Shut it and wait."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                plain, _where = self._listener.accept()
            except OSError:
                return
            with suppress(OSError), plain:
                plain.settimeout(10)
                # "Do you do TLS?" is eight bytes; one says yes.
                plain.recv(8)
                plain.sendall(b"S")
                with self._context.wrap_socket(plain, server_side=True) as line:
                    # A stranger hangs up without a word.
                    if said := line.recv(4096):
                        self.asked.append(said)
                    words = b"SFATAL\0VFATAL\0C28000\0M" + ANSWER.encode() + b"\0\0"
                    line.sendall(b"E" + struct.pack(">I", len(words) + 4) + words)
