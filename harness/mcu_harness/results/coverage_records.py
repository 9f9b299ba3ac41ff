"""What of firmware's source ran, as results keep it and reports show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineCoverage:
    """`count` is how often the most executed instruction of the line ran."""

    line: int
    count: int


@dataclass(frozen=True, slots=True)
class BranchCoverage:
    """A conditional branch of the machine code; `number` tells apart those of one line, in the order of their addresses."""

    line: int
    number: int
    taken: int
    not_taken: int


@dataclass(frozen=True, slots=True)
class FunctionCoverage:
    """`count` is how often the function was entered; `line` is where it begins."""

    name: str
    line: int
    count: int


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """A source file, called as the compiler called it. Everything in it that has code is listed, whether it ran or not."""

    path: str
    lines: tuple[LineCoverage, ...]
    branches: tuple[BranchCoverage, ...]
    functions: tuple[FunctionCoverage, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """`covered` of `total`."""

    covered: int
    total: int

    @property
    def fraction(self) -> float | None:
        """None of nothing."""
        return self.covered / self.total if self.total else None

    def __str__(self) -> str:
        return f"{self.covered:,} of {self.total:,} ({100 * self.covered / self.total:.1f} %)" if self.total else "none"


@dataclass(frozen=True, slots=True)
class Coverage:
    """All files, by path."""

    files: tuple[FileCoverage, ...] = ()

    @property
    def lines(self) -> Share:
        return lines_of(self.files)

    @property
    def branches(self) -> Share:
        """Ways out of conditional branches: two of each."""
        return branches_of(self.files)

    @property
    def functions(self) -> Share:
        return functions_of(self.files)

    @property
    def never_entered(self) -> tuple[tuple[str, FunctionCoverage], ...]:
        """(file, function) of the functions that never ran."""
        return tuple((file.path, function) for file in self.files for function in file.functions if not function.count)


def lines_of(files: Iterable[FileCoverage]) -> Share:
    counts = [line.count for file in files for line in file.lines]
    return Share(sum(1 for count in counts if count), len(counts))


def branches_of(files: Iterable[FileCoverage]) -> Share:
    ways = [way for file in files for branch in file.branches for way in (branch.taken, branch.not_taken)]
    return Share(sum(1 for way in ways if way), len(ways))


def functions_of(files: Iterable[FileCoverage]) -> Share:
    counts = [function.count for file in files for function in file.functions]
    return Share(sum(1 for count in counts if count), len(counts))


def merged(coverages: Iterable[Coverage]) -> Coverage:
    """All of them together: what ran in any of them ran; counts add up."""
    files: dict[str, list[FileCoverage]] = defaultdict(list)
    for coverage in coverages:
        for file in coverage.files:
            files[file.path].append(file)
    return Coverage(tuple(_one(path, files[path]) for path in sorted(files)))


def _one(path: str, files: list[FileCoverage]) -> FileCoverage:
    lines: dict[int, int] = defaultdict(int)
    branches: dict[tuple[int, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    functions: dict[tuple[int, str], int] = defaultdict(int)
    for file in files:
        for line in file.lines:
            lines[line.line] += line.count
        for branch in file.branches:
            taken, not_taken = branches[branch.line, branch.number]
            branches[branch.line, branch.number] = taken + branch.taken, not_taken + branch.not_taken
        for function in file.functions:
            functions[function.line, function.name] += function.count
    return FileCoverage(
        path,
        tuple(LineCoverage(*item) for item in sorted(lines.items())),
        tuple(BranchCoverage(*key, *ways) for key, ways in sorted(branches.items())),
        tuple(FunctionCoverage(name, line, count) for (line, name), count in sorted(functions.items())),
    )
