"""Emulators by name: the one place that knows which there are."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import version

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import Emulator
from mcu_harness.hardware.board import Board


def _unicorn() -> Emulator:
    # Late: Unicorn and numba take a third of a second to load.
    from mcu_harness.emulator.unicorn.emulator import UnicornEmulator

    return UnicornEmulator()


def _renode() -> Emulator:
    from mcu_harness.emulator.renode.emulator import RenodeEmulator

    return RenodeEmulator()


def _unicorn_supports(board: Board) -> str:
    from mcu_harness.emulator.unicorn.memory import unmappable

    return unmappable(board)


def _renode_supports(board: Board) -> str:
    from mcu_harness.emulator.renode.platform import why_not

    return why_not(board)


def _unicorn_description() -> str:
    return f"{version('unicorn')}, in process"


def _renode_description() -> str:
    from mcu_harness.emulator.renode.find import find_renode

    found = find_renode()
    return f"{found.version}, from {found.origin}: {found.path}"


_FACTORIES: dict[str, Callable[[], Emulator]] = {"unicorn": _unicorn, "renode": _renode}
_SUPPORTS: dict[str, Callable[[Board], str]] = {"unicorn": _unicorn_supports, "renode": _renode_supports}
_DESCRIPTIONS: dict[str, Callable[[], str]] = {"unicorn": _unicorn_description, "renode": _renode_description}

EMULATOR_NAMES: tuple[str, ...] = tuple(_FACTORIES)


def find_emulator(name: str) -> Emulator:
    """The emulator called `name`; EmulatorError says how to get a missing one."""
    if name not in _FACTORIES:
        raise EmulatorError(f"no emulator named {name!r}", hint=f"choose one of: auto, {', '.join(EMULATOR_NAMES)}")
    return _FACTORIES[name]()


def describe(name: str) -> str:
    """Version and place of the emulator called `name`; raises EmulatorError where it is missing."""
    return _DESCRIPTIONS[name]()


def resolve(name: str, board: Board) -> str:
    """`name`, or what "auto" means for `board`: Renode where one is found that runs it, else the embedded emulator."""
    if name != "auto":
        return name
    return "renode" if _renode_found() and not supports("renode", board) else "unicorn"


@cache
def _renode_found() -> bool:
    from mcu_harness.emulator.renode.find import find_renode

    try:
        find_renode()
    except EmulatorError:
        return False
    return True


def supports(name: str, board: Board) -> str:
    """ "" when the emulator called `name` can run `board`, else why not; starts nothing."""
    return _SUPPORTS[name](board)
