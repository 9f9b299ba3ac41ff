"""Where a jump to an even address went, told from the code of its block."""

from __future__ import annotations

import pytest

from mcu_harness.emulator.renode.even_jump import even_jump

AT, TARGET, STACK = 0x0800_0100, 0x0800_0200, 0x2000_1000
REGISTERS = {**{f"r{i}": i for i in range(13)}, "r3": TARGET, "sp": STACK + 4, "lr": TARGET + 0x10, "pc": AT}


@pytest.mark.parametrize(
    ("code", "jump", "target"),
    [
        ("1847", AT, TARGET),  # bx r3
        ("9847", AT, TARGET),  # blx r3
        ("00bf 4ff00102 1847", AT + 6, TARGET),  # nop; mov.w r2, #1; bx r3
        ("7047", AT, TARGET + 0x10),  # bx lr
        ("10bd", AT, 0x0800_0300),  # pop {r4, pc}
        ("bde81080", AT, 0x0800_0300),  # pop.w {r4, pc}
    ],
)
def test_jump_and_target_are_found(code: str, jump: int, target: int) -> None:
    data = bytes.fromhex(code)
    found = even_jump(AT, REGISTERS, lambda at, size: data[at - AT :][:size], {STACK: 0x0800_0300}.get)
    assert found == (jump, target)


@pytest.mark.parametrize(
    "code", ["00bf", "2047 ", "6047", "bde81000"]
)  # no jump; bx r4, bx ip to odd or 0; no pc in it
def test_what_cannot_be_told_is_not_made_up(code: str) -> None:
    data = bytes.fromhex(code)
    registers = {**REGISTERS, "r4": 1, "r12": 1}
    assert even_jump(AT, registers, lambda at, size: data[at - AT :][:size], {}.get) is None
