"""What a fault is called, and all that is said of it, does not depend on the emulator, nor on the version of Renode."""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_programs import FAULTS, FAULTS_OF_EXCEPTIONS, exception_program, program

from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.results.records import Finding
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.firmware_tables import FirmwareSpec, Region
from mcu_harness.scenario.scenario import scenario_for_firmware
from user_firmware import START, build

pytestmark = [pytest.mark.gnu, pytest.mark.renode, pytest.mark.usefixtures("renode_install")]

# Renode performs exclusive accesses wherever they are: docs/howto/faults.md.
NOT_NOTICED = "exclusive-access-that-is-not-aligned"

ENABLED = "*(volatile unsigned *)0xE000ED24 = 7u << 16;"  # the handlers of MemManage, BusFault and UsageFault
# (code, start file) of what needs more than the code of a function.
OTHERS = {
    "bus-fault-that-is-enabled": (program(f"{ENABLED} return *(volatile int *)0x30000004;"), START),
    "under-faultmask": (
        program(f'{ENABLED} __asm__ volatile("cpsid f"); return *(volatile int *)0x30000004;'), START,
    ),
    "under-primask": (
        program(f'{ENABLED} __asm__ volatile("cpsid i"); return *(volatile int *)0x30000004;'), START,
    ),
    "undefined-under-primask": (program('__asm__ volatile("cpsid i\\n udf #1"); return 0;'), START),
    "in-the-handler-of-nmi": (
        program("*(volatile unsigned *)0xE000ED04 = 1u << 31; return 0;")
        + 'void NMI_Handler(void) { __asm__ volatile("udf #1"); }\n',
        START.replace("(void *)Default_Handler, (void *)HardFault", "(void *)NMI_Handler, (void *)HardFault").replace(
            "int main(void);", "int main(void);\nvoid NMI_Handler(void);", 1
        ),
    ),
    "supervisor-call-in-a-handler-of-its-priority": (
        program('*(volatile unsigned *)0xE000ED04 = 1u << 28; __asm__ volatile("dsb\\n isb"); return 0;')
        + 'void PendSV_Handler(void) { __asm__ volatile("svc #0"); }\n',
        START.replace("int main(void);", "int main(void);\nvoid PendSV_Handler(void);", 1).replace(
            "(void *)HardFault_Handler,",
            "(void *)HardFault_Handler, [14] = (void *)PendSV_Handler, [11] = (void *)Default_Handler,", 1,
        ),
    ),
    "interrupt-in-the-default-handler": (
        program("*(volatile unsigned *)0xE000E104 = 1u << 5; *(volatile unsigned *)0xE000E204 = 1u << 5; return n;"),
        START.replace("vectors[16]", "vectors[80]").replace(
            "(void *)HardFault_Handler,", "(void *)HardFault_Handler, [37 + 16] = (void *)Default_Handler,"
        ),
    ),
}  # fmt: skip
PROGRAMS = {
    **{name: (program(body), START) for name, (body, *_) in FAULTS.items() if name != NOT_NOTICED},
    **{name: (exception_program(name), START) for name in FAULTS_OF_EXCEPTIONS},
    **OTHERS,
}


def said(session: Session, elf: Path, emulator: str, regions: tuple[Region, ...]) -> list[Finding]:
    spec = FirmwareSpec(image=str(elf), regions=regions)
    (case,) = cases_of(scenario_for_firmware(elf, ("stm32f4_discovery",), spec))
    return list(session.run(case, Options(emulator=emulator), gated=False).findings)


@pytest.mark.parametrize("name", PROGRAMS)
def test_all_that_is_said_of_a_fault_is_the_same_in_both_emulators(session: Session, tmp_path: Path, name: str) -> None:
    code, start = PROGRAMS[name]
    elf = build(tmp_path, code, start=start)
    regions = (Region("network", ("infer",)),) if "infer" in code else ()
    there, here = (said(session, elf, emulator, regions) for emulator in ("renode", "unicorn"))
    assert [finding.code for finding in there] == [finding.code for finding in here]
    for one, other in zip(there, here, strict=True):
        assert (one.message, one.details, one.advice) == (other.message, other.details, other.advice)
    assert any(finding.verdict == "fail" for finding in here)
