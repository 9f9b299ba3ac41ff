"""Depths of the stack from code written by hand: what compilers rarely do, and exceptions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mcu_harness.analysis.stack.frames import Frames
from mcu_harness.analysis.stack.stack_path import EXCEPTION_FRAME, DeepestPath, deepest_path
from mcu_harness.analysis.stack.static_stack import CallGraph
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.recorder.views import function_ranges
from mcu_harness.image.program import Program, Segment, Symbol
from sample_boards import FLASH
from thumb_code import BX_LR, BX_R3, NOP, POP_PC, PUSH_LR, CodeMemory, branch, call, play

MAIN, LEAF, HANDLER, OTHER = FLASH, FLASH + 0x40, FLASH + 0x80, FLASH + 0xC0
SUB_SP_16 = bytes.fromhex("84b0")
ADD_SP_16 = bytes.fromhex("04b0")
PUSH_R4_LR = bytes.fromhex("10b5")
POP_R4_PC = bytes.fromhex("10bd")


def image(code: dict[int, list[bytes]], names: dict[str, int], data: tuple[tuple[int, int], ...] = ()) -> Program:
    """A program with `code` by address; `data` are stretches of it that are no code. Functions are 64 B each."""
    whole = bytearray(NOP * 0x100)
    for address, pieces in code.items():
        joined = b"".join(pieces)
        whole[address - FLASH : address - FLASH + len(joined)] = joined
    symbols = tuple(
        Symbol(name, at, 0x40, "function", ".text") for name, at in sorted(names.items(), key=lambda n: n[1])
    )
    edges = [FLASH, *(edge for stretch in data for edge in stretch), FLASH + len(whole)]
    ranges = tuple(zip(edges[::2], edges[1::2], strict=True))
    segment = Segment(FLASH, FLASH, bytes(whole), len(whole), executable=True, writable=False)
    return Program(Path("made.elf"), MAIN, (segment,), (), symbols, ranges, "")


def deepest(program: Program, *blocks: tuple[int, int], handlers: tuple[int, ...] = ()) -> DeepestPath:
    memory = CodeMemory({FLASH: program.segments[0].data})
    recorder = BlockRecorder(memory.read, functions=function_ranges(program), handlers=handlers)
    recorder.begin(blocks[0][0])
    play(recorder, *blocks)
    recorder.end()
    found = deepest_path(recorder.counts(), program, Frames(program))
    assert found is not None
    return found


def steps(found: DeepestPath) -> list[tuple[str, int]]:
    return [(step.function, step.nbytes) for step in found.steps]


CALLS = image(
    {
        MAIN: [PUSH_LR, SUB_SP_16, call(MAIN + 4, LEAF), ADD_SP_16, POP_PC],
        LEAF: [PUSH_R4_LR, NOP, NOP, POP_R4_PC],
        HANDLER: [PUSH_LR, SUB_SP_16, ADD_SP_16, POP_PC],
    },
    {"main": MAIN, "leaf": LEAF, "handler": HANDLER},
)


def test_frames_add_up_along_the_calls() -> None:
    found = deepest(CALLS, (MAIN, 8), (LEAF, 8), (MAIN + 8, 4))
    assert steps(found) == [("main", 20), ("leaf", 8)]
    assert (found.depth, found.base, found.doubt) == (28, 0, "")


def test_only_what_was_executed_counts() -> None:
    found = deepest(CALLS, (MAIN, 2))
    assert steps(found) == [("main", 4)]


def test_an_exception_adds_the_cores_frame() -> None:
    found = deepest(CALLS, (MAIN, 8), (LEAF, 4), (HANDLER, 8), (LEAF + 4, 4), (MAIN + 8, 4), handlers=(HANDLER,))
    assert steps(found) == [("main", 20), ("leaf", 8 + EXCEPTION_FRAME), ("handler", 20)]
    assert found.doubt == "an exception was taken in leaf, whose frame is 32 B or more"


def test_a_tail_call_has_given_its_frame_back() -> None:
    program = image(
        {
            MAIN: [PUSH_R4_LR, call(MAIN + 2, OTHER), POP_R4_PC],
            OTHER: [SUB_SP_16, ADD_SP_16, branch(OTHER + 4, LEAF)],
            LEAF: [PUSH_R4_LR, POP_R4_PC],
        },
        {"main": MAIN, "other": OTHER, "leaf": LEAF},
    )
    found = deepest(program, (MAIN, 6), (OTHER, 6), (LEAF, 4), (MAIN + 6, 2))
    assert steps(found) == [("main", 8), ("other", 16)]
    graph = CallGraph(program, Frames(program))
    assert graph.worst(MAIN).nbytes == 24
    assert graph.callers(MAIN, LEAF) == graph.callers(MAIN, LEAF, 8)
    assert [(step.function, step.nbytes) for step in graph.callers(MAIN, LEAF) or ()] == [("main", 8), ("other", 0)]
    assert graph.callers(MAIN, LEAF, 12) is None


def test_a_frame_whose_size_is_a_constant_of_the_code_is_read() -> None:
    add_sp_r4 = bytes.fromhex("a544")
    load_r4 = bytes.fromhex("014c")  # ldr r4, [pc, #4]: from MAIN + 4 + 4
    program = image(
        {MAIN: [load_r4, add_sp_r4, NOP, BX_LR, (-1032 & 0xFFFFFFFF).to_bytes(4, "little")]},
        {"main": MAIN},
        data=((MAIN + 8, MAIN + 12),),
    )
    assert Frames(program).at(MAIN).deepest == 1032


def test_a_conditional_return_does_not_end_the_function() -> None:
    it_eq, it_eq_2 = bytes.fromhex("08bf"), bytes.fromhex("04bf")
    program = image(
        {
            MAIN: [PUSH_R4_LR, it_eq, POP_R4_PC, SUB_SP_16, ADD_SP_16, POP_R4_PC],
            LEAF: [PUSH_R4_LR, SUB_SP_16, it_eq_2, ADD_SP_16, POP_R4_PC, PUSH_LR, bytes.fromhex("05b0"), POP_R4_PC],
        },
        {"main": MAIN, "leaf": LEAF},
    )
    frames = Frames(program)
    assert frames.at(MAIN).deepest == 8 + 16
    assert frames.at(LEAF).deepest == 8 + 16 + 4


def test_code_behind_a_table_is_taken_to_be_as_deep_as_the_jump() -> None:
    table_jump = bytes.fromhex("dfe800f0")  # tbb [pc, r0]
    program = image(
        {MAIN: [PUSH_R4_LR, table_jump, bytes.fromhex("0102"), NOP, SUB_SP_16, ADD_SP_16, POP_R4_PC]},
        {"main": MAIN},
        data=((MAIN + 6, MAIN + 8),),
    )
    frame = Frames(program).at(MAIN)
    assert (frame.deepest, frame.unknown) == (24, "")


def test_jumps_through_registers_and_literals_are_tail_calls() -> None:
    jump_to_literal = bytes.fromhex("dff800f0")  # ldr.w pc, [pc]
    program = image(
        {MAIN: [PUSH_LR, BX_R3], LEAF: [jump_to_literal, (OTHER | 1).to_bytes(4, "little")], OTHER: [PUSH_LR, POP_PC]},
        {"main": MAIN, "leaf": LEAF, "other": OTHER},
        data=((LEAF + 4, LEAF + 8),),
    )
    graph = CallGraph(program, Frames(program))
    assert graph.worst(MAIN).open_ends == ("main calls through a pointer",)
    assert [step.function for step in graph.worst(LEAF).path] == ["leaf", "other"]


def test_code_that_is_not_in_the_image_has_no_frame() -> None:
    program = image({MAIN: [PUSH_LR, call(MAIN + 2, 0x2000_0000 & 0xFFFF | FLASH + 0x10000), POP_PC]}, {"main": MAIN})
    assert CallGraph(program, Frames(program)).worst(MAIN).nbytes == 4
    empty = replace(program, segments=())
    assert Frames(empty).at(MAIN).deepest == 0


def test_very_deep_call_graphs_are_no_problem() -> None:
    count = 3000
    code = (
        b"".join(PUSH_LR + call(FLASH + 8 * n + 2, FLASH + 8 * n + 8) + POP_PC for n in range(count)) + PUSH_LR + POP_PC
    )
    symbols = tuple(
        Symbol(f"f{n}", FLASH + 8 * n, 8 if n < count else 4, "function", ".text") for n in range(count + 1)
    )
    segment = Segment(FLASH, FLASH, code, len(code), executable=True, writable=False)
    program = Program(Path("deep.elf"), FLASH, (segment,), (), symbols, ((FLASH, FLASH + len(code)),), "")
    found = CallGraph(program, Frames(program)).worst(FLASH)
    assert found.nbytes == 4 * (count + 1) and len(found.path) == count + 1


def test_symbols_may_claim_any_size() -> None:
    code = PUSH_LR + NOP * 2000 + POP_PC
    segment = Segment(FLASH, FLASH, code, len(code), executable=True, writable=False)
    symbols = tuple(Symbol(f"f{n}", FLASH + 2 * n, (1 << 32) - FLASH - 2 * n, "function", ".text") for n in range(2000))
    program = Program(Path("claims.elf"), FLASH, (segment,), (), symbols, ((FLASH, 1 << 32),), "")
    frames = Frames(program)
    assert frames.at(FLASH).deepest == 4
    found = [frames.at(FLASH + 2 * n) for n in range(2000)]
    assert found[-1].unknown == "is too large to be followed"
    assert sum(len(frame.depths) for frame in found) < 1 << 20
