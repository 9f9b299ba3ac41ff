"""What runs on the other cores of a board, read for the emulator."""

from __future__ import annotations

from collections.abc import Iterable

from mcu_harness.emulator.contract import OtherCore
from mcu_harness.image.program import read_program
from mcu_harness.image.start_up import own_vectors
from mcu_harness.scenario.renode_table import OtherCoreSpec


def other_cores(specs: Iterable[OtherCoreSpec]) -> tuple[OtherCore, ...]:
    """Raises ElfError for an image that is no ELF, or has no vector table."""
    return tuple(_other_core(spec) for spec in specs)


def _other_core(spec: OtherCoreSpec) -> OtherCore:
    if spec.image is None:
        return OtherCore(spec.name, spec.vectors or 0)
    program = read_program(spec.image)
    load = tuple((segment.load_address, segment.data) for segment in program.segments if segment.data)
    return OtherCore(spec.name, own_vectors(program), load)
