"""Emulators by name, one entry each: the one place that knows which there are, and which of them a run gets.

A new emulator is a package beside `unicorn/` and `renode/` and an entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.metadata import version

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import Emulator
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
    EmulatorError where it is missing. `has` are the needs that it meets.
    """

    name: str
    make: Callable[[], Emulator]
    supports: Callable[[Board], str]
    describe: Callable[[], str]
    has: frozenset[Need]


def _unicorn() -> Emulator:
    # Late: Unicorn and numba take a third of a second to load.
    from mcu_harness.emulator.unicorn.emulator import UnicornEmulator

    return UnicornEmulator()


def _unicorn_supports(board: Board) -> str:
    from mcu_harness.emulator.unicorn.memory import unmappable

    return unmappable(board)


def _renode() -> Emulator:
    from mcu_harness.emulator.renode.emulator import RenodeEmulator

    return RenodeEmulator()


def _renode_supports(board: Board) -> str:
    from mcu_harness.emulator.renode.platform import why_not

    return why_not(board)


def _renode_description() -> str:
    from mcu_harness.emulator.renode.find import find_renode

    found = find_renode()
    return f"{found.version}, from {found.origin}: {found.path}"


# In the order in which they are shown. `auto` prefers the later ones; the first is always there.
EMULATORS: tuple[EmulatorEntry, ...] = (
    EmulatorEntry(
        "unicorn",
        make=_unicorn,
        supports=_unicorn_supports,
        describe=lambda: f"{version('unicorn')}, in process",
        has=frozenset({Need.MEMORY_TRACE, Need.UNMODELLED_DEVICES}),
    ),
    EmulatorEntry(
        "renode",
        make=_renode,
        supports=_renode_supports,
        describe=_renode_description,
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


def select(asked: str, board: Board, needs: Iterable[Need] = ()) -> EmulatorEntry:
    """The emulator called `asked`, or the one that "auto" means for a run on `board` that has `needs`.

    That is the most preferred of those that meet the needs, are installed and support the board. Where there is none it
    is the first that meets them, whose own error says what is missing. Needs hold in their order: one that no emulator
    meets together with those before it is left unmet. Raises EmulatorError for a name that none has.
    """
    if asked != "auto":
        return emulator_entry(asked)
    able = EMULATORS
    for need in needs:
        able = tuple(entry for entry in able if need in entry.has) or able
    return next((entry for entry in reversed(able) if _is_found(entry) and not entry.supports(board)), able[0])


@cache
def _is_found(entry: EmulatorEntry) -> bool:
    try:
        entry.describe()
    except EmulatorError:
        return False
    return True
