"""The most stack that a program can need by its call graph, which is read from its machine code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mcu_harness.analysis.stack.frames import CallSite, Frame, Frames
from mcu_harness.image.program import Program
from mcu_harness.results.memory_records import StackStep

_MOST_FUNCTIONS = 20_000
_MOST_STEPS = 5_000  # of the search for a way to a function


@dataclass(frozen=True, slots=True)
class StaticStack:
    """`path` is the deepest; `nbytes` is its sum. With `open_ends` it is a least: each says what is not in it."""

    nbytes: int
    path: tuple[StackStep, ...]
    open_ends: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    """A function: how deep it and what it calls are, and which call leads there."""

    frame: Frame
    calls: Iterator[CallSite]
    deepest: int
    through: CallSite | None = None
    waits_for: CallSite | None = field(default=None)


class CallGraph:
    """What calls what, from the functions at which execution can start."""

    def __init__(self, program: Program, frames: Frames) -> None:
        self._program = program
        self._frames = frames

    def name(self, entry: int) -> str:
        """A function by its symbol, or its address."""
        function = self._program.function_at(entry)
        return function.name if function is not None else f"{entry:#010x}"

    def worst(self, root: int) -> StaticStack:
        """The deepest path from the function at `root`; exceptions, which come on top of it, are not in it."""
        done: dict[int, _Node] = {}
        open_ends: dict[str, None] = {}
        stack = [self._node(root, open_ends)]
        on_path = {root}
        while stack:
            node = stack[-1]
            site = next(node.calls, None)
            if site is None:
                on_path.discard(node.frame.entry)
                done[node.frame.entry] = node
                stack.pop()
                if stack and stack[-1].waits_for is not None:
                    self._add(stack[-1], stack[-1].waits_for, node.deepest)
                continue
            name = self.name(node.frame.entry)
            if site.target is None:
                open_ends[f"{name} calls through a pointer"] = None
            elif site.target in on_path:
                open_ends[f"{self.name(site.target)} is recursive"] = None
            elif site.target in done:
                self._add(node, site, done[site.target].deepest)
            elif len(done) + len(stack) >= _MOST_FUNCTIONS:
                open_ends[f"there are more than {_MOST_FUNCTIONS:,} functions"] = None
            else:
                node.waits_for = site
                stack.append(self._node(site.target, open_ends))
                on_path.add(site.target)
        return StaticStack(done[root].deepest, self._path(root, done), tuple(open_ends))

    def callers(self, root: int, function: int, depth: int | None = None) -> tuple[StackStep, ...] | None:
        """How execution gets from `root` to `function`: the first path found, with its depths.

        With `depth`, the first that has so many bytes on the stack at the entry of `function`. None without a path.
        """
        paths: list[tuple[int, tuple[tuple[int, int], ...]]] = [(root, ())]
        seen: set[tuple[int, int]] = set()
        while paths and len(seen) < _MOST_STEPS:
            entry, path = paths.pop(0)
            total = sum(nbytes for _, nbytes in path)
            if entry == function and path and depth in (None, total):
                return tuple(StackStep(self.name(at), nbytes) for at, nbytes in path)
            if (entry, total) in seen or (depth is not None and total > depth):
                continue
            seen.add((entry, total))
            for target, at_call in sorted(
                {(s.target, max(0, s.depth)) for s in self._frames.at(entry).calls if s.target}
            ):
                if all(target != at for at, _ in path):
                    paths.append((target, (*path, (entry, at_call))))
        return None

    def _node(self, entry: int, open_ends: dict[str, None]) -> _Node:
        frame = self._frames.at(entry)
        if frame.unknown:
            open_ends[f"{self.name(entry)} {frame.unknown}"] = None
        return _Node(frame, iter(frame.calls), frame.deepest)

    @staticmethod
    def _add(node: _Node, site: CallSite, below: int) -> None:
        if site.depth + below > node.deepest:
            node.deepest, node.through = site.depth + below, site

    def _path(self, root: int, done: dict[int, _Node]) -> tuple[StackStep, ...]:
        steps = []
        entry: int | None = root
        while entry is not None:
            node = done[entry]
            site = node.through
            steps.append(StackStep(self.name(entry), node.frame.deepest if site is None else max(0, site.depth)))
            entry = None if site is None else site.target
        return tuple(steps)
