"""What of generated firmware is worth a faster memory, and where there is room for it.

The waits of every function, constant and of the arena come from a memory trace of one inference. The dearest by byte are taken as long as they fit; what
it gives is then predicted as any what-if is, with caches that see the rest alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.analysis.profile.costs import Contexts
from mcu_harness.analysis.profile.cycles.traced import TracedWaits, line_reads
from mcu_harness.analysis.stack.frames import Frames
from mcu_harness.emulator.contract import DataTrace
from mcu_harness.hardware.board import Board, Memory, Moved
from mcu_harness.image.placed import Placed, PlacedKind, Placement, first_address
from mcu_harness.image.program import Program, Symbol
from mcu_harness.model.codegen.sources import ARENA_SYMBOL

# What the start-up code runs before anything is copied, and what it may call.
_AT_START = ("memcpy", "memmove", "memset", "mcu_console_init", "mcu_console_write")
_NAME = re.compile(r"[A-Za-z_][\w.$]*")
_CONSTANT = re.compile(r"mcu_layer_\d+_")
# Below this, instructions are fetched over the core's code bus; the larger cores fetch over the system bus elsewhere, and the cycle models know nothing of what that costs.
_END_OF_CODE_BUS = 0x2000_0000
_LEAST_SHARE = 0.0002  # of all cycles: less is not worth its RAM
_WORD = 4  # bytes: what symbols are aligned to
_SLACK_BYTES = 64  # of a memory: sections are aligned


@dataclass(frozen=True, slots=True)
class _Candidate:
    symbol: Symbol
    kind: PlacedKind
    waits: float


def edges(program: Program) -> tuple[int, ...]:
    """Where a trace has to tell accesses apart: the beginning and end of everything that has a name."""
    return tuple(
        sorted(
            {
                edge
                for symbol in program.symbols
                if symbol.size
                for edge in (symbol.address & ~1, (symbol.address & ~1) + symbol.size)
            }
        )
    )


def choose(
    trace: DataTrace, firmware: FirmwareUnderTest, board: Board, cycles: float, most_ram: float, stack: int
) -> Placement:
    """What to place where, from the trace of one inference that took `cycles`; () where nothing is worth it.

    `most_ram`: by how many bytes the RAM figure may grow. `stack`: bytes of the data memory that stay free.
    """
    found = [one for one in _candidates(trace, firmware, board) if one.waits >= _LEAST_SHARE * cycles]
    used = {region.region: region.used for region in firmware.footprint.regions}
    room: dict[str, float] = {}
    for memory in board.memories:
        if memory.kind == "ram" and not memory.external and not memory.alias_of:
            free = memory.end - first_address(memory) - used.get(memory.name, 0) - _SLACK_BYTES
            room[memory.name] = free - (stack if memory.name == board.data else 0)
    options = [
        (gain / one.symbol.size, -memory.data_cache_bytes, nth, memory.name)
        for nth, one in enumerate(found)
        for memory in board.memories
        if memory.name in room and (gain := _gain(one, memory, board)) > 0
    ]

    def order(option: tuple[float, int, int, str]) -> tuple[float, int, int, bool]:
        by_byte, cached, nth, name = option
        return -by_byte, -cached, nth, _for_code(board.memory(name)) and found[nth].kind is not PlacedKind.CODE

    chosen: dict[int, str] = {}
    for _, _, nth, name in sorted(options, key=order):
        one = found[nth]
        size = one.symbol.size + _WORD
        grows = 0 if one.kind is PlacedKind.ZEROED else size
        if nth not in chosen and room[name] >= size and most_ram >= grows:
            chosen[nth] = name
            room[name] -= size
            most_ram -= grows
    groups: dict[tuple[str, PlacedKind], set[str]] = defaultdict(set)
    for nth, name in chosen.items():
        groups[name, found[nth].kind].add(found[nth].symbol.name)
    return tuple(Placed(name, kind, tuple(sorted(names))) for (name, kind), names in sorted(groups.items()))


def moved(placement: Placement, program: Program) -> tuple[Moved, ...]:
    """The same as what a question moves."""
    named = {name: one.memory for one in placement for name in one.symbols}
    return tuple(
        Moved(symbol.address & ~1, (symbol.address & ~1) + symbol.size, named[symbol.name])
        for symbol in sorted(program.symbols, key=lambda symbol: symbol.address)
        if symbol.name in named and symbol.size
    )


def placed_bytes(one: Placed, program: Program) -> int:
    return sum(symbol.size for symbol in program.symbols if symbol.name in one.symbols)


def _for_code(memory: Memory) -> bool:
    """Whether code is fetched from it over the core's code bus."""
    return memory.executable and memory.end <= _END_OF_CODE_BUS


def _candidates(trace: DataTrace, firmware: FirmwareUnderTest, board: Board) -> Iterable[_Candidate]:
    program = firmware.program
    waits = TracedWaits(trace, board, {})
    code = _reached(
        firmware,
        [
            entry
            for region in firmware.code_regions
            if not isinstance(region.entries, Contexts)
            for entry in region.entries
        ],
    )
    at_start = _reached(firmware, [symbol.address & ~1 for symbol in program.symbols if symbol.name in _AT_START])
    names = defaultdict[str, int](int)
    for symbol in program.symbols:
        names[symbol.name] += bool(symbol.size)
    for symbol in program.symbols:
        if not symbol.size or names[symbol.name] > 1 or not _NAME.fullmatch(symbol.name):
            continue
        low, high = symbol.address & ~1, (symbol.address & ~1) + symbol.size
        spent = _within(waits.data_waits, low, high)
        memory = board.region_of(low)
        in_flash = memory is not None and memory.kind == "flash"
        if symbol.kind == "function" and in_flash and low in code - at_start:
            yield _Candidate(symbol, PlacedKind.CODE, spent + _within(waits.code_waits, low, high))
        elif symbol.kind == "object" and in_flash and _CONSTANT.match(symbol.name):
            yield _Candidate(symbol, PlacedKind.CONSTANTS, spent)
        elif symbol.name == ARENA_SYMBOL and memory is not None and memory.name == board.data:
            yield _Candidate(symbol, PlacedKind.ZEROED, spent)


def _within(waits: Mapping[int, float], low: int, high: int) -> float:
    return sum(spent for at, spent in waits.items() if low <= at < high)


def _reached(firmware: FirmwareUnderTest, entries: Iterable[int]) -> set[int]:
    """Functions at `entries`, and all that they call."""
    frames, known = Frames(firmware.program), set(entries)
    waiting = list(known)
    while waiting:
        for call in frames.at(waiting.pop()).calls:
            if call.target is not None and call.target not in known:
                known.add(call.target)
                waiting.append(call.target)
    return known


def _gain(one: _Candidate, memory: Memory, board: Board) -> float:
    """Cycles that it would no longer wait in `memory`, about."""
    source = board.region_of(one.symbol.address & ~1)
    if source is None or source.name == memory.name:
        return 0.0
    if one.kind is PlacedKind.CODE:
        one_bus = board.core.architecture.baseline and memory.executable
        return one.waits if not memory.wait_states and (one_bus or _for_code(memory)) else 0.0
    before, after = _line_cycles(source), _line_cycles(memory)
    return one.waits * (1 - after / before) if before else 0.0


def _line_cycles(memory: Memory) -> float:
    """What a line costs that is brought in for data."""
    return (
        line_reads(memory, data=True) * memory.wait_states
        if memory.data_miss_cycles is None
        else memory.data_miss_cycles
    )


def variant_of(board: Board, placement: Placement, program: Program) -> Board:
    """`board` as the what-if for `placement` has it."""
    return replace(board, moved=moved(placement, program))
