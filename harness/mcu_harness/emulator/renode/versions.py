"""Renode's version numbers: which are tested, and which is old. No behaviour depends on them: csharp/RenodeApi.cs."""

from __future__ import annotations

import re

SUPPORTED = ("1.15.3", "1.16.1")
INSTALLED_BY_DEFAULT = "1.16.1"


def parse(output: str) -> str:
    """The version in what `renode --version` prints ("Renode v1.15.3.6377 ..."), without the build number; "" if none."""
    found = re.search(r"\bv(\d+\.\d+\.\d+)", output)
    return found[1] if found else ""


def too_old(version: str) -> bool:
    """Whether it is older than all supported ones."""
    return _key(version) < min(map(_key, SUPPORTED))


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
