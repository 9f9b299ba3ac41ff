"""Where Renode can call no machine code of ours at a block, a method notes blocks, or Renode's own hook does: with the same counts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from small_firmware import firmware, plan_for

from mcu_harness.emulator.contract import BlockCounts
from mcu_harness.emulator.renode import server
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.emulator.renode.find import Install
from mcu_harness.hardware.board_file import find_board

pytestmark = pytest.mark.renode

# Calls and branches both ways, in flash and in RAM, where code is told on its way.
CODE = """
volatile uint32_t total;
__attribute__((noinline, long_call, section(".data.code"))) uint32_t in_ram(uint32_t x) { return x & 4 ? x * 3 : x + 1; }
__attribute__((noinline)) static uint32_t square(uint32_t x) { return x * x + (x & 1 ? 3 : 5); }
void mcu_infer(void) {
    for (uint32_t i = 0; i < 5000; i++) total += square(i) + in_ram(i);
}
"""

# What another machine or another Renode lacks, taken out of the C# that this one compiles.
LACKING = {
    "machine code": ("MachineCode.Place(stateAt) ?? ", ""),
    "the translator's names": (
        "                Filter();\n",
        '                throw new MissingFieldException("TlibOnBlockBegin");\n',
    ),
}


def counted(blocks: BlockCounts | None) -> Counter[tuple[int, int]]:
    """(context's entry, address of a block) -> how often it ran."""
    assert blocks is not None
    counts: Counter[tuple[int, int]] = Counter()
    for context, block, count in zip(blocks.edge_context, blocks.edge_current, blocks.edge_count, strict=True):
        counts[int(blocks.context_entry[context]), int(blocks.block_address[block])] += int(count)
    return counts


@pytest.fixture(scope="module")
def as_usual(renode: RenodeEmulator, firmware_cache: Path) -> Counter[tuple[int, int]]:
    return run(renode, firmware_cache)


def run(emulator: RenodeEmulator, cache: Path) -> Counter[tuple[int, int]]:
    board = find_board("stm32f4_discovery")
    program = firmware(board, CODE, cache)
    return counted(emulator.run(program, board, plan_for(program)).blocks)


@pytest.mark.parametrize("lacking", LACKING)
def test_blocks_are_counted_without(
    lacking: str,
    as_usual: Counter[tuple[int, int]],
    renode_install: Install,
    firmware_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, (text, instead) = server.csharp_source(), LACKING[lacking]
    assert source.count(text) == 1
    monkeypatch.setattr(server, "csharp_source", lambda: source.replace(text, instead))
    own = RenodeEmulator(renode_install)
    try:
        assert run(own, firmware_cache) == as_usual
    finally:
        own.close()
    assert as_usual.total() > 20_000 and any(address >= 0x2000_0000 for _, address in as_usual)
