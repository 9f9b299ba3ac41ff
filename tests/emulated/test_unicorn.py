"""The embedded emulator on small firmware: windows, counts, console, ends. Oracles are a hook on every instruction,
and programs whose calls are known."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from small_firmware import SUM_OF_SQUARES, firmware, plan_for
from unicorn import unicorn_const
from unicorn.unicorn_py3.unicorn import Uc

from mcu_harness.analysis.profile.profile import profile
from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import STACK_PAINT, ExitReason, RunPlan, Window
from mcu_harness.emulator.emulators import EMULATORS, emulator_entry
from mcu_harness.emulator.select import select
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.emulator.unicorn.run import Run
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import board_names, find_board
from mcu_harness.image.program import Program
from mcu_harness.image.toolchain import Toolchain

CORES = {
    "cortex-m0": "stm32f072b_disco",
    "cortex-m0+": "nucleo_g071rb",
    "cortex-m3": "nucleo_f103rb",
    "cortex-m4": "stm32f4_discovery",
    "cortex-m7": "stm32f746g_disco",
    "cortex-m23": "ek_ra2e1",
    "cortex-m33": "nucleo_l552ze_q",
}
EMULATOR = UnicornEmulator()


@pytest.fixture(scope="module")
def m4() -> Board:
    return find_board("stm32f4_discovery")


def sum_of_squares(inputs: list[int]) -> list[int]:
    """What SUM_OF_SQUARES leaves in `output`."""
    total, output = 0, [0] * 4
    for i in range(1000):
        x = (inputs[i & 3] + i) & 0xFFFFFFFF
        total = (total + x * x + (3 if x & 1 else 5)) & 0xFFFFFFFF
        output[i & 3] = total
    return output


def words(values: list[int]) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)


@pytest.mark.parametrize("board_name", CORES.values(), ids=CORES)
def test_inputs_go_in_and_outputs_come_out_of_every_window(board_name: str, firmware_cache: Path) -> None:
    board = find_board(board_name)
    program = firmware(board, SUM_OF_SQUARES, firmware_cache)
    into, out = program.symbol("input").address, program.symbol("output").address
    inputs = [[1, 2, 3, 4], [5, 6, 7, 8], [0, 0xFFFFFFFF, 9, 1]]
    windows = [Window(((into, words(values)),), ((out, 16), (into, 4))) for values in inputs]
    execution = EMULATOR.run(program, board, plan_for(program, windows))
    assert execution.reason is ExitReason.FINISHED
    assert execution.status == 0
    assert [reads[0] for reads in execution.reads] == [words(sum_of_squares(values)) for values in inputs]
    assert [reads[1] for reads in execution.reads] == [words(values[:1]) for values in inputs]
    assert len(execution.window_instructions) == 3


@pytest.mark.parametrize("board_name", board_names())
def test_every_board_starts_and_talks(board_name: str, firmware_cache: Path) -> None:
    board = find_board(board_name)
    assert EMULATOR.supports(board) == ""
    program = firmware(board, SUM_OF_SQUARES, firmware_cache)
    execution = EMULATOR.run(program, board, plan_for(program))
    assert (execution.reason, execution.status) == (ExitReason.FINISHED, 0)
    assert execution.console == "mcu-harness: start\r\nmcu-harness: done\r\n"


def instructions_by_stepping(program: Program, board: Board, plan: RunPlan) -> list[int]:
    """Instructions of each window, counted by a hook on every single one: the opinion of another mechanism."""
    run = Run(program, board, plan)
    counted = [0]
    windows: list[int] = []
    run._engine.core.hook_add(unicorn_const.UC_HOOK_CODE, lambda *_: counted.__setitem__(0, counted[0] + 1))
    edges = run._windows
    edges.open, opened = lambda pc: (windows.append(-counted[0]), opened(pc))[1], edges.open  # type: ignore[method-assign]

    def close() -> None:
        windows[-1] += counted[0]
        closed()

    edges.close, closed = close, edges.close  # type: ignore[method-assign]
    run.execute()
    return windows


# Without conditional execution: hooks on instructions are not called for those that an IT block skips.
NO_IF_THEN = """
volatile uint32_t values[64];
__attribute__((noinline)) static uint32_t mix(uint32_t a, uint32_t b) { return (a << 5 | a >> 27) ^ b * 2654435761u; }
void mcu_infer(void) {
    uint32_t state = 1;
    for (uint32_t round = 0; round < 20; round++)
        for (uint32_t i = 0; i < 64; i++) { state = mix(state, values[i] + round); values[i] = state; }
}
"""


@pytest.mark.gnu  # clang would make IT blocks of this
@pytest.mark.parametrize("board_name", CORES.values(), ids=CORES)
def test_instructions_are_those_that_a_hook_on_each_of_them_counts(board_name: str, firmware_cache: Path) -> None:
    board = find_board(board_name)
    program = firmware(board, NO_IF_THEN, firmware_cache, "gnu")
    plan = plan_for(program, [Window()] * 3)
    execution = EMULATOR.run(program, board, plan)
    assert list(execution.window_instructions) == instructions_by_stepping(program, board, plan)
    blocks = execution.blocks
    assert blocks is not None
    executed = int((blocks.edge_count * blocks.block_instructions[blocks.edge_current]).sum())
    assert executed == sum(execution.window_instructions)


def test_counting_alone_gives_the_same_instructions(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, SUM_OF_SQUARES, firmware_cache)
    plan = plan_for(program, [Window()] * 3)
    profiled, counted = EMULATOR.run(program, m4, plan), EMULATOR.run(program, m4, replace(plan, profile=False))
    assert counted.window_instructions == profiled.window_instructions
    assert counted.blocks is None


IF_THEN = """
__attribute__((naked, noinline)) void mcu_infer(void) {
    __asm__ volatile(
        "movs r0, #0\\n\\t"
        "movs r1, #10\\n"
        "1: lsrs r2, r1, #1\\n\\t"
        "itte cs\\n\\t"
        "addcs r0, #1\\n\\t"
        "addcs r0, #1\\n\\t"
        "subcc r0, #1\\n\\t"
        "subs r1, #1\\n\\t"
        "bne 1b\\n\\t"
        "bx lr");
}
"""


def test_instructions_that_an_if_then_block_skips_count(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, IF_THEN, firmware_cache)
    execution = EMULATOR.run(program, m4, plan_for(program))
    blocks = execution.blocks
    assert blocks is not None
    in_infer = [
        int(count * blocks.block_instructions[current])
        for current, count in zip(blocks.edge_current, blocks.edge_count, strict=True)
        if program.symbol("mcu_infer").address
        <= blocks.block_address[current]
        < program.symbol("mcu_infer").address + 32
    ]
    assert sum(in_infer) == 2 + 10 * 7 + 1


# Device registers are read and written from inside IT blocks, where memory hooks of the emulator corrupt programs.
DEVICE_IN_IF_THEN = """
volatile uint32_t results[2];
__attribute__((noinline)) static uint32_t step(uint32_t i) {
    uint32_t out = 0;
    __asm__ volatile(
        "cmp %1, #5\\n\\t"
        "itete lo\\n\\t"
        "ldrlo %0, [%2, #52]\\n\\t"
        "ldrhs %0, [%3]\\n\\t"
        "strlo %1, [%2, #52]\\n\\t"
        "movhs %0, #7\\n\\t"
        "adds %0, #1\\n\\t"
        : "=&r"(out) : "r"(i), "r"(0xE000ED00), "r"(0xE000ED00) : "cc", "memory");
    return out;
}
void mcu_infer(void) {
    uint32_t sum = 0;
    REGISTER(0xE000ED34) = 100;
    for (uint32_t i = 0; i < 10; i++) sum += step(i);
    results[0] = sum;
    results[1] = REGISTER(0xE000ED34);
}
"""


def test_devices_in_if_then_blocks_do_not_disturb_the_program(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, DEVICE_IN_IF_THEN, firmware_cache)
    window = Window(reads=((program.symbol("results").address, 8),))
    execution = EMULATOR.run(program, m4, plan_for(program, [window]))
    assert execution.reason is ExitReason.FINISHED, execution.detail
    # Five times the register's last value + 1 (100, then 0..3 as they were written), five times 7 + 1.
    assert execution.reads == ((words([100 + 0 + 1 + 2 + 3 + 5 + 5 * 8, 4]),),)


CALLS = """
typedef uint32_t (*function)(uint32_t);
volatile uint32_t sink;
__attribute__((noinline)) static uint32_t leaf(uint32_t x) { sink = x; return x + sink; }
__attribute__((noinline)) static uint32_t twice(uint32_t x) { return leaf(x) + leaf(x + 1); }
__attribute__((noinline)) static uint32_t recursive(uint32_t n) { return n == 0 ? leaf(0) : recursive(n - 1) + sink; }
__attribute__((noinline)) static uint32_t last_call(uint32_t x) { sink = x; return twice(x); }
static function volatile table[2] = {leaf, twice};
static void *saved[5];
__attribute__((noinline)) static void jump_out(void) { leaf(1); __builtin_longjmp(saved, 1); }
__attribute__((noinline)) static void dive(void) { leaf(2); jump_out(); sink = 3; }
__attribute__((noinline)) static void with_long_jump(void) {
    if (__builtin_setjmp(saved) == 0) dive();
    leaf(4);
}
void mcu_infer(void) {
    twice(1);
    sink = recursive(5);
    sink = last_call(2);
    for (uint32_t i = 0; i < 10; i++) sink = table[i & 1](i);
    with_long_jump();
    leaf(5);
}
"""


def plain(name: str) -> str:
    """A function's name in its source: GCC adds .constprop.0 and the like to copies that it specialises."""
    return name.partition(".")[0]


@pytest.mark.parametrize("board_name", CORES.values(), ids=CORES)
def test_call_tree_of_a_program_with_known_calls(board_name: str, toolchain: Toolchain, firmware_cache: Path) -> None:
    if toolchain.name == "zig" and board_name == CORES["cortex-m23"]:
        pytest.skip("LLVM's __builtin_setjmp for Armv8-M baseline loses the link register")
    board = find_board(board_name)
    program = firmware(board, CALLS, firmware_cache, toolchain.name)
    execution = EMULATOR.run(program, board, plan_for(program))
    assert execution.reason is ExitReason.FINISHED
    profiled = profile(execution, program, [], board)
    paths: list[tuple[str, ...]] = []
    for node in profiled.calls:
        above = paths[node.parent] if node.parent >= 0 else ()
        paths.append((*above, plain(node.name)))
    found = set(paths)
    root = ("mcu_infer",)
    assert {(*root, "twice"), (*root, "twice", "leaf"), (*root, "leaf")} <= found
    assert (*root, *["recursive"] * 6, "leaf") in found
    assert (*root, *["recursive"] * 7) not in found
    assert (*root, "last_call", "twice", "leaf") in found
    assert {(*root, "with_long_jump", "dive", "leaf"), (*root, "with_long_jump", "dive", "jump_out", "leaf")} <= found
    assert (*root, "with_long_jump", "leaf") in found
    assert not any(path[-1] in path[:-1] for path in found if path[-1] != "recursive")
    calls = {plain(function.name): function.calls for function in profiled.functions}
    leaf_calls = 2 + 1 + 2 + 5 + 5 * 2 + 3 + 1
    assert calls["leaf"] == leaf_calls
    assert calls["twice"] == 1 + 1 + 5
    assert calls["recursive"] == 6
    assert calls["mcu_infer"] == calls["last_call"] == calls["dive"] == calls["jump_out"] == 1


def test_functions_and_calls_are_everything_that_was_counted(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, CALLS, firmware_cache)
    execution = EMULATOR.run(program, m4, plan_for(program, [Window()] * 2))
    profiled = profile(execution, program, ["twice", "recursive"], m4)
    assert 0 < sum(layer.instructions for layer in profiled.layers) < profiled.instructions
    assert 0 < sum(layer.cycles or 0 for layer in profiled.layers) < (profiled.cycles or 0)
    assert profiled.instructions * 2 == sum(execution.window_instructions)
    assert all(layer.instructions > 0 for layer in profiled.layers)
    assert sum(node.self_instructions for node in profiled.calls) == profiled.instructions
    assert sum(function.self_instructions for function in profiled.functions) == profiled.instructions


STACK = """
volatile uint8_t sink;
__attribute__((noinline)) static void fill(volatile uint8_t *bytes) { for (int i = 0; i < 600; i++) bytes[i] = 1; }
__attribute__((noinline)) static void deep(void) { volatile uint8_t local[600]; fill(local); sink = local[0]; }
void mcu_infer(void) { deep(); }
"""


def test_stack_use_is_seen_from_outside(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, STACK, firmware_cache)
    execution = EMULATOR.run(program, m4, plan_for(program))
    low, high = program.symbol("__stack_limit").address, program.symbol("__stack_top").address
    assert len(execution.stack_bytes) == high - low
    assert execution.stack_bytes[0] == STACK_PAINT
    used = profile(execution, program, [], m4).stack_hwm_bytes
    assert used is not None
    assert 600 < used < 800


def test_the_time_limit_ends_a_run(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, "volatile uint32_t x; void mcu_infer(void) { for (;;) x++; }", firmware_cache)
    execution = EMULATOR.run(program, m4, plan_for(program, timeout_s=0.3, max_instructions=1 << 50))
    assert execution.reason is ExitReason.TIMEOUT
    assert execution.detail == "not finished after 0.3 s"


def test_the_instruction_limit_is_not_exceeded(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, "volatile uint32_t x; void mcu_infer(void) { for (;;) x++; }", firmware_cache)
    execution = EMULATOR.run(program, m4, plan_for(program, max_instructions=5_000_000))
    assert execution.reason is ExitReason.INSTRUCTION_LIMIT
    assert execution.blocks is not None
    blocks = execution.blocks
    executed = int((blocks.edge_count * blocks.block_instructions[blocks.edge_current]).sum())
    assert 4_900_000 < executed <= 5_000_000


def test_an_exit_before_all_windows_is_told(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, "void mcu_infer(void) { mcu_exit(3); }", firmware_cache)
    execution = EMULATOR.run(program, m4, plan_for(program, [Window()] * 2))
    assert (execution.reason, execution.status) == (ExitReason.STOPPED_EARLY, 3)
    assert "2 of 2" in execution.detail


def test_a_negative_status_keeps_its_sign(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, "void mcu_infer(void) { mcu_exit(-2); }", firmware_cache)
    execution = EMULATOR.run(program, m4, replace(plan_for(program), windows=()))
    assert (execution.reason, execution.status) == (ExitReason.FINISHED, -2)


def test_a_program_without_windows_is_counted_from_reset_to_exit(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, SUM_OF_SQUARES, firmware_cache)
    execution = EMULATOR.run(program, m4, replace(plan_for(program), windows=()))
    assert execution.reason is ExitReason.FINISHED
    assert len(execution.window_instructions) == 1
    profiled = profile(execution, program, ["mcu_infer"], m4)
    assert profiled.calls[0].name == "mcu_reset"
    assert 0 < profiled.layers[0].instructions < profiled.instructions == execution.window_instructions[0]


SEMIHOSTING = """
static int call(int operation, const void *argument) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}
void mcu_infer(void) {
    const uint32_t open[3] = {(uint32_t)":tt", 4, 3};
    uint32_t handle = call(1, open);
    const uint32_t write[3] = {handle, (uint32_t)"two", 3};
    call(4, "one ");
    if (call(5, write) == 0) call(3, "!");
    const uint32_t missing[3] = {(uint32_t)"file.txt", 0, 8};
    if (call(1, missing) == -1) call(4, " no file");
    const uint32_t exit[2] = {0x20026, 42};
    call(0x20, exit);
}
"""


def test_semihosting_writes_and_exits(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, SEMIHOSTING, firmware_cache)
    execution = EMULATOR.run(program, m4, replace(plan_for(program), windows=(), exit=None))
    assert (execution.reason, execution.status) == (ExitReason.FINISHED, 42)
    assert execution.console.endswith("one two! no file")


COUNTER = """
volatile uint32_t elapsed[2];
__attribute__((noinline)) static void work(void) { for (volatile uint32_t i = 0; i < 100; i++) {} }
void mcu_infer(void) {
    REGISTER(0xE000EDFC) |= 1u << 24;
    REGISTER(0xE0001000) |= 1;
    REGISTER(0xE0001004) = 0;
    work();
    elapsed[0] = REGISTER(0xE0001004);
    REGISTER(0xE000E014) = 0xFFFFFF;
    REGISTER(0xE000E018) = 0;
    REGISTER(0xE000E010) = 5;
    work();
    elapsed[1] = 0xFFFFFF - REGISTER(0xE000E018);
}
"""


def test_counters_of_the_core_count_instructions(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, COUNTER, firmware_cache)
    window = Window(reads=((program.symbol("elapsed").address, 8),))
    execution = EMULATOR.run(program, m4, plan_for(program, [window]))
    work = next(f for f in profile(execution, program, [], m4).functions if f.name == "work").self_instructions / 2
    data = execution.reads[0][0]
    for counted in (int.from_bytes(data[:4], "little"), int.from_bytes(data[4:], "little")):
        assert work <= counted <= work + 30


def test_an_unaligned_access_is_a_fault_where_the_core_cannot(firmware_cache: Path) -> None:
    code = """
    volatile uint32_t x[2];
    void mcu_infer(void) { uintptr_t p = (uintptr_t)x + 1; __asm__("" : "+r"(p)); x[0] = REGISTER(p); }
    """
    for core, board_name in CORES.items():
        board = find_board(board_name)
        program = firmware(board, code, firmware_cache)
        execution = EMULATOR.run(program, board, plan_for(program))
        if core in ("cortex-m0", "cortex-m0+"):
            assert execution.reason is ExitReason.FAULT
            assert "not aligned" in execution.detail
        elif core != "cortex-m23":  # runs as the larger Cortex-M33, which can
            assert execution.reason is ExitReason.FINISHED


def test_instructions_of_larger_cores_are_faults_on_a_cortex_m0(firmware_cache: Path) -> None:
    board = find_board("stm32f072b_disco")
    for name, halfwords in {"udiv": "0xfbb1, 0xf2f2", "smuad": "0xfb21, 0xf002", "vadd": "0xee30, 0x0a20"}.items():
        code = f'void mcu_infer(void) {{ __asm__ volatile(".hword {halfwords}"); }}'
        execution = EMULATOR.run(program := firmware(board, code, firmware_cache), board, plan_for(program))
        assert execution.reason is ExitReason.FAULT, name
        assert "the core has no instruction" in execution.detail


def test_memory_ends_where_the_boards_does(m4: Board, firmware_cache: Path) -> None:
    for address, reason in ((m4.data_memory.end - 4, ExitReason.FINISHED), (m4.data_memory.end, ExitReason.FAULT)):
        program = firmware(m4, f"void mcu_infer(void) {{ REGISTER({address:#x}); }}", firmware_cache)
        execution = EMULATOR.run(program, m4, plan_for(program))
        assert execution.reason is reason
        assert reason is ExitReason.FINISHED or f"at {address:#010x}" in execution.detail


def test_an_alias_is_the_same_memory(firmware_cache: Path) -> None:
    board = find_board("nrf52840dk")
    code = (
        "volatile uint32_t x, y; void mcu_infer(void) { x = 77; y = REGISTER((uintptr_t)&x - 0x20000000 + 0x800000); }"
    )
    program = firmware(board, code, firmware_cache)
    window = Window(reads=((program.symbol("y").address, 4),))
    execution = EMULATOR.run(program, board, plan_for(program, [window]))
    assert execution.reads == ((words([77]),),)


RAM_CODE = """
__attribute__((section(".data.code"), noinline, long_call)) uint32_t in_ram(uint32_t x) { return x * 3 + 1; }
volatile uint32_t result;
void mcu_infer(void) { result = in_ram(result + 5); }
"""


@pytest.mark.gnu
def test_code_in_ram_is_profiled(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, RAM_CODE, firmware_cache, "gnu")
    execution = EMULATOR.run(program, m4, plan_for(program))
    profiled = profile(execution, program, ["in_ram"], m4)
    assert profiled.layers[0].instructions > 1
    assert profiled.layers[0].cycles is not None


def test_double_precision_runs_on_a_cortex_m7(firmware_cache: Path) -> None:
    board = find_board("nucleo_h753zi")
    code = (
        "volatile double a = 1.5, b = 2.25; volatile uint32_t r; void mcu_infer(void) { r = (uint32_t)(a * b * 1000); }"
    )
    program = firmware(board, code, firmware_cache)
    execution = EMULATOR.run(program, board, plan_for(program, [Window(reads=((program.symbol("r").address, 4),))]))
    assert execution.reads == ((words([3375]),),)


def test_a_program_for_another_memory_map_is_refused(m4: Board, firmware_cache: Path) -> None:
    other = find_board("nrf5340dk")
    program = firmware(find_board("mimxrt1064_evk"), SUM_OF_SQUARES, firmware_cache)
    with pytest.raises(EmulatorError, match="does not lie in one memory of the board"):
        EMULATOR.run(program, other, plan_for(program))


def test_an_image_without_a_vector_table_is_a_fault(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, SUM_OF_SQUARES, firmware_cache)
    execution = EMULATOR.run(program, replace(m4, vector_offset=0x80000), plan_for(program))
    assert execution.reason is ExitReason.FAULT
    assert execution.detail.startswith("no vector table at 0x08080000")


def test_a_window_that_begins_where_it_ends_is_refused(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, SUM_OF_SQUARES, firmware_cache)
    plan = plan_for(program)
    with pytest.raises(EmulatorError, match="begin and end at the same address"):
        EMULATOR.run(program, m4, replace(plan, end=plan.begin))


def test_memory_that_is_not_whole_pages_is_refused_with_its_name(m4: Board) -> None:
    odd = tuple(replace(memory, size=memory.size - 100) if memory.name == "sram" else memory for memory in m4.memories)
    assert "'sram'" in EMULATOR.supports(replace(m4, memories=odd))


def test_emulators_are_found_by_name() -> None:
    assert emulator_entry("unicorn").make().name == "unicorn"
    assert select("auto", find_board("stm32f4_discovery")).entry in EMULATORS
    assert select("unicorn", find_board("stm32f4_discovery")).entry.name == "unicorn"
    assert emulator_entry("unicorn").supports(find_board("stm32f4_discovery")) == ""
    with pytest.raises(EmulatorError, match="no emulator named 'qemu'"):
        emulator_entry("qemu")


ENDLESS = "volatile uint32_t x; void mcu_infer(void) { for (;;) x++; }"


class StopTest(Exception):
    """What a handler of somebody's own raises."""


def stop(*_: object) -> None:
    raise StopTest


@pytest.fixture
def handled() -> Iterator[Callable[[signal.Signals, Callable[..., object]], None]]:
    """Installs handlers for the time of the test, whatever this process inherited."""
    before: dict[signal.Signals, object] = {}

    def install(number: signal.Signals, handler: Callable[..., object]) -> None:
        before[number] = signal.signal(number, handler)

    yield install
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in before.items():
        signal.signal(number, handler)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "handler", "raised"),
    [
        (signal.SIGINT, signal.default_int_handler, KeyboardInterrupt),
        (signal.SIGTERM, stop, StopTest),
        (signal.SIGUSR1, stop, StopTest),
    ],
)
def test_what_the_handler_of_a_signal_raises_ends_a_run_and_reaches_its_caller(  # type: ignore[no-untyped-def]
    m4: Board, firmware_cache: Path, handled, number: signal.Signals, handler, raised: type[BaseException]
) -> None:
    handled(number, handler)
    program = firmware(m4, ENDLESS, firmware_cache)
    threading.Timer(0.3, os.kill, (os.getpid(), number)).start()
    with pytest.raises(raised):
        EMULATOR.run(program, m4, plan_for(program, max_instructions=1 << 50))
    assert signal.getsignal(number) is handler


def test_an_alarm_that_raises_is_no_run_that_passes(m4: Board, firmware_cache: Path, handled) -> None:  # type: ignore[no-untyped-def]
    """pytest-timeout's way: the alarm comes in the middle of a run, wherever that is."""
    handled(signal.SIGALRM, stop)
    program = firmware(m4, ENDLESS, firmware_cache)
    for delay_s in (0.01, 0.05, 0.2):
        signal.setitimer(signal.ITIMER_REAL, delay_s)
        with pytest.raises(StopTest):
            EMULATOR.run(program, m4, plan_for(program, max_instructions=1 << 50))


def test_a_handler_that_raises_nothing_ends_nothing(m4: Board, firmware_cache: Path, handled) -> None:  # type: ignore[no-untyped-def]
    calls = []
    handled(signal.SIGALRM, lambda *_: calls.append(1))
    program = firmware(m4, SUM_OF_SQUARES, firmware_cache)
    expected = EMULATOR.run(program, m4, plan_for(program)).window_instructions
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    for _ in range(5):
        assert EMULATOR.run(program, m4, plan_for(program)).window_instructions == expected
    assert calls


def test_a_run_leaves_no_engine_behind(m4: Board, firmware_cache: Path) -> None:
    program = firmware(m4, SUM_OF_SQUARES, firmware_cache)
    gc.collect()
    gc.disable()
    try:
        EMULATOR.run(program, m4, plan_for(program))
        assert not [thing for thing in gc.get_objects() if isinstance(thing, Uc)]
    finally:
        gc.enable()


def test_an_error_inside_a_device_is_not_lost(m4: Board, firmware_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("device is broken")

    monkeypatch.setattr("mcu_harness.emulator.unicorn.uart.UartRegisters.write", broken)
    program = firmware(m4, SUM_OF_SQUARES, firmware_cache)
    with pytest.raises(RuntimeError, match="device is broken"):
        EMULATOR.run(program, m4, plan_for(program))
