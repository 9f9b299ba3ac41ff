"""Lines that back a finding up: what the board would do, the calls that led there, the registers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mcu_harness.analysis.address_names import Places
from mcu_harness.analysis.diagnose.status import predict
from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.emulator.contract import Execution
from mcu_harness.hardware.arm.thumb import CALL, block_end
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program

_ROWS = (("r0", "r1", "r2", "r3"), ("r4", "r5", "r6", "r7"), ("r8", "r9", "r10", "r11"), ("r12", "sp", "lr", "xpsr"))


@dataclass(frozen=True, slots=True)
class Case:
    """A run that is to be explained. `places` are the program's."""

    execution: Execution
    firmware: FirmwareUnderTest
    board: Board
    places: Places

    @property
    def program(self) -> Program:
        return self.firmware.program

    @property
    def path(self) -> list[int]:
        """Functions under way when the run ended, outermost first; [] when not known."""
        return self.places.path(self.execution)

    @property
    def layer(self) -> str:
        """ ", layer conv" when the run ended in one, else ""."""
        function = self.program.function_at(self.execution.pc)
        layer = self.places.layer([*self.path, *([function.address] if function else [])])
        return f", layer {layer}" if layer else ""

    def code_at(self, address: int) -> bytes:
        """Up to 4 bytes of the image at `address`."""
        return self.program.bytes_at(address, 4)


def status_lines(case: Case) -> Iterator[str]:
    """What the fault would be on the board, and the program counter that its handler would find on the stack."""
    execution = case.execution
    status = predict(execution.fault, case.board, execution.registers) if execution.fault else None
    if status is not None:
        yield f"on the board: {status}"
        yield f"stacked pc {case.places.short(execution.pc)}"


def call_lines(case: Case) -> Iterator[str]:
    """The calls that led to the end; without them, what the link register says."""
    path, places = case.path, case.places
    if path:
        inside = case.program.function_at(case.execution.pc)
        entries = [*path, inside.address] if inside and inside.address != path[-1] else path
        yield f"calls: {places.path_text(entries)}"
        site = next((call.returns_to for call in reversed(case.execution.calls) if call.returns_to is not None), None)
        if site is not None:
            yield f"last call from {places.short(site - 2)}"
        return
    back = case.execution.registers.get("lr", 0)
    if back & 1 and _is_return_address(case, back & ~1):
        yield f"lr {back:#010x}: called from {places.short((back & ~1) - 2)}"


def register_lines(case: Case) -> Iterator[str]:
    """The registers, four in a line."""
    registers = case.execution.registers
    for row in _ROWS:
        known = [f"{name} {registers[name]:#010x}" for name in row if name in registers]
        if known:
            yield "  ".join(known)


def _is_return_address(case: Case, address: int) -> bool:
    """Whether a call stands right before `address`."""
    for size in (4, 2):
        code = case.program.bytes_at(address - size, size)
        if len(code) == size and (size == 2 or code[1] >> 3 in (0b11101, 0b11110, 0b11111)):
            try:
                end = block_end(code, address - size)
            except ValueError:
                continue
            if end.kind == CALL and end.size == size:
                return True
    return False
