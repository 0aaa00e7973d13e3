"""Why the server at the other end of a line was not believed, in words: a driver says only that it was not.

Nothing is said to such a server but the question whether it does TLS.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import zip_longest
from pathlib import Path

from sqlalchemy.engine import URL

from db.kernel.language import N_
from db.kernel.refusal import Refused, Unavailable

LOOK_SECONDS = 3.0
SOCKETS = ("/", "@")
"""So begins a host that is a socket of this computer."""
_ASKS_FOR_TLS = struct.pack(">II", 8, 80877103)
_NOT_YET, _EXPIRED = 9, 10
"""OpenSSL's numbers of what is wrong with a certificate."""

# zh: “根证书”是证书签发机构的自签名证书，由中心管理员发给各站点。
_NO_AUTHORITY = N_(
    "Nothing on this computer can prove that {where} is your bureau's server: get the authority's certificate"
    " (bureau.crt) from its administrator. Nothing was sent."
)
_BAD_AUTHORITY = N_(
    "The authority's certificate on this computer cannot be read, so {where} is not trusted."
    " Nothing was sent: {reason}"
)
_STRANGE = N_(
    "{where} shows a certificate that the authority on this computer did not sign: it is another server, or"
    " the file of the authority is the wrong one. Nothing was sent."
)
_EXPIRED_WORDS = N_(
    "The certificate of {where} has expired (this computer's clock says {now}); its administrator has to"
    " renew it. Nothing was sent."
)
_EARLY = N_(
    "The certificate of {where} is not valid yet: look at the clock of this computer, it says {now}."
    " Nothing was sent."
)
_OTHER_NAME = N_(
    "The certificate of {where} is for another name: write the address as it stands in the certificate."
    " Nothing was sent."
)
_NO_TLS = N_("{where} does not encrypt the line: its administrator has to switch TLS on. Nothing was sent.")

_SAID: tuple[tuple[str, str, str], ...] = (
    # What libpq says, the code, the sentence.
    ("root certificate file .* does not exist", "no_authority", _NO_AUTHORITY),
    ("could not read root certificate file", "no_authority", _BAD_AUTHORITY),
    ("certificate verify failed", "not_proven", _STRANGE),
    ("does not match host name", "other_name", _OTHER_NAME),
    ("does not support SSL", "no_tls", _NO_TLS),
)


def given(address: URL, name: str) -> list[str]:
    """The hosts (``host``, ``hostaddr``) or ports (``port``) of an address; a server may have several."""
    plain = {"host": address.host, "port": address.port}.get(name)
    listed = address.query.get(name, str(plain or ""))
    return [each for each in (listed if isinstance(listed, str) else ",".join(listed)).split(",") if each]


def places(address: URL) -> list[str]:
    """The servers of an address as people write them: host, and port where one is given; no sockets."""
    hosts, ports = given(address, "host"), given(address, "port")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    both = zip_longest(hosts, ports[: len(hosts)])
    return [f"{host}:{port}" if port else host for host, port in both if not host.startswith(SOCKETS)]


def distrust(said: str, address: URL, now: datetime) -> Unavailable | None:
    """What a driver's words mean when they are about the proof of a server; ``None`` for any other trouble.

    Asks the server once more for its certificate where the words leave open what is wrong with it.
    """
    known = next((each for each in _SAID if re.search(each[0], said)), None)
    if known is None:
        return None
    _words, code, message = known
    if code == "not_proven":
        code, message = _what_is_wrong(address)
    where = ",".join(places(address))
    reason = said.strip().splitlines()[0].rsplit("failed: ", 1)[-1]
    return Unavailable(code, message, where=where, reason=reason, now=f"{now:%Y-%m-%d %H:%M}")


def demand_certificate(file: Path) -> None:
    """Refuse what no authority gave: a key, a picture, an empty file."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except (OSError, ssl.SSLError) as error:
        raise Refused(
            "no_certificate",
            N_("{path} is no certificate of an authority; it begins with “-----BEGIN CERTIFICATE-----”."),
            path=str(file),
        ) from error


def _what_is_wrong(address: URL) -> tuple[str, str]:
    authority = _authority(address)
    for host, port, name in _hosts(address):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        with suppress(OSError, ssl.SSLError):
            context.load_verify_locations(authority)
            with socket.create_connection((host, port), LOOK_SECONDS) as plain:
                plain.sendall(_ASKS_FOR_TLS)
                if plain.recv(1) != b"S":
                    continue
                try:
                    context.wrap_socket(plain, server_hostname=name).close()
                except ssl.SSLCertVerificationError as error:
                    if error.verify_code == _EXPIRED:
                        return "expired_proof", _EXPIRED_WORDS
                    if error.verify_code == _NOT_YET:
                        return "early_proof", _EARLY
                    return "strange_authority", _STRANGE
    return "not_proven", _STRANGE


def _authority(address: URL) -> Path:
    """Where libpq looks for the certificate of the authority."""
    named = address.query.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    if named:
        return Path(named if isinstance(named, str) else named[0])
    if appdata := os.environ.get("APPDATA"):
        return Path(appdata, "postgresql", "root.crt")
    return Path.home() / ".postgresql" / "root.crt"


def _hosts(address: URL) -> Iterator[tuple[str, int, str]]:
    """Where to knock, at which port, and under which name."""
    names = given(address, "host")
    ports = given(address, "port") or ["5432"]
    for place, (name, where) in enumerate(zip(names, given(address, "hostaddr") or names, strict=False)):
        port = ports[place] if place < len(ports) else ports[0]
        if where and port.isdigit():
            yield where, int(port), name
