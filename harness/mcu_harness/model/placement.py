"""Where blocks lie in one arena: a search over orders of "lowest place that is free" (offline dynamic storage
allocation). Among all orders there is one that gives the smallest arena, so the search can reach it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from mcu_harness.model.blocks import Block, occupancy

Order = list[int]
# More pairs of blocks that are in use together than this cost too much time and memory to look at one by one.
_MOST_PAIRS = 400_000
ORDERS = 7  # that `_orders` gives


def place(
    blocks: Sequence[Block],
    alignment: int,
    target_bytes: int,
    effort: int,
    closer: Iterable[tuple[int, int, int]] = (),
) -> list[int]:
    """An offset for every block, a multiple of `alignment` each.

    Blocks that are in use at the same time lie apart, but for the exceptions in `closer`: (low, high, distance) says that
    block `high` may start `distance` bytes above the start of block `low`, although `low` reaches further.

    Stops looking once `target_bytes` are met or, all the orders that tend to be good tried, about `effort` comparisons
    of two blocks are spent.
    """
    if _pairs(blocks) > _MOST_PAIRS:
        return _at_once(blocks, alignment)
    apart = _separations(blocks, alignment)
    for low, high, distance in closer:
        apart[low][high] = min(apart[low][high], -(-distance // alignment) * alignment)
    round_effort = 100 + 10 * len(blocks) + sum(len(neighbours) for neighbours in apart)
    sizes = [block.nbytes for block in blocks]
    best: Order = []
    best_offsets: list[int] = []
    best_top = -1
    candidates = _orders(blocks)
    shuffle = random.Random(len(blocks))  # noqa: S311  # a search, not a secret; the same plan every time
    while True:
        order = next(candidates, None)
        if order is None:
            if effort <= 0 or len(blocks) < 3:
                return best_offsets
            order = _moved(best, best_offsets, sizes, best_top, shuffle)
        offsets, top = _lowest_free(order, apart, sizes, best_top)
        if best_top < 0 or top <= best_top:
            best, best_offsets, best_top = order, offsets, top
        if best_top <= target_bytes:
            return best_offsets
        effort -= round_effort


def _pairs(blocks: Sequence[Block]) -> int:
    """Pairs of blocks that meet in time, at most: as if each were in use from its first to its last use."""
    firsts = np.sort([min(use.first for use in block.uses) for block in blocks])
    lasts = np.array([max(use.last for use in block.uses) for block in blocks])
    begun = np.searchsorted(firsts, lasts, side="right")  # blocks begun before this one ends, and so, summed up, ...
    ended = np.searchsorted(np.sort(lasts), [min(use.first for use in block.uses) for block in blocks], side="left")
    return int((begun - ended).sum()) // 2


def _at_once(blocks: Sequence[Block], alignment: int) -> list[int]:
    """Offsets for very many blocks: the largest first, each in the lowest gap among those that it meets in time."""
    first = np.array([min(use.first for use in block.uses) for block in blocks])
    last = np.array([max(use.last for use in block.uses) for block in blocks])
    size = np.array([-(-block.nbytes // alignment) * alignment for block in blocks])
    offsets = np.full(len(blocks), -1, np.int64)
    for block in sorted(range(len(blocks)), key=lambda i: (-size[i], i)):
        met = np.flatnonzero((offsets >= 0) & (first <= last[block]) & (last >= first[block]))
        met = met[np.argsort(offsets[met], kind="stable")]
        ends = np.maximum.accumulate(np.append(0, offsets[met] + size[met]))
        starts = np.append(offsets[met], np.iinfo(np.int64).max)
        offsets[block] = ends[np.flatnonzero(starts - ends >= size[block])[0]]
    return [int(offset) for offset in offsets]


def _separations(blocks: Sequence[Block], alignment: int) -> list[dict[int, int]]:
    """`[a][b]`: how far above the start of a must b start, if it lies above; only for blocks that meet in time.

    A sweep over all uses by the moment at which they begin: the cost is the number of pairs that meet.
    """
    result: list[dict[int, int]] = [{} for _ in blocks]
    uses = sorted(
        (use.first, use.last, number, use.nbytes) for number, block in enumerate(blocks) for use in block.uses
    )
    active: list[tuple[int, int, int]] = []
    for first, last, a, size in uses:
        active = [use for use in active if use[0] >= first]
        room = -(-size // alignment) * alignment
        for _, b, other_size in active:
            if a != b:
                other_room = -(-other_size // alignment) * alignment
                result[a][b] = max(room, result[a].get(b, 0))
                result[b][a] = max(other_room, result[b].get(a, 0))
        active.append((last, a, size))
    return result


def _lowest_free(
    order: Order, apart: Sequence[dict[int, int]], sizes: Sequence[int], most: int
) -> tuple[list[int], int]:
    """Place blocks in turn, each as low as those before it allow: their offsets, and where the topmost of them ends.

    With `most` 0 or more, an order that reaches above it is given up there: the blocks after that have no place.
    """
    offsets, top = [-1] * len(order), 0
    for block in order:
        taken = []
        for other, distance in apart[block].items():
            at = offsets[other]
            if at >= 0:
                taken.append((at - distance, at + apart[other][block]))
        taken.sort()
        offset = 0
        for low, high in taken:  # offsets strictly between low and high are not free
            if low < offset < high:
                offset = high
        offsets[block] = offset
        end = offset + sizes[block]
        if end > top:
            top = end
            if 0 <= most < top:
                break
    return offsets, top


def _orders(blocks: Sequence[Block]) -> Iterator[Order]:
    """Orders that tend to be good: the large, the long-lived, and what is there when memory is tightest come first."""
    live = {moment: sum(sizes.values()) for moment, sizes in occupancy(blocks).items()}
    tightest = [max(live[m] for use in block.uses for m in range(use.first, use.last + 1)) for block in blocks]
    length = [sum(use.last - use.first + 1 for use in block.uses) for block in blocks]
    keys: tuple[Callable[[int], tuple[int, ...]], ...] = (
        lambda i: (-blocks[i].nbytes, -length[i]),
        lambda i: (-tightest[i], -blocks[i].nbytes),
        lambda i: (-tightest[i], -length[i], -blocks[i].nbytes),
        lambda i: (-blocks[i].nbytes * length[i],),
        lambda i: (-length[i], -blocks[i].nbytes),
        lambda i: (blocks[i].uses[0].first, -blocks[i].nbytes),
        lambda i: (-blocks[i].uses[-1].last, -blocks[i].nbytes),
    )
    for key in keys:
        yield sorted(range(len(blocks)), key=lambda i: (*key(i), i))


def _moved(order: Order, offsets: Sequence[int], sizes: Sequence[int], top: int, shuffle: random.Random) -> Order:
    """`order` with one block moved forward: half of the time one that reaches the arena's end."""
    highest = [block for block in order if offsets[block] + sizes[block] == top]
    chosen = shuffle.choice(highest if shuffle.random() < 0.5 else order)
    result = [block for block in order if block != chosen]
    result.insert(shuffle.randrange(order.index(chosen) + 1), chosen)
    return result
