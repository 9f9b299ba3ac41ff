"""Emulators, a row each: how one is made, what it can run, how it is described.

A new emulator is a package beside `unicorn/` and `renode/`, a row here, and its name for each core in `hardware/core.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version

from mcu_harness.base.cache import digest
from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.live import LiveEmulator
from mcu_harness.hardware.board import Board


class Need(StrEnum):
    """Something that a run may need and not every emulator has."""

    MEMORY_TRACE = "a memory trace"
    PLATFORM_FILES = "the user's own Renode platform files"
    UNMODELLED_DEVICES = "to get past devices that nobody has modelled"


@dataclass(frozen=True, slots=True)
class EmulatorEntry:
    """An emulator. Nothing of it is imported or started before `make`, which raises EmulatorError where it is missing.

    `supports(board)` is "" when it can run `board`, else why not; `describe()` says its version and place, and raises
    EmulatorMissing where it is not installed, EmulatorError where that is broken; `identity()` changes with the program that is installed. `has` are the needs that
    it meets.
    """

    name: str
    make: Callable[[], LiveEmulator]
    supports: Callable[[Board], str]
    describe: Callable[[], str]
    identity: Callable[[], str]
    has: frozenset[Need]


def _unicorn() -> LiveEmulator:
    # Late: Unicorn and numba take a third of a second to load.
    from mcu_harness.emulator.unicorn.emulator import UnicornEmulator

    return UnicornEmulator()


def _unicorn_supports(board: Board) -> str:
    from mcu_harness.emulator.unicorn.memory import unmappable

    return unmappable(board)


def _renode() -> LiveEmulator:
    from mcu_harness.emulator.renode.emulator import RenodeEmulator

    return RenodeEmulator()


def _renode_supports(board: Board) -> str:
    from mcu_harness.emulator.renode.platform import why_not

    return why_not(board)


def _renode_description() -> str:
    from mcu_harness.emulator.renode.find import find_renode

    found = find_renode()
    return f"{found.version}, from {found.origin}: {found.path}"


def _renode_identity() -> str:
    from mcu_harness.emulator.renode.find import find_renode
    from mcu_harness.emulator.renode.server import csharp_source

    found = find_renode()
    changed = found.path.resolve().stat().st_mtime_ns
    return f"{found.version} {found.path.resolve()} {changed} {digest([csharp_source()])}"


# In the order in which they are shown. `auto` prefers the later ones; the first is always there.
EMULATORS: tuple[EmulatorEntry, ...] = (
    EmulatorEntry(
        "unicorn",
        make=_unicorn,
        supports=_unicorn_supports,
        describe=lambda: f"{version('unicorn')}, in process",
        identity=lambda: version("unicorn"),
        has=frozenset({Need.MEMORY_TRACE, Need.UNMODELLED_DEVICES}),
    ),
    EmulatorEntry(
        "renode",
        make=_renode,
        supports=_renode_supports,
        describe=_renode_description,
        identity=_renode_identity,
        has=frozenset({Need.PLATFORM_FILES}),
    ),
)


def emulator_entry(name: str) -> EmulatorEntry:
    """The emulator called `name`; raises EmulatorError for a name that none has."""
    for entry in EMULATORS:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in EMULATORS)
    raise EmulatorError(f"no emulator named {name!r}", hint=f"choose one of: auto, {known}")
