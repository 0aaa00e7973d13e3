"""A PostgreSQL that listens on the loopback and asks for passwords, and certificates for a server."""

from __future__ import annotations

import subprocess
from pathlib import Path

from db.demo.postgres import OwnPostgres
from tests.kit.postgres import SETTINGS

HOST = "jingwei.test"
"""The name in a certificate."""


class ListeningServer(OwnPostgres):
    """Trust by the socket, for the administrator; SCRAM over the network."""

    def __init__(self) -> None:
        super().__init__(SETTINGS, on_network=True)

    def over_the_network(self, login: str, password: str, database: str, host: str = "localhost") -> str:
        """The address of a database as a program on another computer has it."""
        way = f"{host}:{self.port}/{database}?hostaddr=127.0.0.1"
        return f"postgresql+psycopg://{login}:{password}@{way}"

    def passwords(self) -> dict[str, str]:
        """What the server keeps of passwords."""
        with self.connect() as connection:
            rows = connection.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword <> ''")
            return {row[0]: row[1] for row in rows.fetchall()}


def make_authority(path: Path) -> Path:
    """A key and a certificate that signs others; the path without its ending."""
    _openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Jingwei test"),
        *("-keyout", f"{path}.key", "-out", f"{path}.crt"),
    )
    return path


def make_certificate(authority: Path, path: Path, host: str) -> None:
    """A key and a certificate for a host, signed by an authority."""
    _openssl(
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host}"),
        *("-keyout", f"{path}.key", "-out", f"{path}.csr"),
    )
    names = path.with_suffix(".names")
    names.write_text(f"subjectAltName=DNS:{host}\n")
    _openssl(
        *("x509", "-req", "-in", f"{path}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key"),
        *("-CAcreateserial", "-days", "2", "-extfile", str(names), "-out", f"{path}.crt"),
    )
    path.with_suffix(".key").chmod(0o600)


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)
