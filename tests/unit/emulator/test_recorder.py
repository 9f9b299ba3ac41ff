"""The block recorder on streams of blocks whose calls are known, without any emulator."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import pytest

from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from thumb_code import (
    BLX_R3,
    BX_LR,
    BX_R3,
    NOP,
    POP_PC,
    PUSH_LR,
    CodeMemory,
    branch,
    branch_if_not_equal,
    call,
    paths,
    play,
)

MAIN, LEAF, OTHER, HANDLER = 0x1000, 0x2000, 0x3000, 0x4000
FUNCTIONS = [(MAIN, MAIN + 0x100), (LEAF, LEAF + 0x100), (OTHER, OTHER + 0x100), (HANDLER, HANDLER + 0x100)]


@pytest.fixture
def memory() -> CodeMemory:
    return CodeMemory()


def recorder(memory: CodeMemory, **options: object) -> BlockRecorder:
    made = BlockRecorder(memory.read, **{"functions": FUNCTIONS, **options})  # type: ignore[arg-type]
    made.begin(MAIN)
    return made


def test_blocks_and_the_steps_between_them_are_counted(memory: CodeMemory) -> None:
    memory.put(MAIN, NOP, NOP, branch_if_not_equal(MAIN + 4, MAIN), NOP)
    made = recorder(memory)
    play(made, *[(MAIN, 6)] * 5, (MAIN + 6, 2))
    counts = made.counts()
    edges = zip(counts.edge_previous, counts.edge_current, counts.edge_count, strict=True)
    assert sorted((int(a), int(b), int(n)) for a, b, n in edges) == [(-1, 0, 1), (0, 0, 4), (0, 1, 1)]
    assert counts.block_address.tolist() == [MAIN, MAIN + 6]
    assert counts.block_bytes.tolist() == [6, 2]
    assert counts.block_instructions.tolist() == [3, 1]
    assert counts.block_code == (memory.read(MAIN, 6), NOP)
    assert made.instructions == 5 * 3 + 1


def test_a_call_and_its_return_make_a_child_context(memory: CodeMemory) -> None:
    memory.put(MAIN, NOP, call(MAIN + 2, LEAF), NOP)
    memory.put(LEAF, NOP, BX_LR)
    made = recorder(memory)
    play(made, (MAIN, 6), (LEAF, 4), (MAIN + 6, 2))
    assert paths(made) == {((MAIN,), MAIN): 1, ((MAIN, LEAF), LEAF): 1, ((MAIN,), MAIN + 6): 1}


def test_a_call_through_a_register_returns_by_pop(memory: CodeMemory) -> None:
    memory.put(MAIN, BLX_R3, NOP)
    memory.put(LEAF, PUSH_LR, POP_PC)
    made = recorder(memory)
    play(made, (MAIN, 2), (LEAF, 4), (MAIN + 2, 2))
    assert paths(made) == {((MAIN,), MAIN): 1, ((MAIN, LEAF), LEAF): 1, ((MAIN,), MAIN + 2): 1}


def test_a_call_that_its_if_then_block_skips_is_no_call(memory: CodeMemory) -> None:
    memory.put(MAIN, bytes.fromhex("18bf"), BLX_R3, NOP)  # it ne; blxne r3
    made = recorder(memory)
    play(made, (MAIN, 4), (MAIN + 4, 2))
    assert paths(made) == {((MAIN,), MAIN): 1, ((MAIN,), MAIN + 4): 1}


def test_a_return_that_its_if_then_block_skips_stays_in_the_function(memory: CodeMemory) -> None:
    memory.put(MAIN, call(MAIN, LEAF), NOP)
    memory.put(LEAF, bytes.fromhex("18bf"), BX_LR, NOP, BX_LR)
    made = recorder(memory)
    play(made, (MAIN, 4), (LEAF, 4), (LEAF + 4, 4), (MAIN + 4, 2))
    assert paths(made)[(MAIN, LEAF), LEAF + 4] == 1
    assert paths(made)[(MAIN,), MAIN + 4] == 1


def test_the_same_function_called_from_two_others_has_two_contexts(memory: CodeMemory) -> None:
    memory.put(MAIN, call(MAIN, LEAF), call(MAIN + 4, OTHER), NOP)
    memory.put(LEAF, BX_LR)
    memory.put(OTHER, PUSH_LR, call(OTHER + 2, LEAF), POP_PC)
    made = recorder(memory)
    play(made, (MAIN, 4), (LEAF, 2), (MAIN + 4, 4), (OTHER, 6), (LEAF, 2), (OTHER + 6, 2), (MAIN + 8, 2))
    found = paths(made)
    assert found[(MAIN, LEAF), LEAF] == 1
    assert found[(MAIN, OTHER, LEAF), LEAF] == 1
    assert found[(MAIN,), MAIN + 8] == 1


def test_a_tail_call_is_a_child_that_returns_to_the_first_caller(memory: CodeMemory) -> None:
    memory.put(MAIN, call(MAIN, LEAF), NOP)
    memory.put(LEAF, NOP, branch(LEAF + 2, OTHER - 0xC00))
    memory.put(OTHER - 0xC00, BX_LR)
    functions = [*FUNCTIONS[:2], (OTHER - 0xC00, OTHER)]
    made = recorder(memory, functions=functions)
    play(made, (MAIN, 4), (LEAF, 4), (OTHER - 0xC00, 2), (MAIN + 4, 2))
    found = paths(made)
    assert found[(MAIN, LEAF, OTHER - 0xC00), OTHER - 0xC00] == 1
    assert found[(MAIN,), MAIN + 4] == 1


def test_functions_that_tail_call_each_other_for_ever_need_two_contexts(memory: CodeMemory) -> None:
    memory.put(MAIN, call(MAIN, LEAF), NOP)
    memory.put(LEAF, BX_R3)
    memory.put(OTHER, BX_R3)
    made = recorder(memory)
    play(made, (MAIN, 4), *[(LEAF, 2), (OTHER, 2)] * 500, (MAIN + 4, 2))
    assert paths(made) == {
        ((MAIN,), MAIN): 1,
        ((MAIN, LEAF), LEAF): 500,
        ((MAIN, LEAF, OTHER), OTHER): 500,
        ((MAIN,), MAIN + 4): 1,
    }


def test_a_loop_that_starts_at_the_functions_entry_is_no_call(memory: CodeMemory) -> None:
    memory.put(MAIN, call(MAIN, LEAF), NOP)
    memory.put(LEAF, NOP, branch_if_not_equal(LEAF + 2, LEAF), BX_LR)
    made = recorder(memory)
    play(made, (MAIN, 4), *[(LEAF, 4)] * 3, (LEAF + 4, 2), (MAIN + 4, 2))
    assert paths(made)[(MAIN, LEAF), LEAF] == 3


def test_code_moved_out_of_its_function_comes_back_into_the_same_context(memory: CodeMemory) -> None:
    memory.put(MAIN, call(MAIN, LEAF), NOP)
    memory.put(LEAF, branch(LEAF, OTHER - 0xC00), NOP, BX_LR)  # to a part of its own, elsewhere
    memory.put(OTHER - 0xC00, branch(OTHER - 0xC00, LEAF + 2))
    made = recorder(memory, functions=[*FUNCTIONS[:2], (OTHER - 0xC00, OTHER)])
    play(made, (MAIN, 4), (LEAF, 2), (OTHER - 0xC00, 2), (LEAF + 2, 4), (MAIN + 4, 2))
    found = paths(made)
    assert found[(MAIN, LEAF), LEAF + 2] == 1
    assert found[(MAIN,), MAIN + 4] == 1


def test_a_long_jump_drops_the_calls_it_leaves(memory: CodeMemory) -> None:
    memory.put(MAIN, call(MAIN, LEAF), NOP, call(MAIN + 6, LEAF), NOP)
    memory.put(LEAF, PUSH_LR, call(LEAF + 2, OTHER), POP_PC)
    memory.put(OTHER, BX_R3)  # back into the middle of main, past everyone's return address
    made = recorder(memory)
    play(made, (MAIN, 4), (LEAF, 6), (OTHER, 2), (MAIN + 4, 6), (LEAF, 6), (OTHER, 2), (LEAF + 6, 2), (MAIN + 10, 2))
    found = paths(made)
    assert found[(MAIN,), MAIN + 4] == 1
    assert found[(MAIN, LEAF), LEAF] == 2
    assert found[(MAIN,), MAIN + 10] == 1


def test_a_return_past_several_callers_drops_them(memory: CodeMemory) -> None:
    memory.put(MAIN, call(MAIN, LEAF), NOP)
    memory.put(LEAF, PUSH_LR, call(LEAF + 2, OTHER), POP_PC)
    memory.put(OTHER, POP_PC)
    made = recorder(memory)
    play(made, (MAIN, 4), (LEAF, 6), (OTHER, 2), (MAIN + 4, 2))
    assert paths(made)[(MAIN,), MAIN + 4] == 1


def test_a_switch_helper_returns_past_the_table_behind_its_call(memory: CodeMemory) -> None:
    memory.put(MAIN, call(MAIN, LEAF), bytes(8), NOP, NOP)
    memory.put(LEAF, BX_LR)
    for functions in (FUNCTIONS, []):  # with symbols and stripped
        made = recorder(memory, functions=functions)
        play(made, (MAIN, 4), (LEAF, 2), (MAIN + 14, 2))
        assert paths(made)[(MAIN,), MAIN + 14] == 1


def test_a_return_from_where_the_window_began_goes_beside_it(memory: CodeMemory) -> None:
    memory.put(LEAF, BX_LR)
    memory.put(MAIN + 4, NOP)
    made = BlockRecorder(memory.read, functions=FUNCTIONS)
    made.begin(LEAF)
    play(made, (LEAF, 2), (MAIN + 4, 2))
    assert paths(made) == {((LEAF,), LEAF): 1, ((LEAF, MAIN), MAIN + 4): 1}


def test_recursion_is_followed_to_a_bounded_depth(memory: CodeMemory) -> None:
    memory.put(MAIN, call(MAIN, LEAF), NOP)
    memory.put(LEAF, PUSH_LR, call(LEAF + 2, LEAF), POP_PC)
    made = recorder(memory)
    depth = 20_000
    play(made, (MAIN, 4), *[(LEAF, 6)] * depth, *[(LEAF + 6, 2)] * depth, (MAIN + 4, 2))
    counts = made.counts()
    assert 900 < len(counts.context_parent) < 1100
    assert paths(made)[(MAIN,), MAIN + 4] == 1
    totals = {int(a): 0 for a in counts.block_address}
    for current, count in zip(counts.edge_current, counts.edge_count, strict=True):
        totals[int(counts.block_address[current])] += int(count)
    assert totals == {MAIN: 1, LEAF: depth, LEAF + 6: depth, MAIN + 4: 1}


class TestEachCall:
    """Functions of which every call is a context of its own."""

    def test_the_nth_calls_of_all_windows_share_a_context(self, memory: CodeMemory) -> None:
        memory.put(MAIN, call(MAIN, LEAF), branch_if_not_equal(MAIN + 4, MAIN), NOP)
        memory.put(LEAF, call(LEAF, OTHER), BX_LR)
        memory.put(OTHER, BX_LR)
        made = recorder(memory, each_call=[LEAF])
        call_once = [(MAIN, 4), (LEAF, 4), (OTHER, 2), (LEAF + 4, 2), (MAIN + 4, 2)]
        play(made, *call_once * 3)
        made.end()
        made.begin(MAIN)
        play(made, *call_once * 2)
        counts = made.counts()
        assert counts.context_entry.tolist() == [MAIN, LEAF, OTHER, LEAF, OTHER, LEAF, OTHER]
        assert counts.context_parent.tolist() == [-1, 0, 1, 0, 3, 0, 5]
        in_context = [int(counts.edge_count[counts.edge_context == context].sum()) for context in range(7)]
        assert in_context == [10, 4, 2, 4, 2, 2, 1]

    def test_very_many_calls_share_the_last_context(self, memory: CodeMemory) -> None:
        memory.put(MAIN, call(MAIN, LEAF), branch_if_not_equal(MAIN + 4, MAIN), NOP)
        memory.put(LEAF, BX_LR)
        made = recorder(memory, each_call=[LEAF])
        play(made, *[(MAIN, 4), (LEAF, 2), (MAIN + 4, 2)] * 1500)
        counts = made.counts()
        assert len(counts.context_entry) == 1 + 1000
        in_leaf = counts.edge_context > 0
        assert counts.edge_count[in_leaf].sum() == 1500 and counts.edge_count[in_leaf].max() == 501


class TestExceptions:
    """Handlers that no one calls."""

    @pytest.fixture
    def made(self, memory: CodeMemory) -> BlockRecorder:
        memory.put(MAIN, NOP, call(MAIN + 2, LEAF), NOP, branch(MAIN + 8, MAIN + 6))
        memory.put(LEAF, NOP, BX_LR)
        memory.put(HANDLER, PUSH_LR, call(HANDLER + 2, LEAF), POP_PC)
        memory.put(OTHER, BX_LR)
        return recorder(memory, handlers={HANDLER, OTHER})

    def test_between_two_blocks(self, made: BlockRecorder) -> None:
        play(made, (MAIN, 2), (HANDLER, 6), (LEAF, 4), (HANDLER + 6, 2), (MAIN + 2, 4), (LEAF, 4), (MAIN + 6, 4))
        found = paths(made)
        assert found[(MAIN, HANDLER), HANDLER] == 1
        assert found[(MAIN, HANDLER, LEAF), LEAF] == 1
        assert found[(MAIN,), MAIN + 2] == 1
        assert found[(MAIN, LEAF), LEAF] == 1
        assert found[(MAIN,), MAIN + 6] == 1

    def test_between_a_call_and_its_callee(self, made: BlockRecorder) -> None:
        play(made, (MAIN, 6), (HANDLER, 6), (LEAF, 4), (HANDLER + 6, 2), (LEAF, 4), (MAIN + 6, 4))
        found = paths(made)
        assert found[(MAIN, HANDLER), HANDLER] == 1
        assert found[(MAIN, LEAF), LEAF] == 1
        assert found[(MAIN,), MAIN + 6] == 1

    def test_between_a_return_and_where_it_goes(self, made: BlockRecorder) -> None:
        play(made, (MAIN, 6), (LEAF, 4), (HANDLER, 6), (LEAF, 4), (HANDLER + 6, 2), (MAIN + 6, 4))
        found = paths(made)
        assert found[(MAIN, LEAF, HANDLER), HANDLER] == 1
        assert found[(MAIN,), MAIN + 6] == 1

    def test_one_inside_the_other(self, made: BlockRecorder) -> None:
        play(made, (MAIN, 2), (HANDLER, 6), (OTHER, 2), (LEAF, 4), (HANDLER + 6, 2), (MAIN + 2, 4), (LEAF, 4))
        found = paths(made)
        assert found[(MAIN, HANDLER, OTHER), OTHER] == 1
        assert found[(MAIN, HANDLER, LEAF), LEAF] == 1
        assert found[(MAIN, LEAF), LEAF] == 1

    def test_one_right_after_the_other(self, made: BlockRecorder) -> None:
        play(made, (MAIN, 2), (OTHER, 2), (HANDLER, 6), (LEAF, 4), (HANDLER + 6, 2), (MAIN + 2, 4), (LEAF, 4))
        found = paths(made)
        assert found[(MAIN, OTHER), OTHER] == 1
        assert found[(MAIN, HANDLER), HANDLER] == 1
        assert found[(MAIN, LEAF), LEAF] == 1

    def test_the_same_one_right_after_itself(self, made: BlockRecorder) -> None:
        play(made, (MAIN, 2), (OTHER, 2), (OTHER, 2), (MAIN + 2, 4), (LEAF, 4), (MAIN + 6, 4))
        found = paths(made)
        assert found[(MAIN, OTHER), OTHER] == 2
        assert found[(MAIN, LEAF), LEAF] == 1
        assert found[(MAIN,), MAIN + 6] == 1

    def test_again_and_again_in_a_loop(self, made: BlockRecorder) -> None:
        play(made, *[(MAIN + 6, 4), (MAIN + 6, 4), (OTHER, 2)] * 100, (MAIN + 6, 4))
        assert paths(made) == {((MAIN,), MAIN + 6): 201, ((MAIN, OTHER), OTHER): 100}

    def test_a_handler_that_is_called_like_a_function(self, made: BlockRecorder, memory: CodeMemory) -> None:
        memory.put(MAIN + 0x20, call(MAIN + 0x20, OTHER), NOP)
        play(made, (MAIN + 0x20, 4), (OTHER, 2), (MAIN + 0x24, 2))
        assert paths(made)[(MAIN,), MAIN + 0x24] == 1

    def test_a_branch_to_itself_may_end(self, made: BlockRecorder, memory: CodeMemory) -> None:
        memory.put(MAIN + 0x20, branch(MAIN + 0x20, MAIN + 0x20))
        assert play(made, *[(MAIN + 0x20, 2)] * 9)


class TestWindows:
    def test_only_what_runs_inside_is_in_the_tree(self, memory: CodeMemory) -> None:
        memory.put(MAIN, NOP, NOP)
        memory.put(LEAF, NOP)
        made = BlockRecorder(memory.read, functions=FUNCTIONS)
        play(made, (MAIN, 4))
        made.begin(LEAF)
        play(made, (LEAF, 2))
        made.end()
        play(made, (MAIN, 4))
        made.begin(LEAF)
        play(made, (LEAF, 2), (LEAF, 2))
        assert paths(made) == {((LEAF,), LEAF): 3}
        assert made.instructions == 2 + 1 + 2 + 2

    def test_each_starts_without_a_previous_block(self, memory: CodeMemory) -> None:
        memory.put(LEAF, NOP)
        made = BlockRecorder(memory.read)
        for _ in range(3):
            made.begin(LEAF)
            play(made, (LEAF, 2))
            made.end()
        counts = made.counts()
        assert counts.edge_previous.tolist() == [-1]
        assert counts.edge_count.tolist() == [3]

    def test_a_call_left_open_does_not_reach_into_the_next(self, memory: CodeMemory) -> None:
        memory.put(MAIN, call(MAIN, LEAF), NOP)
        memory.put(LEAF, BX_LR)
        made = recorder(memory)
        play(made, (MAIN, 4), (LEAF, 2))
        made.end()
        made.begin(MAIN)
        play(made, (MAIN, 4), (LEAF, 2), (MAIN + 4, 2))
        assert paths(made)[(MAIN, LEAF), LEAF] == 2
        assert paths(made)[(MAIN,), MAIN + 4] == 1


class TestEnds:
    def test_the_limit_stops_before_the_block_that_would_exceed_it(self, memory: CodeMemory) -> None:
        memory.put(MAIN, NOP, NOP, branch(MAIN + 4, MAIN))
        made = recorder(memory, limit=3_000_001)
        blocks = np.tile(np.array([[MAIN, 6]], np.uint32), (1_200_000, 1))
        assert not made.add(blocks)
        assert made.stopped
        assert made.instructions == 3_000_000

    def test_it_asks_whether_to_go_on(self, memory: CodeMemory) -> None:
        memory.put(MAIN, NOP, NOP, branch(MAIN + 4, MAIN))
        asked: list[int] = []

        def keep_going(instructions: int) -> bool:
            asked.append(instructions)
            return len(asked) < 3

        made = recorder(memory, keep_going=keep_going)
        assert not made.add(np.tile(np.array([[MAIN, 6]], np.uint32), (4_000_000, 1)))
        assert [round(instructions, -6) for instructions in asked] == [2_000_000, 4_000_000, 6_000_000]
        assert asked[-1] - 3 == made.instructions

    def test_an_endless_loop_stops_at_once(self, memory: CodeMemory) -> None:
        memory.put(MAIN, NOP, branch(MAIN + 2, MAIN + 2))
        made = recorder(memory)
        assert not play(made, (MAIN, 4), (MAIN + 2, 2), (MAIN + 2, 2))
        assert made.stopped_in_endless_loop

    def test_code_that_cannot_be_read_is_an_error(self, memory: CodeMemory) -> None:
        made = recorder(memory)
        with pytest.raises(ValueError, match="no whole instructions"):
            play(made, (MAIN, 4))
        assert made.stopped

    def test_leaving_a_block_early_takes_back_its_rest(self, memory: CodeMemory) -> None:
        memory.put(MAIN, NOP, NOP, NOP, branch(MAIN + 6, MAIN))
        made = recorder(memory)
        play(made, (MAIN, 8), (MAIN, 8))
        made.leave_early(MAIN + 4)
        counts = made.counts()
        assert made.instructions == 4 + 2
        executed = int((counts.edge_count * counts.block_instructions[counts.edge_current]).sum())
        assert executed == made.instructions
        assert sorted(counts.block_bytes[counts.edge_current].tolist()) == [4, 8]

    def test_leaving_a_block_before_its_first_instruction_takes_back_all_of_it(self, memory: CodeMemory) -> None:
        memory.put(MAIN, NOP, branch(MAIN + 2, MAIN))
        made = recorder(memory)
        play(made, (MAIN, 4), (MAIN, 4))
        made.leave_early(MAIN)
        assert made.instructions == 2
        assert paths(made) == {((MAIN,), MAIN): 1}

    def test_leaving_past_the_end_takes_nothing_back(self, memory: CodeMemory) -> None:
        memory.put(MAIN, NOP, BX_LR)
        made = recorder(memory)
        play(made, (MAIN, 4))
        made.leave_early(0xFFFFFFFE)
        assert made.instructions == 2


def test_sizes_may_be_numbers_of_instructions(memory: CodeMemory) -> None:
    memory.put(MAIN, NOP, call(MAIN + 2, LEAF), NOP)
    memory.put(LEAF, NOP, BX_LR)
    made = recorder(memory, sizes_are_instructions=True)
    play(made, (MAIN, 2), (LEAF, 2), (MAIN + 6, 1))
    assert paths(made) == {((MAIN,), MAIN): 1, ((MAIN, LEAF), LEAF): 1, ((MAIN,), MAIN + 6): 1}
    assert made.counts().block_bytes.tolist() == [6, 4, 2]


def test_a_block_entered_at_one_place_may_have_several_sizes(memory: CodeMemory) -> None:
    memory.put(MAIN, NOP, NOP, NOP)
    made = recorder(memory)
    play(made, (MAIN, 6), (MAIN, 2), (MAIN + 2, 4), (MAIN, 6))
    counts = made.counts()
    sizes = counts.block_bytes[counts.edge_current]
    assert sorted(zip(sizes.tolist(), counts.edge_count.tolist(), strict=True)) == [(2, 1), (4, 1), (6, 1), (6, 1)]
    assert made.instructions == 9


def test_tables_grow_and_lose_nothing(memory: CodeMemory) -> None:
    places = [0x10000 + 2 * i for i in range(30_000)]
    memory.put(places[0], NOP * len(places))
    made = BlockRecorder(memory.read)
    made.begin(places[0])
    rng = np.random.default_rng(1)
    stream = rng.choice(np.array(places, np.uint32), 200_000)
    made.add(np.stack([stream, np.full_like(stream, 2)], axis=1))
    counts = made.counts()
    expected: dict[tuple[int, int], int] = {}
    for before, after in zip([-1, *stream[:-1].tolist()], stream.tolist(), strict=True):
        expected[before, after] = expected.get((before, after), 0) + 1
    address = [-1, *counts.block_address.tolist()]
    edges = zip(counts.edge_previous.tolist(), counts.edge_current.tolist(), counts.edge_count.tolist(), strict=True)
    assert {(address[a + 1], address[b + 1]): n for a, b, n in edges} == expected


@dataclass
class RandomProgram:
    """A program of random calls, and the call path in which it really executes each of its blocks.

    Function f consists of blocks that each end in a call of a later function, of itself, or in nothing.
    """

    seed: int
    memory: CodeMemory = field(default_factory=CodeMemory)
    functions: list[tuple[int, int]] = field(default_factory=list)
    stream: list[tuple[int, int]] = field(default_factory=list)
    truth: dict[tuple[tuple[int, ...], int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.starts = [0x1000 * (i + 1) for i in range(8)]
        self.functions = [(start, start + 0x400) for start in self.starts]
        self.blocks: dict[int, list[tuple[int, int, int | None]]] = {}
        for index, start in enumerate(self.starts):
            self._write(index, start)
        self._run((self.starts[0],), 0)

    def _write(self, index: int, start: int) -> None:
        blocks: list[tuple[int, int, int | None]] = []
        code, at = b"", start
        for _ in range(self.rng.randint(1, 5)):
            callee = self.rng.choice([*self.starts[index:], *self.starts[index:], None])
            plain = NOP * self.rng.randint(1, 6)
            piece = plain + (call(at + len(plain), callee) if callee else b"")
            blocks.append((at, len(piece), callee))
            code, at = code + piece, at + len(piece)
        blocks.append((at, 2, None))
        self.memory.put(start, code, BX_LR)
        self.blocks[start] = blocks

    def _run(self, path: tuple[int, ...], depth: int) -> None:
        for at, size, callee in self.blocks[path[-1]]:
            take = callee is None or (depth < 9 and len(self.stream) < 60_000 and self.rng.random() < 0.9)
            if not take:  # as an instruction of an IT block that is skipped: execution falls through
                pass
            self.stream.append((at, size))
            key = path, at
            self.truth[key] = self.truth.get(key, 0) + 1
            if callee is not None and take:
                self._run((*path, callee), depth + 1)


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_are_attributed_to_their_true_call_paths(seed: int) -> None:
    made = RandomProgram(seed)
    for functions in (made.functions, []):
        recorded = BlockRecorder(made.memory.read, functions=functions)
        recorded.begin(made.starts[0])
        recorded.add(np.array(made.stream, np.uint32))
        assert paths(recorded) == made.truth
