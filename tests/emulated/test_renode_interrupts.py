"""Exceptions are taken, return, and are counted: what the embedded emulator does not do."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_firmware import firmware, plan_for

from harness.board import Board, find_board
from harness.emulator import BlockCounts, ExitReason, Window
from harness.emulator.renode.emulator import RenodeEmulator

pytestmark = pytest.mark.renode

TABLE = """
static uint32_t table[16] __attribute__((aligned(128)));
static void install(uint32_t number, void (*handler)(void)) {
    const uint32_t *old = (const uint32_t *)REGISTER(0xE000ED08);
    for (uint32_t i = 0; i < 16; i++) {
        table[i] = old[i];
    }
    table[number] = (uint32_t)handler;
    REGISTER(0xE000ED08) = (uint32_t)table;
}
"""
TICKS = """
volatile uint32_t ticks;
void tick(void) { ticks++; }
void mcu_infer(void) {
    install(15, tick);
    REGISTER(0xE000E014) = 9999;
    REGISTER(0xE000E018) = 0;
    REGISTER(0xE000E010) = 7;
    while (ticks < 5) { WAIT }
    REGISTER(0xE000E010) = 0;
}
"""
SUPERVISOR = """
volatile uint32_t calls;
void called(void) { calls++; }
__attribute__((naked, noinline)) static void call_twice(void) {
    __asm__ volatile("nop\\n\\tsvc #1\\n\\tnop\\n\\tsvc #2\\n\\tbx lr");
}
void mcu_infer(void) {
    install(11, called);
    call_twice();
}
"""


@pytest.fixture(scope="module")
def board() -> Board:
    return find_board("stm32f4_discovery")


def counted(blocks: BlockCounts | None) -> int:
    assert blocks is not None
    return int((blocks.edge_count * blocks.block_instructions[blocks.edge_current]).sum())


@pytest.mark.parametrize("profile", [True, False], ids=["profile", "count"])
def test_systick_interrupts_at_its_rate(
    renode: RenodeEmulator, board: Board, firmware_cache: Path, profile: bool
) -> None:
    program = firmware(board, TABLE + TICKS.replace("WAIT", ""), firmware_cache)
    reads = ((program.symbol("ticks").address, 4),)
    execution = renode.run(program, board, plan_for(program, [Window(reads=reads)], profile=profile))
    assert (execution.reason, execution.detail) == (ExitReason.FINISHED, "")
    assert int.from_bytes(execution.reads[0][0], "little") == 5
    assert 50_000 <= execution.window_instructions[0] < 50_400
    if profile:
        assert counted(execution.blocks) == execution.window_instructions[0]
        assert execution.blocks is not None
        assert (execution.blocks.context_entry == program.symbol("tick").address).any()


def test_core_that_waits_for_interrupts_sleeps_through_the_time_between(
    renode: RenodeEmulator, board: Board, firmware_cache: Path
) -> None:
    program = firmware(board, TABLE + TICKS.replace("WAIT", '__asm__ volatile("wfi");'), firmware_cache)
    execution = renode.run(program, board, plan_for(program))
    assert (execution.reason, execution.detail) == (ExitReason.FINISHED, "")
    assert execution.window_instructions[0] < 1_000
    assert counted(execution.blocks) == execution.window_instructions[0]


def test_supervisor_calls_return_and_every_instruction_is_counted_where_it_is(
    renode: RenodeEmulator, board: Board, firmware_cache: Path
) -> None:
    program = firmware(board, TABLE + SUPERVISOR, firmware_cache)
    reads = ((program.symbol("calls").address, 4),)
    execution = renode.run(program, board, plan_for(program, [Window(reads=reads)]))
    assert (execution.reason, execution.detail) == (ExitReason.FINISHED, "")
    assert int.from_bytes(execution.reads[0][0], "little") == 2
    assert counted(execution.blocks) == execution.window_instructions[0]
    blocks = execution.blocks
    assert blocks is not None
    function = program.symbol("call_twice")
    inside = (blocks.block_address >= function.address) & (blocks.block_address < function.address + function.size)
    in_function = inside[blocks.edge_current]
    assert (blocks.edge_count * blocks.block_instructions[blocks.edge_current])[in_function].sum() == 5
    starts = {int(address) - function.address for address in blocks.block_address[inside]}
    assert starts == {0, 4, 8}
