"""The block recorder's state and tables, which its compiled part works on.

Index 0 of each table is a dummy that means "none". Everything is made of 64-bit words (`rows`).
"""

from __future__ import annotations

from mcu_harness.emulator.recorder.rows import Row, row


@row()
class State(Row):
    """What there is once: counters, and where the tables and callbacks are."""

    edge: int  # the last step's edge, by its offset in the table
    left: int  # counts down the time (see `Block.ticks`) until Python is asked whether to go on
    depth: int  # frames on the stack of calls
    stopped: int  # why the run was stopped: STOP_..., 0 while it goes on
    interrupts: int  # whether code may be left for an exception that nobody tells of
    max_depth: int  # contexts below which recursion folds back
    edges: int
    edge_count: int
    edge_room: int
    edge_index: int  # a hash table of offsets of edges
    edge_mask: int
    blocks: int
    block_index: int  # a hash table of numbers of blocks
    block_mask: int
    contexts: int
    context_count: int
    context_room: int
    frames: int
    frame_room: int
    decode: int  # callbacks: the number of a block that is new; whether to go on; make room in a table
    check: int
    grow: int
    emu_stop: int
    new_block: int  # `on_new_block`
    held: int  # whether an exception is held back, so that blocks that may unmask it are asked about
    window: int  # windows begun
    price: int  # a callback: what a new step takes more than its block; 0 without one
    stack_pointer: int  # where the core's stack pointer is, in this process
    stack_low: int  # the lowest address of the stack's area
    # Of the task's stack that is in use: the lowest stack pointer so far (0: not watched), and the edge that it was taken with.
    task_lowest: int
    task_edge: int
    # The window's function: the stack pointer that it was entered with, how many above it are of the same stack (0: not
    # watched), its caller, whether it was found to be off the stack, and whether the step by which it was is still to be recorded.
    frame_end: int
    frame_span: int
    frame_caller: int
    frame_left: int
    frame_leaves: int


@row(8)
class Block(Row):
    """A block of code, by its number. `key` is its address << 32 | its size in bytes, or in instructions where the emulator
    counts those. `kind` has the kinds of `thumb` and flags. `ticks` is what `State.left` counts down by: its instructions,
    or with a clock, the time that the block takes. `target` and `function` (its start) are -1 where not known.
    """

    key: int
    instructions: int
    kind: int
    target: int
    end: int
    function: int
    ticks: int


@row(16)
class Edge(Row):
    """A step from the block `prior` in `from_context` to the block `current` in `to_context`, and how often it was taken.

    `key`, `ticks` and `end` are those of `current`; `likely` and `unlikely` are the last two different edges that followed,
    by their offsets: that is the fast path. `lowest` is the lowest stack pointer that the step was taken with, counted from
    `State.stack_low`; NO_STACK: none in the area.
    """

    key: int
    ticks: int
    action: int
    count: int
    likely: int
    unlikely: int
    to_context: int
    end: int
    current: int
    prior: int
    from_context: int
    lowest: int


@row(8)
class Context(Row):
    """A calling context: `entry` was called from `parent`, or jumped to (`tail`). Its children are a list, newest first.

    `called_in` is the window that it was last called in, of functions whose calls are told apart.
    """

    parent: int
    entry: int
    tail: int
    function: int
    depth: int
    first_child: int
    sibling: int
    called_in: int


@row(4)
class Frame(Row):
    """A call that has not returned: where it returns to (or EXCEPTION, TAKEN), and where it was made."""

    return_to: int
    caller: int
    caller_block: int


# Flags of `Block.kind`, above the kinds of `thumb`.
KIND_MASK, HANDLER, ENDLESS, UNMASKS = 0xFF, 0x100, 0x200, 0x400
EACH_CALL, MOST_CALLS = 0x800, 1000  # the nth call of a window has a context of its own, with the nth of other windows
# `Edge.action`: what an edge does to the stack of calls. SLOW ones are resolved anew each time.
STAY, PUSH, POP, JUMP, SLOW = range(5)
NO_STACK = 0xFFFFFFFF
# `Frame.return_to`: an exception that was recognised; one that the emulator took.
EXCEPTION, TAKEN = -2, -3
# Blocks that stand for what came before the first one: the start of a window, and how a handler was entered.
NO_BLOCK, ENTERED, ENTERED_WITH_FLOATS, CHAINED, FIRST_BLOCK = range(5)
# Contexts: outside the measured windows, and where a window begins.
OUTSIDE, ROOT = 0, 1
# Edges that counting starts at, by offset, and the number of the first true one.
START_OUTSIDE, START_ROOT, START_TAKEN, FIRST_EDGE = Edge.nbytes, 2 * Edge.nbytes, 3 * Edge.nbytes, 4
# `State.stopped`.
STOP_ENDLESS, STOP_CHECK, STOP_ERROR = 1, 2, 3
# What `State.grow` is asked to make room in.
GROW_EDGES, GROW_CONTEXTS, GROW_FRAMES = range(3)


def hash_block(key: int) -> int:
    """Where in the index of blocks to look for a key first, before the mask."""
    return (key >> 33) + (key & 0xFFFF) * 40503
