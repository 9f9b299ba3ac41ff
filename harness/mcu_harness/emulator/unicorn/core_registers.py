"""Where an engine keeps its core's registers in this process's memory, so that compiled code can read them at once.

Unicorn's own call for a register costs more than the rest of a memory trace. The place is found from outside: the
registers are given values that occur nowhere else, and the structures that the engine's handle points to are searched
for them, through /proc/self/mem, where a wrong pointer is an error and not a crash. It is then tried out.
"""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Callable
from pathlib import Path

import numpy as np
from unicorn import arm_const
from unicorn.unicorn_py3.unicorn import Uc

_MEMORY = Path("/proc/self/mem")
_COUNT = 13  # r0..r12; sp, lr and pc follow
_HANDLE_BYTES = 1 << 12
_CORE_BYTES = 1 << 16
_PAGE = 1 << 12
_NUMBERS = [getattr(arm_const, f"UC_ARM_REG_R{i}") for i in range(_COUNT)]

_known: list[int] = []  # where in the handle the pointer was, and how far behind it the registers, of this version


def registers_address(core: Uc) -> int | None:
    """The address of r0..r15 as 32-bit words; None where that cannot be found out (not Linux, another Unicorn)."""
    before = [core.reg_read(number) for number in _NUMBERS]
    try:
        return _search(core, ctypes.cast(core._uch, ctypes.c_void_p).value or 0)
    except OSError:
        return None
    finally:
        for number, value in zip(_NUMBERS, before, strict=True):
            core.reg_write(number, value)


def _search(core: Uc, handle: int) -> int | None:
    with _MEMORY.open("rb", buffering=0) as memory:

        def read(address: int, size: int) -> bytes:
            """Up to `size` bytes, page by page: what is behind them may not be there."""
            found = b""
            while len(found) < size:
                try:
                    memory.seek(address + len(found))
                    part = memory.read(min(size - len(found), _PAGE - (address + len(found)) % _PAGE))
                except (OSError, OverflowError, ValueError):
                    break
                if not part:
                    break
                found += part
            return found

        marks = [secrets.randbits(31) | 1 for _ in range(_COUNT)]
        for number, mark in zip(_NUMBERS, marks, strict=True):
            core.reg_write(number, mark)
        pattern = np.array(marks, np.uint32).tobytes()
        words = read(handle, _HANDLE_BYTES)
        pointers = np.frombuffer(words[: len(words) & -8], np.uint64).tolist()
        if _known and _known[0] < len(pointers) and read(pointers[_known[0]] + _known[1], len(pattern)) == pattern:
            return int(pointers[_known[0]] + _known[1])
        for index, pointer in enumerate(pointers):
            at = read(pointer, _CORE_BYTES).find(pattern) if pointer else -1
            if at >= 0 and _follows(core, lambda place: read(place, 4), pointer + at):
                _known[:] = [index, at]
                return int(pointer + at)
    return None


def _follows(core: Uc, read: Callable[[int], bytes], address: int) -> bool:
    """Whether a register that is written anew changes there."""
    before, value = core.reg_read(_NUMBERS[5]), secrets.randbits(31) | 1
    core.reg_write(_NUMBERS[5], value)
    follows = read(address + 4 * 5) == value.to_bytes(4, "little")
    core.reg_write(_NUMBERS[5], before)
    return follows
