"""The M-profile architectures: what all cores of one have in common beyond their instruction set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """One architecture. `name` is Arm's short one ("armv7e-m"), `title` the one for people.

    `baseline`: the small architectures (Armv6-M, the Armv8-M baseline), which have no BASEPRI and two bits of priority
    (B3.4 of DDI 0419; others have three at least, and parts with them mostly four), every fault as a HardFault without
    status registers (DDI 0419, B1.5.6), and no access that is not aligned (A3.2). `v8`: EXC_RETURN says which security
    state is returned to (DDI 0553, B3.22).
    """

    name: str
    title: str
    baseline: bool = False
    v8: bool = False

    @property
    def work_registers(self) -> int:
        """Registers that arithmetic can use freely: r0 to r7 of the small architectures (DDI 0419, A5.1), r0 to r12 and lr."""
        return 8 if self.baseline else 14

    @property
    def has_unaligned(self) -> bool:
        """Whether loads and stores of a halfword or word may have any address."""
        return not self.baseline

    @property
    def has_fault_status(self) -> bool:
        """Whether there are fault status registers, and handlers for single kinds of faults."""
        return not self.baseline

    @property
    def priority_mask(self) -> int:
        """The bits of an exception's priority that are implemented."""
        return 0xC0 if self.baseline else 0xF0

    @property
    def first_return(self) -> int:
        """EXC_RETURN without the bits that say what to return to."""
        return 0xFFFFFFA0 if self.v8 else 0xFFFFFFE1


V6 = Architecture("armv6-m", "Armv6-M", baseline=True)
V7 = Architecture("armv7-m", "Armv7-M")
V7E = Architecture("armv7e-m", "Armv7-M with DSP")
V8_BASELINE = Architecture("armv8-m.base", "the Armv8-M baseline", baseline=True, v8=True)
V8_MAINLINE = Architecture("armv8-m.main", "the Armv8-M mainline", v8=True)
