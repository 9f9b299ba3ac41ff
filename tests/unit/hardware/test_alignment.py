"""Which unaligned accesses are faults: by core, by instruction, and by what the program has switched on."""

from __future__ import annotations

import pytest

from mcu_harness.hardware.arm.alignment import unaligned
from mcu_harness.hardware.core import CORES

LDR, LDRH, LDM, PUSH, STM = (bytes.fromhex(code) for code in ("0868", "0888", "06c8", "10b5", "06c0"))
LDRD, LDREX, VLDR, LDRD_POST = (bytes.fromhex(code) for code in ("d2e90001", "51e8000f", "90ed000a", "f2e80201"))
LDR_WIDE, POP_WIDE = bytes.fromhex("d1f80400"), bytes.fromhex("bde8f083")


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m0+", "cortex-m23"])
def test_small_cores_are_strict_about_every_access(core: str) -> None:
    assert unaligned(0x20000001, 4, CORES[core], LDR)
    assert unaligned(0x20000002, 4, CORES[core], LDR)
    assert unaligned(0x20000001, 2, CORES[core], LDRH)
    assert not unaligned(0x20000002, 2, CORES[core], LDRH)
    assert not unaligned(0x20000003, 1, CORES[core])
    assert not unaligned(0x20000004, 4, CORES[core], LDR)


@pytest.mark.parametrize("core", ["cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"])
def test_large_cores_are_strict_about_several_words_and_exclusives(core: str) -> None:
    for lenient in (LDR, LDRH, LDR_WIDE):
        assert not unaligned(0x20000001, 4, CORES[core], lenient)
        assert unaligned(0x20000001, 4, CORES[core], lenient, traps=True)
    for strict in (LDM, STM, PUSH, LDRD, LDRD_POST, LDREX, VLDR, POP_WIDE):
        assert unaligned(0x20000002, 4, CORES[core], strict), strict.hex()
        assert not unaligned(0x20000004, 4, CORES[core], strict)
    assert not unaligned(0x20000004, 8, CORES[core], VLDR), "a double needs a word's alignment only"
