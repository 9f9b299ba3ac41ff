"""From counts to layers, functions and call paths: sums are exact, and every figure is per inference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mcu_harness.analysis.high_water_mark import high_water_mark
from mcu_harness.analysis.profile.instructions import decode
from mcu_harness.analysis.profile.profile import Profile, profile
from mcu_harness.emulator.contract import STACK_PAINT, Execution, ExitReason
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.hardware.arm.instruction_kinds import Kind
from sample_boards import FLASH, board
from thumb_code import BX_LR, BX_R3, NOP, POP_PC, PUSH_LR, CodeMemory, branch_if_not_equal, call, program

MAIN, LAYER, HELPER, UNKNOWN = FLASH + 0x100, FLASH + 0x200, FLASH + 0x300, FLASH + 0x400
PROGRAM = program({"mcu_infer": (MAIN, 0x40), "layer_0": (LAYER, 0x40), "helper": (HELPER, 0x40)})
ONE_INFERENCE = [
    (MAIN, 4), (LAYER, 6), (HELPER, 6), (LAYER + 6, 2), (MAIN + 4, 4), (HELPER, 6), (MAIN + 8, 4), (UNKNOWN, 4),
]  # fmt: skip


def execution(memory: CodeMemory, windows: Sequence[Sequence[tuple[int, int]]], stack: bytes = b"") -> Execution:
    recorder = BlockRecorder(memory.read, functions=[(s.address, s.address + s.size) for s in PROGRAM.symbols])
    instructions = []
    for blocks in windows:
        before = recorder.instructions
        recorder.begin(blocks[0][0])
        recorder.add(np.array(blocks, np.uint32))
        recorder.end()
        instructions.append(recorder.instructions - before)
    return Execution(
        ExitReason.FINISHED, 0, 0, "", "", (), tuple(instructions), stack, {}, recorder.counts(), 0.0
    )  # fmt: skip


@pytest.fixture
def memory() -> CodeMemory:
    made = CodeMemory()
    made.put(MAIN, call(MAIN, LAYER), call(MAIN + 4, HELPER), call(MAIN + 8, UNKNOWN), BX_LR)
    made.put(LAYER, PUSH_LR, call(LAYER + 2, HELPER), POP_PC)
    made.put(HELPER, NOP, NOP, BX_LR)
    made.put(UNKNOWN, NOP, BX_R3)
    return made


@pytest.fixture
def made(memory: CodeMemory) -> Profile:
    return profile(execution(memory, [ONE_INFERENCE] * 4), PROGRAM, ["layer_0"], board())


def test_a_layer_is_its_function_with_all_that_it_calls(made: Profile) -> None:
    assert made.layers[0].instructions == 2 + 3 + 1
    assert made.instructions == 6 + 1 + 1 + 3 + 1 + 2


def test_parts_are_the_whole(made: Profile) -> None:
    assert made.cycles is not None and made.layers[0].cycles is not None
    assert made.layers[0].cycles < made.cycles
    assert sum(node.self_cycles or 0 for node in made.calls) == made.cycles
    assert sum(function.self_cycles or 0 for function in made.functions) == made.cycles
    assert sum(node.self_instructions for node in made.calls) == made.instructions


def test_functions_have_own_and_total_cost_and_calls(made: Profile) -> None:
    found = {f.name: (f.calls, f.self_instructions, f.total_instructions) for f in made.functions}
    assert found == {
        "mcu_infer": (1, 3, 14),
        "layer_0": (1, 3, 6),
        "helper": (2, 6, 6),
        f"{UNKNOWN:#010x}": (1, 2, 2),
    }


def test_the_tree_has_a_node_for_every_call_path(made: Profile) -> None:
    paths: list[tuple[str, ...]] = []
    for node in made.calls:
        paths.append((*(paths[node.parent] if node.parent >= 0 else ()), node.name))
    assert sorted(paths) == [
        ("mcu_infer",),
        ("mcu_infer", f"{UNKNOWN:#010x}"),
        ("mcu_infer", "helper"),
        ("mcu_infer", "layer_0"),
        ("mcu_infer", "layer_0", "helper"),
    ]


def test_figures_are_means_over_windows(memory: CodeMemory) -> None:
    shorter = ONE_INFERENCE[:5]
    made = profile(execution(memory, [ONE_INFERENCE, shorter]), PROGRAM, ["layer_0"], board())
    assert made.instructions == (14 + 8) / 2
    assert made.layers[0].instructions == 6


def test_a_recursive_functions_total_is_counted_once(memory: CodeMemory) -> None:
    memory.put(HELPER, PUSH_LR, call(HELPER + 2, HELPER), POP_PC)
    blocks = [(MAIN + 4, 4), *[(HELPER, 6)] * 5, *[(HELPER + 6, 2)] * 5, (MAIN + 8, 4)]
    made = profile(execution(memory, [blocks]), PROGRAM, [], board())
    helper = next(f for f in made.functions if f.name == "helper")
    assert (helper.calls, helper.self_instructions, helper.total_instructions) == (5, 15, 15)


def test_a_loop_to_the_functions_start_is_no_call(memory: CodeMemory) -> None:
    memory.put(HELPER, NOP, branch_if_not_equal(HELPER + 2, HELPER), BX_LR)
    made = profile(execution(memory, [[(MAIN + 4, 4), *[(HELPER, 4)] * 9]]), PROGRAM, [], board())
    assert next(f for f in made.functions if f.name == "helper").calls == 1


def test_without_a_cycle_table_cycles_are_not_measured_and_never_zero(memory: CodeMemory) -> None:
    made = profile(execution(memory, [ONE_INFERENCE]), PROGRAM, ["layer_0"], board("cortex-m23"))
    assert made.cycles is None
    assert made.layers[0].cycles is None
    assert made.functions[0].self_cycles is None
    assert made.calls[0].self_cycles is None
    assert str(made.cycles_origin) == "not measured: no cycle model for the cortex-m23"
    assert made.instructions == 14


def test_a_run_that_only_counted_has_totals(memory: CodeMemory) -> None:
    counted = execution(memory, [ONE_INFERENCE] * 2)
    counted = Execution(**{name: getattr(counted, name) for name in counted.__slots__} | {"blocks": None})
    made = profile(counted, PROGRAM, ["layer_0"], board())
    assert made.instructions == 14
    assert made.cycles is None
    assert made.functions == ()


def test_most_costly_functions_come_first(made: Profile) -> None:
    own = [function.self_cycles or 0 for function in made.functions]
    assert own == sorted(own, reverse=True)


@pytest.mark.parametrize(
    ("stack", "used"),
    [
        (b"", None),
        (bytes([STACK_PAINT] * 64), 0),
        (bytes([STACK_PAINT] * 60 + [0] * 4), 4),
        (bytes([STACK_PAINT] * 40 + [1] + [STACK_PAINT] * 20 + [0] * 3), 24),
        (bytes([STACK_PAINT] * 41 + [1] * 23), 24),  # to the word below
        (bytes(64), 64),
    ],
)
def test_stack_use_is_up_to_the_deepest_touched_word(stack: bytes, used: int | None) -> None:
    assert high_water_mark(stack) == used


def test_instructions_know_what_they_read_write_and_move(memory: CodeMemory) -> None:
    code = bytes.fromhex("0ec8 d2e90001 51f8042b 30bd 4250 08bf 0846 0148 90ed000b 01fb0230")
    memory.put(MAIN, code)
    recorder = BlockRecorder(memory.read)
    recorder.begin(MAIN)
    recorder.add(np.array([(MAIN, 14), (MAIN + 14, len(code) - 14)], np.uint32))  # cut right after IT
    found = list(decode(recorder.counts()).values())
    assert [(i.kind, i.words) for i in found] == [
        (Kind.LOAD_MULTIPLE, 3), (Kind.LOAD_MULTIPLE, 2), (Kind.LOAD, 1), (Kind.LOAD_MULTIPLE, 3), (Kind.STORE, 1),
        (Kind.IF_THEN, 1), (Kind.ALU, 1), (Kind.LOAD, 1), (Kind.FLOAT_LOAD, 2), (Kind.MULTIPLY_ADD, 1),
    ]  # fmt: skip
    assert [i.conditional for i in found] == [False] * 6 + [True] + [False] * 3
    assert [i.writeback for i in found] == [True, False, True, *[False] * 7]
    assert [i.loads_pc for i in found] == [False] * 3 + [True] + [False] * 6
    assert [i.register_offset for i in found] == [False] * 4 + [True] + [False] * 5
    assert [i.literal for i in found] == [False] * 7 + [True] + [False] * 2
    assert len(found[2].results) == 1 and len(found[2].writes) == 2
    assert found[-1].reads and not found[-1].reads & found[-1].writes


def test_code_that_the_disassembler_does_not_know_counts_as_simple(memory: CodeMemory) -> None:
    memory.put(MAIN, NOP, bytes.fromhex("ffffffff"), NOP)
    recorder = BlockRecorder(memory.read)
    recorder.begin(MAIN)
    recorder.add(np.array([(MAIN, 8)], np.uint32))
    assert [(i.address - MAIN, i.size) for i in decode(recorder.counts()).values()] == [(0, 2), (2, 4), (6, 2)]
