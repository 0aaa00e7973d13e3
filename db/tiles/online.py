"""Asks a named online source for tiles, and stops asking for a while when it does not answer."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

TIMEOUT_S = 2.0
FAILURES = 2
"""So many failures in a row, and the source is left alone."""
REST_S = 30.0
LONGEST_REST_S = 600.0
_LARGEST = 4 << 20


class NotNow(Exception):
    """The source did not answer, or is being left alone: the tile may be there later."""


class OnlineTiles:
    """One source. Each call costs at most ``timeout_s``, and nothing at all while the source rests.

    The breaker is shared by all threads: the first to fail spare the others the wait. After its rest one call
    tries again; when that fails too, the rest is twice as long.
    """

    def __init__(
        self, template: str, *, timeout_s: float = TIMEOUT_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._template = template
        self._timeout_s = timeout_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._rests_until = 0.0
        self._rest_s = REST_S
        # No proxies from the surroundings: what is asked goes to the named source and nowhere else.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    @property
    def is_resting(self) -> bool:
        """Whether calls are refused at once."""
        with self._lock:
            return self._clock() < self._rests_until

    def tile(self, zoom: int, x: int, y: int) -> bytes | None:
        """The picture of a tile, None where the source has none; raises ``NotNow``."""
        if self.is_resting:
            raise NotNow
        address = self._template.replace("{z}", str(zoom)).replace("{x}", str(x)).replace("{y}", str(y))
        # The scheme was checked when the source was named (TileSet.is_online).
        request = urllib.request.Request(address, headers={"User-Agent": "Jingwei"})  # noqa: S310
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                picture = self._whole(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                self._answered()
                return None
            self._failed()
            raise NotNow from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._failed()
            raise NotNow from error
        self._answered()
        return picture

    def _whole(self, answer: http.client.HTTPResponse) -> bytes:
        """The body; a source that drips is given up like one that is silent."""
        end, parts, size = time.monotonic() + self._timeout_s, [], 0
        while part := answer.read1(1 << 16):
            size += len(part)
            if size > _LARGEST or time.monotonic() > end:
                raise TimeoutError
            parts.append(part)
        return b"".join(parts)

    def _answered(self) -> None:
        with self._lock:
            self._failures, self._rest_s = 0, REST_S

    def _failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES and self._clock() >= self._rests_until:
                self._rests_until = self._clock() + self._rest_s
                self._rest_s = min(2 * self._rest_s, LONGEST_REST_S)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A source that sends elsewhere would lead to a place nobody has named."""

    def redirect_request(self, *_: object) -> None:
        return None
