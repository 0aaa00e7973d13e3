"""What this program calls itself."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """The version of the installed package."""
    try:
        return version("jingwei")
    except PackageNotFoundError:
        return "0+unknown"
