"""What is moved into another memory: found in the firmware, and checked to have room there.

`MEMORY=WHAT` says what lies in that memory, all of it separated by "+":

- a layer, as `layer_04` or by its name (`*` and `?` stand for anything): its constants; of an instruction memory (one
  with "itcm" in its name), its code. `code:layer_04` and `data:layer_04` say which. Its code are its functions and all
  that they call, also for other layers that call it; calls through pointers are not followed;
- functions or variables by symbol, with the same wildcards; FILE:NAME is a static function;
- a range of addresses, 0x0800a000-0x0804b000, with the code and data in it.

A function takes the constants next to it along. The image is not linked again: distances between functions stay, as do
the steps that a real build needs to copy what is moved at its start.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise

from mcu_harness.analysis.firmware_under_test import CodeRegion, FirmwareUnderTest
from mcu_harness.analysis.profile.costs import Contexts
from mcu_harness.analysis.stack.frames import Frames
from mcu_harness.analysis.what_if.spec import Move
from mcu_harness.base.errors import HarnessError, ScenarioError
from mcu_harness.base.text import one_line
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.base.units import format_bytes
from mcu_harness.hardware.board import Board, Moved
from mcu_harness.image.program import Program, Symbol
from mcu_harness.image.symbol_names import matching, readable

_RANGE = re.compile(r"(0x[0-9a-fA-F]+)-(0x[0-9a-fA-F]+)")
_LAYER = re.compile(r"layer_?0*(\d{1,6})")
_OF_LAYER = re.compile(r"mcu_layer_(\d{1,6})_")
_WHICH = ("code", "data")
_MOST_NAMES = 40  # in a hint

Range = tuple[int, int]


def placed(
    moves: Sequence[Move], firmware: FirmwareUnderTest, board: Board
) -> tuple[tuple[Moved, ...], tuple[str, ...]]:
    """What is timed elsewhere, and the same in words; ScenarioError for what is not in the firmware or has no room."""
    found: list[Moved] = []
    words: list[str] = []
    for move in moves:
        which, ranges = _ranges(move, firmware)
        ranges = _merged(ranges)
        for low, high in ranges:
            if board.region_of(low) is None or board.region_of(high - 1) is None:
                raise _error(move, f"no memory of {board.name} holds {low:#010x}-{high:#010x}")
        found += [Moved(low, high, move.memory) for low, high in ranges]
        size = format_bytes(sum(high - low for low, high in ranges))
        words.append(f"{_title(move, which)}: {size} in {move.memory}")
    found.sort(key=lambda moved: moved.low)
    for one, two in pairwise(found):
        if one.high > two.low and one.memory != two.memory:
            raise ScenarioError(f"what-if: {two.low:#010x} is moved into {one.memory} and into {two.memory}")
    _check_room(found, firmware, board)
    return tuple(found), tuple(words)


def _title(move: Move, which: str) -> str:
    return f"{which} of {one_line(move.what.removeprefix(f'{which}:'))}" if which else one_line(move.what)


def _ranges(move: Move, firmware: FirmwareUnderTest) -> tuple[str, list[Range]]:
    """What of it is moved where that can be asked ("code", "data"), and where it lies."""
    which, colon, what = move.what.partition(":")
    if not colon or which not in _WHICH:
        which, what = "", move.what
    if bounds := _RANGE.fullmatch(what):
        low, high = int(bounds[1], 16), int(bounds[2], 16)
        if not low < high <= 1 << 32:
            raise _error(move, "the range is empty", "write the lower address first, and the one behind the last byte")
        return "", [(low, high)]
    layers = _layers(what, firmware.code_regions)
    if layers:
        which = which or ("code" if "itcm" in move.memory.lower() else "data")
        found = _code_of(layers, firmware) if which == "code" else _constants_of(layers, firmware)
        if not found:
            why = "its code is not known" if which == "code" else "which constants are its own is not known"
            raise _error(move, why, "name functions or variables, or a range of addresses as 0x08004000-0x08005000")
        return which, found
    return which, _symbols(move, which, what, firmware)


def _layers(what: str, parts: Sequence[CodeRegion]) -> list[int]:
    """The indexes of the layers that `what` names."""
    if number := _LAYER.fullmatch(what):
        return [int(number[1])] if int(number[1]) < len(parts) else []
    return [nth for nth, part in enumerate(parts) if fnmatchcase(part.name, what)]


def _code_of(layers: Sequence[int], firmware: FirmwareUnderTest) -> list[Range]:
    """The functions of layers with all that they call."""
    frames = Frames(firmware.program)
    entries = [
        entry
        for layer in layers
        if not isinstance(entries := firmware.code_regions[layer].entries, Contexts)
        for entry in entries
    ]
    waiting, known = list(entries), set(entries)
    while waiting:
        for call in frames.at(waiting.pop()).calls:
            if call.target is not None and call.target not in known:
                known.add(call.target)
                waiting.append(call.target)
    functions = filter(None, map(firmware.program.function_at, known))
    return [_extent(function) for function in functions]


def _constants_of(layers: Sequence[int], firmware: FirmwareUnderTest) -> list[Range]:
    """The constants of layers of a model; nothing is known of those of other firmware."""
    return [
        _extent(symbol)
        for symbol in _variables(firmware.program)
        if (match := _OF_LAYER.match(symbol.name)) and int(match[1]) in layers
    ]


def _symbols(move: Move, which: str, what: str, firmware: FirmwareUnderTest) -> list[Range]:
    program = firmware.program
    functions = [s for s in program.symbols if s.kind == "function" and s.size] if which != "data" else []
    variables = _variables(program) if which != "code" else []
    found = [_extent(function) for function in matching(functions, what)]
    found += [_extent(variable) for variable in variables if fnmatchcase(variable.name, what)]
    if not found:
        layers = [f"layer_{nth:02d}" for nth in range(len(firmware.code_regions))]
        known = [*layers, *(part.name for part in firmware.code_regions)]
        known += [one_line(readable(symbol.name)) for symbol in (*functions, *variables)]
        raise _error(move, f"no layer, function or variable is called {what!r}", _near(what, known))
    return found


def _near(what: str, known: Sequence[str]) -> str:
    names = tuple(dict.fromkeys(known))
    if not names:
        return "the image has no symbols: give a range of addresses, as 0x08004000-0x08005000"
    near, known, _ = did_you_mean(what, names).partition("known here: ")
    return near + known + ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")


def _variables(program: Program) -> list[Symbol]:
    return [symbol for symbol in program.symbols if symbol.kind == "object" and symbol.size]


def _extent(symbol: Symbol) -> Range:
    return symbol.address, symbol.address + symbol.size


def _merged(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _check_room(moved: Sequence[Moved], firmware: FirmwareUnderTest, board: Board) -> None:
    """What comes into a memory must fit beside what lies there and stays."""
    change: dict[str, int] = defaultdict(int)
    for name, low, high in _without_overlap(moved):
        change[name] += high - low
        source = board.region_of(low)
        if source is not None:
            change[source.name] -= high - low
    used = {region.region: region.used for region in firmware.footprint.regions}
    for name, more in change.items():
        capacity = board.memory(name).size
        over = used.get(name, 0) + more - capacity
        if more > 0 and over > 0:
            raise ScenarioError(
                f"what-if: {format_bytes(more)} more do not fit into {name}: "
                f"{format_bytes(used.get(name, 0))} of its {format_bytes(capacity)} are taken, {over} B are missing",
                hint="move less, or into another memory",
            )


def _without_overlap(moved: Sequence[Moved]) -> Iterator[tuple[str, int, int]]:
    for name in {one.memory for one in moved}:
        yield from ((name, *ends) for ends in _merged([(one.low, one.high) for one in moved if one.memory == name]))


def _error(move: Move, message: str, hint: str = "") -> HarnessError:
    return ScenarioError(f"what-if {one_line(f'{move.memory}={move.what}')!r}: {message}", hint=hint)
