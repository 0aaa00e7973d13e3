"""A PostgreSQL that listens on the loopback and asks for passwords, and certificates for a server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from db.demo.postgres import OwnPostgres, programs
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


class TlsServer(OwnPostgres):
    """Lets nobody in over the network but by TLS, with whatever certificate it is given."""

    def __init__(self, binaries: Path, settings: Mapping[str, str] = SETTINGS) -> None:
        super().__init__(settings, on_network=True, binaries=binaries)

    def begin(self, certificate: Path) -> None:
        """Make the cluster, show this certificate, and close the doors to lines in the clear."""
        self.make()
        self._put(certificate)
        data = self.folder / "data"
        (data / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
        with (data / "postgresql.conf").open("a") as file:
            file.write("ssl = on\nssl_cert_file = 'tls.crt'\nssl_key_file = 'tls.key'\n")
        self.start()

    def show(self, certificate: Path) -> None:
        """Show another certificate from now on."""
        self._put(certificate)
        self._reload()

    def do_tls(self, yes: bool) -> None:
        """Begin or cease to encrypt, as a line in its configuration does."""
        with self.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET ssl = {'on' if yes else 'off'}")
        self._reload()

    def _reload(self) -> None:
        with self.connect() as connection:
            connection.execute("SELECT pg_reload_conf()")

    def _put(self, certificate: Path) -> None:
        for ending in (".crt", ".key"):
            there = self.folder / "data" / f"tls{ending}"
            shutil.copyfile(certificate.with_suffix(ending), there)
            there.chmod(0o600)
            data = self.folder.joinpath("data").stat()
            os.chown(there, data.st_uid, data.st_gid)


def programs_with_tls() -> Path | None:
    """The programs of a PostgreSQL that can do TLS: those of the tests, else those of the system."""
    found = [programs()]
    if pg_config := shutil.which("pg_config"):
        said = subprocess.run([pg_config, "--bindir"], check=True, capture_output=True, text=True)
        found.append(Path(said.stdout.strip()))
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for each in found:
        server = each / "postgres"
        # What one says that was built without.
        if server.exists() and b"SSL is not supported by this build" not in server.read_bytes():
            return each
    return None


def make_authority(path: Path) -> Path:
    """A key and a certificate that signs others; the path without its ending."""
    _openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Jingwei test"),
        *("-keyout", f"{path}.key", "-out", f"{path}.crt"),
    )
    return path


def make_certificate(authority: Path, path: Path, host: str, days: int = 2) -> Path:
    """A key and a certificate for a host, signed by an authority; the path without its ending."""
    _openssl(
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host}"),
        *("-keyout", f"{path}.key", "-out", f"{path}.csr"),
    )
    names = path.with_suffix(".names")
    names.write_text(f"subjectAltName=DNS:{host}\n")
    _openssl(
        *("x509", "-req", "-in", f"{path}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key"),
        *("-CAcreateserial", "-days", str(days), "-extfile", str(names), "-out", f"{path}.crt"),
    )
    path.with_suffix(".key").chmod(0o600)
    return path


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)
