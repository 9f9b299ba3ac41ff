"""The compiled function that runs before every instruction of a memory trace."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mcu_harness.emulator.recorder.compiled_code import addresses


@cache
def compiled() -> int:
    """The C address of `native_hook.on_instruction`."""
    (address,) = addresses((Path(__file__).parent,), ("on_instruction",), _make)
    return address


def _make() -> Mapping[str, Any]:
    from mcu_harness.emulator.trace.native_hook import entries  # numba: only where there is something to compile

    return entries()
