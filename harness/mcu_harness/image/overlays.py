"""Overlays: sections of code that a program copies to one place in memory, one after the other (OVERLAY in a linker script).

What runs there is known by its address, which functions of several overlays share. Whose code it was is told by its bytes where it can
be; else such functions are one, with the names of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from mcu_harness.hardware.arm.thumb import PLAIN, UNKNOWN_TARGET, block_end, instruction_size
from mcu_harness.image.symbols import Section, Symbol

_MOST_NAMES = 4

Code = Iterable[tuple[int, bytes]]


def groups(sections: Iterable[Section]) -> list[list[Section]]:
    """The sections of code that share memory with others, by the memory that they share."""
    found: list[list[Section]] = []
    reached = 0
    for section in sorted((s for s in sections if s.executable and s.size), key=lambda s: s.address):
        if section.address < reached:
            found[-1].append(section)
        else:
            found.append([section])
        reached = max(reached, section.end)
    return [group for group in found if len(group) > 1]


def merged(functions: Sequence[Symbol], sections: Iterable[Section]) -> tuple[Symbol, ...]:
    """Sorted `functions`, with one in place of those of several overlays in `sections` that share addresses."""
    overlays = {section.name for group in groups(sections) for section in group}
    kept: list[Symbol] = []
    together: list[Symbol] = []
    for function in functions:
        if function.section not in overlays:
            kept.append(function)
        elif together and function.address < max(one.address + one.size for one in together):
            together.append(function)
        else:
            kept += _as_one(together)
            together = [function]
    return tuple(sorted([*kept, *_as_one(together)], key=lambda function: function.address))


def _as_one(functions: list[Symbol]) -> list[Symbol]:
    if len({function.section for function in functions}) < 2:
        return functions
    names = list(dict.fromkeys(function.name for function in functions))
    more = f" or {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    start = functions[0].address
    size = max(function.address + function.size for function in functions) - start
    name = " or ".join(names[:_MOST_NAMES]) + more + " (overlay)"
    return [replace(functions[0], name=name, size=size, kind="function", file="")]


def idle(sections: Iterable[Section], code: Code, bytes_of: Callable[[Section, int, int], bytes]) -> frozenset[str]:
    """The overlays that cannot have run, by name, from the blocks of `code` that ran: as they were when each address first ran.

    `bytes_of(section, address, size)` is the image's code. One may have run if it has the bytes of any block, or if it would make a block of the
    same length at its address, which is not told from the first one.
    """
    shared = groups(sections)
    blocks = list(code) if shared else []
    never: set[str] = set()
    for group in shared:
        low, high = group[0].address, max(section.end for section in group)
        ran = [(at, data) for at, data in blocks if low <= at < high]
        for section in group:
            own = ((data, bytes_of(section, at, len(data))) for at, data in ran)
            if not any(_may_be(data, mine) for data, mine in own):
                never.add(section.name)
        if all(section.name in never for section in group):
            never -= {section.name for section in group}  # what ran is of none of them as they are in the image
    return frozenset(never)


def _may_be(ran: bytes, own: bytes) -> bool:
    """Whether a block that was `ran` at some address may also have been `own`, of the same length there."""
    if ran == own or len(ran) != len(own):
        return ran == own
    ends = _branches(own)
    return ends is not None and not any(ends[:-1]) and (ends[-1] or not (_branches(ran) or [True])[-1])


def _branches(code: bytes) -> list[bool] | None:
    """Whether each instruction may go elsewhere than to the next; None where `code` ends within one."""
    found, at = [], 0
    while at < len(code):
        first, second = (int.from_bytes(code[at + i : at + i + 2], "little") for i in (0, 2))
        size = instruction_size(first)
        if at + size > len(code):
            return None
        end = block_end(code[at : at + size], at)
        is_table = first & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000  # TBB, TBH
        found.append(end.kind != PLAIN or end.target != UNKNOWN_TARGET or is_table)
        at += size
    return found
