"""What a live board hands out: values that say something of it, and take it back to where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcu_harness.app.live.console import Position
from mcu_harness.app.live.values import Value


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What `LiveBoard.restore` puts back: the `state` of that `machine` and of no other."""

    machine: object
    state: object
    consoles: Mapping[str, Position]
    owed: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """A value changed, by the instruction at the address `by`; `where` is that in words: function, address, source line."""

    before: Value
    after: Value
    by: int
    where: str
