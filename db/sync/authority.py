"""Which authority vouches for a server on this computer: one certificate, kept in the folder of its user."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy.engine import make_url

from db.engine.trust import demand_certificate
from db.kernel.language import N_
from db.kernel.refusal import Unavailable

AUTHORITY = "authority.crt"
MENDED_BY_AUTHORITY = frozenset({"no_authority", "not_proven", "strange_authority"})
"""The codes of trouble (``db.engine.trust``) that the right certificate of an authority can mend."""
DISTRUST = MENDED_BY_AUTHORITY | {"expired_proof", "early_proof", "other_name", "no_tls"}
"""All codes of trouble that is about the proof of a server, not about the line."""


def trust(folder: Path, certificate: Path) -> None:
    """Keep the certificate of the bureau's authority for this computer's user. Raises ``Refused`` when it is
    none, ``Unavailable`` when it cannot be kept.
    """
    demand_certificate(certificate)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        begun = folder / f"{AUTHORITY}.part"
        shutil.copyfile(certificate, begun)
        begun.replace(folder / AUTHORITY)
    except OSError as error:
        raise Unavailable(
            "cannot_open",
            N_("{path} cannot be opened: {reason}"),
            path=str(folder / AUTHORITY),
            reason=error.strerror or str(error),
        ) from error


def way_to(address: str, folder: Path) -> str:
    """The address with the authority of this folder, when it names none and has to be proved."""
    url = make_url(address)
    authority = folder / AUTHORITY
    if "sslrootcert" in url.query or not str(url.query.get("sslmode", "")).startswith("verify"):
        return address
    if not authority.is_file():
        return address
    return url.update_query_dict({"sslrootcert": str(authority)}).render_as_string(hide_password=False)
