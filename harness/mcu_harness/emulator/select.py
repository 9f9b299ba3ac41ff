"""Which emulator a run gets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from mcu_harness.base.errors import EmulatorError, EmulatorMissing
from mcu_harness.emulator.emulators import EMULATORS, EmulatorEntry, Need, emulator_entry
from mcu_harness.hardware.board import Board


@dataclass(frozen=True, slots=True)
class Selection:
    """The emulator that a run gets; `passed_over` says what was wrong with those that it would have got instead."""

    entry: EmulatorEntry
    passed_over: tuple[str, ...] = ()


def select(asked: str, board: Board, needs: Iterable[Need] = ()) -> Selection:
    """The emulator called `asked`, or the one that "auto" means for a run on `board` that has `needs`.

    That is the most preferred of those that meet the needs, are installed, support the board and pass a trial. Where
    there is none it is the first that meets them, whose own error says what is missing. Needs hold in their order: one
    that no emulator meets together with those before it is left unmet. Raises EmulatorError for a name that none has.
    """
    if asked != "auto":
        return Selection(emulator_entry(asked))
    able = EMULATORS
    for need in needs:
        able = tuple(entry for entry in able if need in entry.has) or able
    passed_over: list[str] = []
    for entry in reversed(able[1:]):
        if entry.supports(board):
            continue
        try:
            reason = _why_unusable(entry)
        except EmulatorMissing:
            continue
        if not reason:
            return Selection(entry, tuple(passed_over))
        passed_over.append(f"{entry.name} {reason}")
    return Selection(able[0], tuple(passed_over))


@cache
def _why_unusable(entry: EmulatorEntry) -> str:
    """ "" when it passes a trial; else which it is, and what was said. Raises EmulatorMissing when it is not installed."""
    from mcu_harness.emulator.trial import why_unusable

    try:
        described = entry.describe()
        reason = why_unusable(entry.make(), entry.identity())
    except EmulatorMissing:
        raise
    except EmulatorError as error:
        return error.message.splitlines()[0]
    return f"{described}: {reason}" if reason else ""
