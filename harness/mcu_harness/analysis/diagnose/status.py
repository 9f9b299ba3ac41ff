"""What a fault would leave in the fault status registers of the board, predicted from what it was.

Flags and their conditions: Armv7-M Architecture Reference Manual (DDI 0403), B1.5.6 (faults, escalation, lock-up),
B3.2.15 to B3.2.18 (CFSR, HFSR, MMFAR, BFAR), B3.1 (which addresses are never executed); STKOF: Armv8-M (DDI 0553).
Armv6-M and the Armv8-M baseline have HardFault only, and none of these registers (DDI 0419, B1.5.6).
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.emulator.contract import Fault, FaultKind
from mcu_harness.emulator.fault_kinds import FAULT_MEANINGS
from mcu_harness.hardware.arm.address_map import never_executed
from mcu_harness.hardware.board import Board

# Bits of CFSR: MemManage below 8, BusFault below 16, UsageFault above.
CFSR_BITS = {
    "IACCVIOL": 0, "DACCVIOL": 1, "MUNSTKERR": 3, "MSTKERR": 4, "MLSPERR": 5, "MMARVALID": 7,
    "IBUSERR": 8, "PRECISERR": 9, "IMPRECISERR": 10, "UNSTKERR": 11, "STKERR": 12, "LSPERR": 13, "BFARVALID": 15,
    "UNDEFINSTR": 16, "INVSTATE": 17, "INVPC": 18, "NOCP": 19, "STKOF": 20, "UNALIGNED": 24, "DIVBYZERO": 25,
}  # fmt: skip
HFSR_BITS = {"VECTTBL": 1, "FORCED": 30, "DEBUGEVT": 31}
_CLASSES = (("MemManage", 8, 1 << 16), ("BusFault", 16, 1 << 17), ("UsageFault", 32, 1 << 18))  # and SHCSR's bit
_HARD_FAULT, _NMI = 3, 2


@dataclass(frozen=True, slots=True)
class Status:
    """What the board would do: `taken` is the exception, or "lock-up"; `why` says more where there is something."""

    taken: str
    cfsr: int = 0
    hfsr: int = 0
    bfar: int | None = None
    why: str = ""

    def __str__(self) -> str:
        named = [("CFSR", self.cfsr, CFSR_BITS), ("HFSR", self.hfsr, HFSR_BITS)]
        parts = [f"{name} {value:#010x} ({flags(value, bits)})" for name, value, bits in named if value]
        if self.bfar is not None:
            parts.append(f"BFAR {self.bfar:#010x}")
        return ", ".join([self.taken, *parts]) + (f"; {self.why}" if self.why else "")


def flags(value: int, bits: dict[str, int]) -> str:
    """The names of the bits that are set in `value`, lowest first."""
    return ", ".join(name for name, bit in bits.items() if value >> bit & 1)


def predict(fault: Fault, board: Board, registers: dict[str, int]) -> Status | None:
    """The status after `fault`, None for what is no fault on a board (a reset).

    `registers` are those at the fault: "xpsr" says which exception was active, "primask" and "faultmask" what was kept
    out, "shcsr" which handlers are enabled; without it, none is taken to be.
    """
    if fault.kind is FaultKind.NO_VECTORS:
        return Status("lock-up", why="the core has no address to start from")
    hard = not board.core.architecture.has_fault_status
    active = registers.get("xpsr", 0) & 0x1FF
    if active in (_HARD_FAULT, _NMI):
        name = "HardFault" if active == _HARD_FAULT else "NMI"
        return Status("lock-up", why=f"a fault in the handler of {name} stops the core until a reset")
    if registers.get("faultmask"):
        return Status("lock-up", why="FAULTMASK is set, and a fault under it stops the core until a reset")
    if fault.kind is FaultKind.BREAKPOINT:
        return Status("HardFault", hfsr=0 if hard else 1 << HFSR_BITS["DEBUGEVT"], why="without a debugger")
    if fault.kind is FaultKind.SUPERVISOR_CALL:
        escalated = 0 if hard else 1 << HFSR_BITS["FORCED"]
        return Status("HardFault", hfsr=escalated, why="a supervisor call that cannot be taken at once becomes one")
    names = _flags(fault, active)
    if not names:
        return None
    if hard:
        return Status("HardFault", why=f"the {board.core.title} has no fault status registers")
    cfsr = sum(1 << CFSR_BITS[name] for name in names)
    taken, enable = next((name, bit) for name, end, bit in _CLASSES if CFSR_BITS[names[0]] < end)
    forced = _forced(registers, enable)
    return Status(
        taken=f"HardFault (a {taken} {forced})" if forced else taken,
        cfsr=cfsr,
        hfsr=1 << HFSR_BITS["FORCED"] if forced else 0,
        bfar=fault.address if "BFARVALID" in names else None,
        why=FAULT_MEANINGS[fault.kind].status_note,
    )


def _forced(registers: dict[str, int], enable: int) -> str:
    """Why the fault's own handler is not the one that is taken, "" when it is."""
    if not registers.get("shcsr", 0) & enable:
        return "whose handler is not enabled in SHCSR"
    return "that PRIMASK keeps out" if registers.get("primask") else ""


def _flags(fault: Fault, active: int) -> tuple[str, ...]:
    if fault.kind is FaultKind.EXCEPTION_RETURN and active:
        return ("INVPC",)
    if fault.kind is FaultKind.JUMP and never_executed(fault.address or 0):
        return ("IACCVIOL",)
    return FAULT_MEANINGS[fault.kind].status
