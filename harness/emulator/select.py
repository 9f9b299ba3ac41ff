"""Emulators by name: the one place that knows which there are."""

from __future__ import annotations

from collections.abc import Callable

from harness.board import Board
from harness.emulator import Emulator
from harness.errors import EmulatorError


def _unicorn() -> Emulator:
    # Late: Unicorn and numba take a third of a second to load.
    from harness.emulator.unicorn import UnicornEmulator

    return UnicornEmulator()


def _renode() -> Emulator:
    from harness.emulator.renode.emulator import RenodeEmulator

    return RenodeEmulator()


def _unicorn_supports(board: Board) -> str:
    from harness.emulator.memory import unmappable

    return unmappable(board)


def _renode_supports(board: Board) -> str:
    from harness.emulator.renode.platform import why_not

    return why_not(board)


_FACTORIES: dict[str, Callable[[], Emulator]] = {"unicorn": _unicorn, "renode": _renode}
_SUPPORTS: dict[str, Callable[[Board], str]] = {"unicorn": _unicorn_supports, "renode": _renode_supports}

EMULATOR_NAMES: tuple[str, ...] = tuple(_FACTORIES)


def find_emulator(name: str) -> Emulator:
    """The emulator called `name`, or with "auto" the best one there is; EmulatorError says how to get a missing one."""
    if name == "auto":  # Renode is asked for by name until its numbers are asserted equal on every board
        return _unicorn()
    if name not in _FACTORIES:
        raise EmulatorError(f"no emulator named {name!r}", hint=f"choose one of: auto, {', '.join(EMULATOR_NAMES)}")
    return _FACTORIES[name]()


def supports(name: str, board: Board) -> str:
    """ "" when the emulator called `name` can run `board`, else why not; starts nothing."""
    return _SUPPORTS[name](board)
