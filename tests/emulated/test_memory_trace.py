"""The memory trace: it changes nothing, it counts what was accessed, and it finds reads of what was never written."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from renode_accesses import accesses as renode_accesses
from small_firmware import firmware, plan_for

from firmware_runs import BOARD, codes
from mcu_harness.analysis.address_names import Places
from mcu_harness.analysis.memory import access_counts
from mcu_harness.analysis.memory.objects import Layout, MemoryObjects, cuts
from mcu_harness.analysis.profile.profile import profile
from mcu_harness.analysis.result_tables import arena_blocks
from mcu_harness.app.inference_plan import run_plan
from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.emulator.contract import Execution, RunPlan, TraceRequest, Window
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.arm.data_access import accesses
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.build import build
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import find_toolchain
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.samples import model_graph, samples_for
from mcu_harness.results.access_records import MemoryAccesses
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.firmware_tables import FirmwareSpec
from mcu_harness.scenario.scenario import InputSpec, scenario_for_firmware
from user_firmware import build as build_user

MODELS = Path(__file__).parents[2] / "scenarios" / "models"
WHOLE = TraceRequest(whole=True)
gnu = pytest.mark.gnu


def traced(image: Path, emulator: str = "unicorn", board: str = BOARD, **options: object) -> RunResult:
    """A run of the user's own firmware with a memory trace."""
    spec = FirmwareSpec(image=str(image), **options)  # type: ignore[arg-type]
    (case,) = cases_of(scenario_for_firmware(image, (board,), spec))
    session = Session()
    try:
        return session.run(case, Options(emulator=emulator, memory_trace=True), gated=False)
    finally:
        session.close()


def of(result: RunResult, name: str) -> tuple[float, float, float, float]:
    """Reads, bytes read, writes and bytes written of what is called `name`, over all layers."""
    assert result.accesses is not None
    rows = [a for a in result.accesses.accesses if result.accesses.objects[a.object].name == name]
    return (
        sum(row.reads for row in rows),
        sum(row.read_bytes for row in rows),
        sum(row.writes for row in rows),
        sum(row.written_bytes for row in rows),
    )


# It changes nothing.

CONDITIONAL = """
volatile uint32_t in[64], out[64], skipped[4], result;
__attribute__((noinline)) static uint32_t pick(const volatile uint32_t *from, volatile uint32_t *to, volatile uint32_t *never) {
    uint32_t got = 7;
    __asm__ volatile(
        "ldr r3, [%1]\\n cmp r3, #32\\n itete lt\\n"
        "ldrlt %0, [%1]\\n strge r3, [%2]\\n strlt r3, [%2, #4]\\n ldrge %0, [%1, #4]\\n"
        "cmp r3, #1000\\n itt eq\\n streq r3, [%3]\\n ldmeq %3, {r4, r5}\\n"
        : "+r"(got) : "r"(from), "r"(to), "r"(never) : "r3", "r4", "r5", "cc", "memory");
    return got;
}
void mcu_infer(void) {
    for (uint32_t i = 0; i < 62; i++) in[i] = i;
    uint32_t total = 0;
    for (uint32_t i = 0; i < 62; i++) total = total * 31 + pick(&in[i], &out[i], skipped);
    result = total;
}
"""


def pick(values: list[int]) -> int:
    total = 0
    for at, value in enumerate(values[:62]):
        total = (total * 31 + (value if value < 32 else values[at + 1])) & 0xFFFF_FFFF
    return total


def alike(one: Execution, other: Execution) -> None:
    assert one.reads == other.reads
    assert one.registers == other.registers
    assert one.window_instructions == other.window_instructions
    assert one.stack_bytes == other.stack_bytes
    assert (one.reason, one.status, one.console) == (other.reason, other.status, other.console)
    assert one.blocks is not None
    assert other.blocks is not None
    assert np.array_equal(one.blocks.edge_count, other.blocks.edge_count)


@gnu
def test_accesses_in_it_blocks_happen_as_without_a_trace_and_skipped_ones_are_not_counted(firmware_cache: Path) -> None:
    board = find_board(BOARD)
    program = firmware(board, CONDITIONAL, firmware_cache, "gnu")
    result, out = program.symbol("result"), program.symbol("out")
    plan = plan_for(program, [Window(reads=((result.address, 4), (out.address, out.size)))])
    plain = UnicornEmulator().run(program, board, plan)
    places = [program.symbol(name) for name in ("in", "out", "skipped")]
    bounds = tuple(edge for place in places for edge in (place.address, place.address + place.size))
    execution = UnicornEmulator().run(program, board, replace(plan, trace=replace(WHOLE, cuts=bounds)))
    alike(plain, execution)
    assert int.from_bytes(execution.reads[0][0], "little") == pick([*range(62), 0, 0])
    data = execution.whole
    assert data is not None

    def count(name: str, write: bool) -> int:
        rows = (data.low == program.symbol(name).address) & (data.write == write) & (data.context >= 0)
        return int(data.count[rows].sum())

    assert count("in", write=True) == 62
    assert count("in", write=False) == 62 + 32 + 30  # the one before the block, and one of two in it
    assert count("out", write=True) == 62
    assert count("skipped", write=True) == count("skipped", write=False) == 0


def model_run(model: Path, board_name: str, count: int = 1) -> tuple[Execution, Execution, Layout]:
    """A model's run without and with a trace."""
    board = find_board(board_name)
    graph = model_graph(model)
    memory = plan_memory(graph, board.target)
    sources = generate(graph, memory, board.target)
    program = read_program(build(sources, board, find_toolchain("auto")).elf)
    plan = run_plan(program, sources, graph, samples_for(model, InputSpec(seed=1, count=count)).inputs, sources.outputs)
    layout = Layout(program, board, plan.stack)
    emulator = UnicornEmulator()
    with_trace = replace(plan, trace=replace(WHOLE, cuts=cuts(layout)))
    return emulator.run(program, board, plan), emulator.run(program, board, with_trace), layout


@pytest.mark.parametrize("model", sorted(MODELS.glob("*.tflite")), ids=lambda path: path.stem)
def test_every_model_of_a_scenario_gives_the_same_with_a_trace(model: Path) -> None:
    plain, execution, _ = model_run(model, BOARD)
    alike(plain, execution)
    assert execution.whole is not None
    assert not execution.whole.unwritten.any(), "no kernel reads what was never written"
    assert not execution.whole.unaligned.any()


# It counts what was accessed.


def test_accesses_are_those_of_all_instructions_that_ran() -> None:
    """On a core without IT blocks every instruction of a block executes: blocks times their loads and stores."""
    _, execution, layout = model_run(MODELS / "digits.tflite", "stm32f072b_disco", count=2)
    data, blocks = execution.whole, execution.blocks
    assert data is not None
    assert blocks is not None
    each = [
        [(a.write, a.size) for _, a in accesses(code, int(address))]
        for code, address in zip(blocks.block_code, blocks.block_address, strict=True)
    ]
    inside = data.context >= 0
    for write in (False, True):
        counts = [sum(w == write for w, _ in block) for block in each]
        moved = [sum(size for w, size in block if w == write) for block in each]
        rows = inside & (data.write == write)
        assert int(data.count[rows].sum()) == int((blocks.edge_count * np.array(counts)[blocks.edge_current]).sum()) > 0
        expected = int((blocks.edge_count * np.array(moved)[blocks.edge_current]).sum())
        assert int((data.count * data.size)[rows].sum()) == expected
    objects = MemoryObjects(layout, execution.heap)
    named = access_counts.per_object(data, [], objects, windows=2)
    assert 2 * total(named) == int((data.count * data.size)[inside].sum())


def total(found: MemoryAccesses) -> float:
    return sum(row.read_bytes + row.written_bytes for row in found.accesses)


RENODE = """
volatile uint32_t words[16], sums[4]; volatile uint16_t halves[8]; volatile uint8_t bytes[9]; volatile uint64_t longs[3];
volatile float floats[6]; volatile double one_double; const uint32_t table[8] = {1, 2, 3, 4, 5, 6, 7, 8};
__attribute__((noinline)) static uint32_t deep(uint32_t n) {
    volatile uint32_t local[6] = {n}; return n ? local[0] + deep(n - 1) : words[3];
}
void mcu_infer(void) {
    for (uint32_t i = 0; i < 16; i++) words[i] = table[i & 7] + i;
    for (uint32_t i = 0; i < 8; i++) { halves[i] += words[i]; if (words[i] & 2) bytes[i] = halves[i]; }
    for (uint32_t i = 0; i < 3; i++) longs[i] = longs[i] * words[i] + bytes[i];
    for (uint32_t i = 0; i < 6; i++) floats[i] = floats[i] * 2.5f + words[i];
    one_double = floats[1];
    uint32_t a, b, c;
    __asm__ volatile("ldm %3, {%0, %1, %2}" : "=r"(a), "=r"(b), "=r"(c) : "r"(words) : "memory");
    sums[0] = a + b + c; sums[1] = deep(7);
    __asm__ volatile("ldmia %0, {r2, r3}\\n stmia %1, {r2, r3}" ::"r"(words), "r"(sums) : "r2", "r3", "memory");
}
"""

COPIES = """
#include <string.h>
volatile int source[64], target[64]; volatile char bytes[10]; int from[128], to[128];
const short table[8] = {1, 2, 3}; volatile int two = 2;
__attribute__((noinline)) int inner(void) { for (int i = 0; i < 10; i++) bytes[i] = 1; return table[two]; }
__attribute__((noinline)) int work(int n) {
    for (int i = 0; i < 64; i++) target[i] = source[i];
    memcpy(to, from, n);
    return inner() + target[3];
}
int main(void) { int s = 0; for (int i = 0; i < 3; i++) s += work(512); return s == 9 ? 0 : 1; }
"""


@gnu
def test_reads_and_writes_of_arrays_are_those_that_a_person_counts(tmp_path: Path) -> None:
    result = traced(build_user(tmp_path, COPIES), begin="work")
    assert (result.verdict, codes(result)) == ("pass", [])
    assert of(result, "source") == (64, 256, 0, 0)
    assert of(result, "target") == (1, 4, 64, 256)
    assert of(result, "bytes") == (0, 0, 10, 10)
    assert of(result, "table") == (1, 2, 0, 0)
    assert of(result, "from")[1] == of(result, "to")[3] == 512, "however the C library moves them"
    assert result.accesses is not None
    regions = {each.name: each.region for each in result.accesses.objects}
    assert (regions["table"], regions["source"], regions["stack"]) == ("flash", "sram", "sram")


@gnu
def test_regions_of_a_program_have_their_own_accesses(tmp_path: Path) -> None:
    from mcu_harness.scenario.firmware_tables import Region

    result = traced(build_user(tmp_path, COPIES), begin="work", regions=(Region("fill", ("inner",)),))
    assert result.accesses is not None
    layer = {result.accesses.objects[row.object].name: row.layer for row in result.accesses.accesses}
    assert (layer["bytes"], layer["table"], layer["source"]) == (0, 0, -1)


SEVERAL_WORDS = """
volatile uint32_t words[16] __attribute__((aligned(64)));
#define RUN(code) __asm__ volatile(code :: "r"(p), "r"(words + 4) : "r2", "r3", "r4", "r5", "s0", "s1", "s2", "s3", "memory")
__attribute__((noinline)) static void move(volatile uint32_t *p) {
    RUN("ldrd r2, r3, [%0]"); RUN("strd r2, r3, [%0, #4]"); RUN("ldm %0, {r2, r3, r4, r5}"); RUN("stm %0, {r2, r3, r4, r5}");
    RUN("mov r4, %0\\n add r4, #16\\n ldmdb r4, {r2, r3}"); RUN("vldr d0, [%0]"); RUN("vldmia %0, {s0-s3}");
    RUN("vstr d1, [%0, #8]");
    RUN("mov r5, sp\\n mov sp, %0\\n pop {r2, r3, r4}\\n push {r2, r3}\\n mov sp, r5");
}
void mcu_infer(void) { for (uint32_t i = 0; i < 9; i++) move(words + i); }
"""
# (first byte from the pointer, words, whether it writes) of each instruction in `move`.
MOVES = [(0, 2, 0), (4, 2, 1), (0, 4, 0), (0, 4, 1), (8, 2, 0), (0, 2, 0), (0, 4, 0), (8, 2, 1), (0, 3, 0), (4, 2, 1)]


@pytest.mark.parametrize("inner", [(), (16,), (8, 16, 24, 48), (10, 17, 30, 31), (12, 14)], ids=str)
def test_words_that_one_instruction_moves_are_each_of_the_object_that_they_lie_in(
    firmware_cache: Path, inner: tuple[int, ...]
) -> None:
    board = find_board(BOARD)
    program = firmware(board, SEVERAL_WORDS, firmware_cache)
    start = program.symbol("words").address
    bounds = [start, *(start + cut for cut in inner), start + 64]
    expected: dict[tuple[int, int], list[int]] = {}  # [accesses, words] by object and direction
    for pointer in range(start, start + 36, 4):
        for first, words, write in MOVES:
            held = [bounds[bisect_right(bounds, pointer + first + 4 * n) - 1] for n in range(words)]
            for low in set(held):
                found = expected.setdefault((low, write), [0, 0])
                found[0] += 1
                found[1] += held.count(low)
    plan = replace(plan_for(program), trace=replace(WHOLE, cuts=tuple(bounds)))
    data = UnicornEmulator().run(program, board, plan).whole
    assert data is not None
    rows = (data.context >= 0) & (data.low >= start) & (data.low < start + 64)
    mine: dict[tuple[int, int], list[int]] = {}
    for nth in np.flatnonzero(rows).tolist():
        found = mine.setdefault((int(data.low[nth]), int(data.write[nth])), [0, 0])
        found[0] += int(data.count[nth])
        found[1] += int(data.count[nth] * data.size[nth]) // 4
    assert mine == expected
    assert not data.unwritten.any()
    assert not data.unaligned.any()


@pytest.mark.renode
def test_renode_counts_the_same_accesses_of_every_object(
    renode: RenodeEmulator, tmp_path: Path, firmware_cache: Path
) -> None:
    board = find_board(BOARD)
    small = firmware(board, RENODE, firmware_cache)
    same_as_renode(renode, board, Layout(small, board, plan_for(small).stack), plan_for(small), tmp_path)


@pytest.mark.renode
def test_renode_counts_the_same_accesses_of_a_model(renode: RenodeEmulator, tmp_path: Path) -> None:
    board = find_board(BOARD)
    model = MODELS / "digits.tflite"
    graph = model_graph(model)
    memory = plan_memory(graph, board.target)
    sources = generate(graph, memory, board.target)
    program = read_program(build(sources, board, find_toolchain("auto")).elf)
    plan = run_plan(program, sources, graph, samples_for(model, InputSpec(seed=1, count=1)).inputs, sources.outputs)
    blocks = arena_blocks(graph, memory)
    layout = Layout(program, board, plan.stack, blocks, program.symbol("mcu_arena").address)
    assert len(same_as_renode(renode, board, layout, plan, tmp_path)) > 20


def same_as_renode(
    renode: RenodeEmulator, board: Board, layout: Layout, plan: RunPlan, folder: Path
) -> dict[int, list[int]]:
    """[reads, writes] between cuts, by address; what several registers are moved by counts singly, as Renode has it."""
    bounds = cuts(layout)
    execution = UnicornEmulator().run(layout.program, board, replace(plan, trace=replace(WHOLE, cuts=bounds)))
    data = execution.whole
    assert data is not None
    mine: dict[int, list[int]] = {}
    rows = zip(
        data.context.tolist(),
        data.low.tolist(),
        data.write.tolist(),
        data.count.tolist(),
        data.size.tolist(),
        strict=True,
    )
    for context, low, write, count, size in rows:
        if context >= 0:
            mine.setdefault(low, [0, 0])[write] += count * max(1, size // 4)
    edges = sorted({0, *bounds, *(edge for memory in board.memories for edge in (memory.origin, memory.end))})
    theirs: dict[int, list[int]] = {}
    for address, counts in renode_accesses(renode, layout.program, board, plan, folder).items():
        found = theirs.setdefault(edges[bisect_right(edges, address) - 1], [0, 0])
        found[0] += counts[0]
        found[1] += counts[1]
    assert mine == theirs
    return mine


# It finds reads of what was never written.

READS = """
#include <stdlib.h>
volatile int zeroed[8], set[4] = {1, 2, 3, 4};
__attribute__((noinline)) int local(int n) { volatile int big[512]; BEFORE return big[n]; }
int main(void) { int *p = malloc(64); PUT return (local(100) + p[3] + zeroed[2] + set[1]) == 12345; }
"""


@gnu
@pytest.mark.parametrize("written", [False, True])
def test_reads_of_what_nothing_wrote_are_found_and_others_are_not(tmp_path: Path, written: bool) -> None:
    put = ("big[n] = 5;", "for (int i = 0; i < 16; i++) ((volatile int *)p)[i] = i;") if written else ("", "")
    code = READS.replace("BEFORE", put[0]).replace("PUT", put[1])
    result = traced(build_user(tmp_path, code))
    if written:
        assert (result.verdict, codes(result)) == ("pass", [])
        return
    assert (result.verdict, codes(result)) == ("pass", ["memory.uninitialised-read"])
    (finding,) = result.findings
    told = "\n".join(finding.details)
    assert "2 reads of RAM that nothing had written" in finding.message
    assert "1 of stack" in told
    assert "in local at" in told
    assert "1 of heap" in told
    assert "in main at" in told
    assert "firmware.c:4" in told
    assert "firmware.c:5" in told


def test_a_variable_that_start_up_leaves_alone_is_named(firmware_cache: Path) -> None:
    code = """
volatile uint32_t kept __attribute__((section(".noinit"))), result, given = 3;
void mcu_infer(void) { result = kept + given; }
"""
    board = find_board(BOARD)
    program = firmware(board, code, firmware_cache)
    plan = plan_for(program)
    layout = Layout(program, board, plan.stack)
    execution = UnicornEmulator().run(program, board, replace(plan, trace=replace(WHOLE, cuts=cuts(layout))))
    assert execution.whole is not None
    objects = MemoryObjects(layout, None)
    (finding,) = access_counts.uninitialised(execution.whole, [], objects, Places(program))
    assert (
        f"1 reads of RAM that nothing had written: of kept at {program.symbol('kept').address:#010x}" in finding.message
    )
    assert "in mcu_infer at" in finding.message


# It finds accesses that the board's core would fault at.


@gnu
@pytest.mark.parametrize("offset", [0, 2])
def test_several_words_at_an_address_that_is_none_of_a_word_are_a_fault_on_the_board(
    tmp_path: Path, offset: int
) -> None:
    code = f"""
int words[8]; volatile int sink; volatile int off = {offset};
__attribute__((noinline)) void load(char *p) {{
    __asm__ volatile("ldr r2, [%0]\\n ldm %0, {{r2, r3}}" ::"r"(p) : "r2", "r3", "memory");
}}
int main(void) {{ load((char *)words + off); return 0; }}
"""
    result = traced(build_user(tmp_path, code))
    if not offset:
        assert (result.verdict, codes(result)) == ("pass", [])
        return
    assert (result.verdict, codes(result)) == ("fail", ["law.unaligned"])
    assert result.findings[0].message.startswith("1 accesses are not aligned and a fault on the cortex-m4: in load at")


# Code of all sorts.

MODIFIED = """
#include <string.h>
#include <stdint.h>
volatile int cell; int total; uint16_t ram[16] __attribute__((aligned(4)));
typedef int (*function)(volatile int *);
/* ldr r0, [r0] ; bx lr ; and then str r0, [r0] in its place */
int main(void) {
    static const uint16_t code[2] = {0x6800, 0x4770};
    memcpy(ram, code, sizeof code);
    __asm__ volatile("dsb\\n isb" ::: "memory");
    function f = (function)((uintptr_t)ram | 1);
    for (int i = 0; i < 5; i++) total += f(&cell);
    ram[0] = 0x6000;
    __asm__ volatile("dsb\\n isb" ::: "memory");
    for (int i = 0; i < 3; i++) f(&cell);
    return cell == (int)&cell ? 0 : 1;
}
"""


@gnu
def test_code_in_ram_is_traced_and_code_that_changes_as_what_it_was_at_first(tmp_path: Path) -> None:
    result = traced(build_user(tmp_path, MODIFIED))
    assert (result.verdict, codes(result)) == ("pass", [])
    reads, _, writes, _ = of(result, "cell")
    # A block of code is what it was when it first ran: the three stores are taken for loads. Main reads once more, and
    # start-up zeroes it.
    assert (reads, writes) == (5 + 3 + 1, 1)


@gnu
def test_without_a_trace_it_says_that_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcu_harness.emulator.unicorn.run_trace.registers_address", lambda _: None)
    result = traced(build_user(tmp_path, COPIES), begin="work")
    assert (result.verdict, codes(result)) == ("pass", ["memory.not-traced"])
    assert result.accesses is not None
    assert result.accesses.missing.startswith("not measured: ")
    assert not result.accesses.accesses


@gnu
@pytest.mark.renode
@pytest.mark.usefixtures("renode_install")
def test_renode_says_that_it_has_none(tmp_path: Path) -> None:
    result = traced(build_user(tmp_path, COPIES), emulator="renode", begin="work")
    assert codes(result) == ["memory.not-traced"]
    assert "--emulator unicorn" in result.findings[0].advice


def test_cycles_are_the_same_with_a_trace_of_the_whole_run(firmware_cache: Path) -> None:
    """What cycles are priced by is the first window, also where the trace goes on."""
    board = find_board("stm32f746g_disco")  # caches: a second window costs less
    program = firmware(board, CONDITIONAL.replace("__asm__", "if (0) __asm__"), firmware_cache)
    plan = plan_for(program, [Window(), Window(), Window()])
    costs = []
    for request in (TraceRequest(), WHOLE):
        execution = UnicornEmulator().run(program, board, replace(plan, trace=request))
        assert execution.data is not None
        assert (execution.whole is not None) == request.whole
        costs.append(profile(execution, program, [], board).cycles)
    assert costs[0] == costs[1]
    assert execution.whole is not None
    inside = execution.data.count[execution.data.context >= 0].sum()
    assert execution.whole.count[execution.whole.context >= 0].sum() == 3 * inside


def test_a_run_that_is_not_to_be_traced_is_not(firmware_cache: Path) -> None:
    board = find_board(BOARD)
    program = firmware(board, CONDITIONAL.replace("__asm__", "if (0) __asm__"), firmware_cache)
    plan: RunPlan = plan_for(program)
    assert UnicornEmulator().run(program, board, plan).data is None
