"""What is known of Renode's versions: all that depends on the version is here."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """`cores` are the CPU types of Cortex-M that it knows; `symbols` choose between `#if` branches of our C#."""

    cores: frozenset[str]
    symbols: tuple[str, ...] = ()


_CORES_1_15_3 = frozenset(
    f"cortex-{name}" for name in ("m0", "m0+", "m1", "m3", "m4", "m4f", "m7", "m23", "m33", "m85")
)

SUPPORTED: dict[str, VersionFacts] = {
    "1.15.3": VersionFacts(_CORES_1_15_3),
    "1.16.1": VersionFacts(_CORES_1_15_3 | {"cortex-m55"}, ("MEMORY_HOOK_HAS_WIDTH",)),
}
INSTALLED_BY_DEFAULT = "1.16.1"


def parse(output: str) -> str:
    """The version in what `renode --version` prints ("Renode v1.15.3.6377 ..."), without the build number; "" if none."""
    found = re.search(r"\bv(\d+\.\d+\.\d+)", output)
    return found[1] if found else ""


def facts(version: str) -> VersionFacts:
    """What is known of `version`, or of the newest known version before it, or of the oldest."""
    known = sorted(SUPPORTED, key=_key)
    before = [each for each in known if _key(each) <= _key(version)]
    return SUPPORTED[before[-1] if before else known[0]]


def too_old(version: str) -> bool:
    """Whether it is older than all supported ones."""
    return _key(version) < min(map(_key, SUPPORTED))


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
