"""How reports show the accesses of a memory trace: rows of plain text, most bytes first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from mcu_harness.results.access_records import MemoryAccesses, MemoryObject
from mcu_harness.results.records import RunResult
from mcu_harness.results.report import text
from mcu_harness.results.report.terminal_table import terminal_table

Row = tuple[str, ...]
COUNTS = ("reads", "bytes read", "writes", "bytes written")
LAYER_TITLES = ("layer", "memory", *COUNTS)
OBJECT_TITLES = ("what", "kind", "memory", "size B", *COUNTS)
TENSOR_TITLES = ("layer", "tensor", *COUNTS)
WHOLE = "(all)"
OUTSIDE = "(outside of these)"
ABOUT = "Per inference. An instruction that moves several words is one access."

_ARENA = ("tensor", "scratch")
_Counts = tuple[float | int, float | int, float | int, float | int]


def layer_name(run: RunResult, layer: int) -> str:
    """What a layer of the accesses is called, with "(outside of these)" for -1."""
    return run.layers[layer].name if 0 <= layer < len(run.layers) else OUTSIDE


def by_layer(run: RunResult) -> list[Row]:
    """Accesses of each layer to each memory, and first, of the whole to each."""
    found = run.accesses
    if found is None:
        return []
    rows: dict[tuple[int | None, str], _Counts] = defaultdict(lambda: (0, 0, 0, 0))
    for each, counts in _counted(found):
        memory = _memory(found.objects[each[1]])
        for layer in (None, each[0]) if run.layers else (None,):
            rows[layer, memory] = _sum(rows[layer, memory], counts)
    order = {layer: nth for nth, layer in enumerate([None, *range(len(run.layers)), -1])}
    keys = sorted(rows, key=lambda key: (order.get(key[0], len(order)), -_moved(rows[key]), key[1]))
    return [
        (WHOLE if layer is None else layer_name(run, layer), memory, *_cells(rows[layer, memory]))
        for layer, memory in keys
    ]


def by_object(run: RunResult, most: int) -> tuple[list[Row], int]:
    """Accesses to each object, at most so many rows, and how many more there are."""
    found = run.accesses
    if found is None:
        return [], 0
    rows: dict[int, _Counts] = defaultdict(lambda: (0, 0, 0, 0))
    for (_, index), counts in _counted(found):
        rows[index] = _sum(rows[index], counts)
    ordered = sorted(rows, key=lambda index: (-_moved(rows[index]), index))
    return [_object(found.objects[index], rows[index]) for index in ordered[:most]], max(0, len(ordered) - most)


def by_tensor(run: RunResult, most: int) -> tuple[list[Row], int]:
    """What each layer read and wrote of each tensor and scratch buffer in the arena, in the order of the layers."""
    found = run.accesses
    if found is None:
        return [], 0
    rows = [
        (layer_name(run, layer), found.objects[index].name, *_cells(counts))
        for (layer, index), counts in _counted(found)
        if found.objects[index].kind in _ARENA
    ]
    return rows[:most], max(0, len(rows) - most)


def missing(run: RunResult) -> str:
    """Why a trace that was asked for is not there, "" where it is or was not asked for."""
    return run.accesses.missing if run.accesses else ""


def lines(run: RunResult, most: int) -> list[str]:
    """For a terminal; [] where no trace was asked for."""
    if run.accesses is None:
        return []
    if run.accesses.missing:
        return [f"Memory accesses: {run.accesses.missing}"]

    def table(titles: Sequence[str], rows: Sequence[Row]) -> list[str]:
        alignment = ["left"] * (len(titles) - len(COUNTS)) + ["right"] * len(COUNTS)
        return terminal_table(titles, rows, alignment).splitlines()

    objects, more = by_object(run, most)
    found = [f"Memory accesses. {ABOUT}", "", *table(LAYER_TITLES, by_layer(run)), ""]
    found += table(OBJECT_TITLES, [(_clipped(row[0]), *row[1:]) for row in objects])
    return [*found, *([f"and {more} more"] if more else [])]


def _counted(found: MemoryAccesses) -> list[tuple[tuple[int, int], _Counts]]:
    return [
        ((each.layer, each.object), (each.reads, each.read_bytes, each.writes, each.written_bytes))
        for each in found.accesses
        if 0 <= each.object < len(found.objects)
    ]


def _sum(one: _Counts, other: _Counts) -> _Counts:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def _moved(counts: _Counts) -> float | int:
    return counts[1] + counts[3]


def _cells(counts: _Counts) -> Row:
    return tuple(text.number(count) for count in counts)


def _object(found: MemoryObject, counts: _Counts) -> Row:
    size = text.number(found.nbytes) if found.nbytes else ""
    return found.name, found.kind, _memory(found), size, *_cells(counts)


def _memory(found: MemoryObject) -> str:
    return found.region or f"({found.kind})"


def _clipped(name: str) -> str:
    return name if len(name) <= 60 else name[:57] + "..."
