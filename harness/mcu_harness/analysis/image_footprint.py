"""An image by itself, without a board and without a run: where its bytes are, whose they are, and which are there twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mcu_harness.analysis.memory_fit import largest_symbols
from mcu_harness.base import units
from mcu_harness.base.text import one_line
from mcu_harness.image.debug_info import variable_files
from mcu_harness.image.footprint import Footprint, Memories, RegionUse, read_footprint
from mcu_harness.image.line_table import SourceLines
from mcu_harness.image.program import Program, Symbol
from mcu_harness.image.symbol_names import readable
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Contributor, Finding, Verdict

_LEAST_COPY_BYTES = 16  # shorter ones are alike by chance, and nobody would merge them
_PADDING = "(padding)"
_UNATTRIBUTED = "(unattributed"
_CONTRIBUTORS = 5


@dataclass(frozen=True, slots=True)
class SymbolRow:
    """A symbol's bytes. `file` is its source file as the compiler wrote it, "" where nothing in the image says it."""

    name: str
    file: str
    section: str
    region: str
    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True, slots=True)
class Copies:
    """Symbols in flash with the same `size` bytes; all but one of them could go."""

    names: tuple[str, ...]
    size: int

    @property
    def wasted_bytes(self) -> int:
        return self.size * (len(self.names) - 1)


@dataclass(frozen=True, slots=True)
class ImageFootprint:
    """`flash_bytes`, `ram_bytes` and regions as `Footprint` has them; rows with the most bytes first.

    `padding_bytes` lie between sections, `unattributed_bytes` belong to no symbol (alignment, literals, vectors).
    `outside` are sections that lie in no region.
    """

    flash_bytes: int
    ram_bytes: int
    regions: tuple[RegionUse, ...]
    symbols: tuple[SymbolRow, ...]
    copies: tuple[Copies, ...]
    padding_bytes: int
    unattributed_bytes: int
    outside: tuple[str, ...]
    footprint: Footprint

    def by_file(self) -> list[tuple[str, int, int]]:
        """Flash and RAM bytes of each source file, most first; "" stands for symbols of no known file."""
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for row in self.symbols:
            sums[row.file][0] += row.flash_bytes
            sums[row.file][1] += row.ram_bytes
        return sorted(((file, flash, ram) for file, (flash, ram) in sums.items()), key=lambda r: (-r[1] - r[2], r[0]))


def image_footprint(program: Program, memories: Memories) -> ImageFootprint:
    """Everything that is known of `program` from its file alone, with `memories` of a board or a linker script."""
    footprint = read_footprint(program, memories)
    lines, variables = SourceLines(program), variable_files(program.path)
    by_name: dict[tuple[str, str], Symbol] = {}
    for symbol in program.symbols:
        by_name.setdefault((one_line(symbol.name), symbol.section), symbol)
    rows = []
    for use in footprint.symbols:
        known = by_name.get((use.name, use.section))
        file = _file(known, lines, variables) if known else ""
        rows.append(SymbolRow(readable(use.name), file, use.section, use.region, use.flash_bytes, use.ram_bytes))
    return ImageFootprint(
        flash_bytes=footprint.flash_bytes,
        ram_bytes=footprint.ram_bytes,
        regions=footprint.regions,
        symbols=tuple(sorted(rows, key=lambda row: (-row.flash_bytes - row.ram_bytes, row.name, row.section))),
        copies=tuple(_copies(program)),
        padding_bytes=sum(row.flash_bytes for row in rows if row.name == _PADDING),
        unattributed_bytes=sum(row.flash_bytes for row in rows if row.name.startswith(_UNATTRIBUTED)),
        outside=footprint.outside,
        footprint=footprint,
    )


def _file(symbol: Symbol, lines: SourceLines, variables: Mapping[int, str]) -> str:
    if symbol.kind == "function":
        line = lines.at(symbol.address)
        if line is not None:
            return line.path
    return variables.get(symbol.address) or one_line(symbol.file)


def _copies(program: Program) -> Iterable[Copies]:
    """Symbols with the same content, most wasted bytes first. Symbols at one address are one and the same."""
    found: dict[bytes, dict[int, str]] = defaultdict(dict)
    stored = {section.name for section in program.sections if section.in_file}
    for symbol in program.symbols:
        if symbol.size < _LEAST_COPY_BYTES or symbol.section not in stored:
            continue
        data = program.bytes_at(symbol.address, symbol.size)
        if len(data) == symbol.size and data.strip(b"\0"):
            found[data].setdefault(symbol.address, readable(one_line(symbol.name)))
    copies = [Copies(tuple(sorted(names.values())), len(data)) for data, names in found.items() if len(names) > 1]
    return sorted(copies, key=lambda each: (-each.wasted_bytes, each.names))


def check_region_budgets(image: ImageFootprint, budgets: Mapping[str, float]) -> list[Finding]:
    """A finding for each region (or "flash" or "ram") above its budget in bytes, and for each that is over its size.

    Raises KeyError for a budget on a region that there is not.
    """
    used = {region.region: region.used for region in image.regions}
    totals = {"flash": image.flash_bytes, "ram": image.ram_bytes}
    findings = []
    for name, limit in budgets.items():
        value = used[name] if name in used else totals[name]
        if value > limit:
            findings.append(_over(image, name, value, limit, "over the budget of"))
    for region in image.regions:
        if region.used > region.capacity:
            findings.append(_over(image, region.region, region.used, region.capacity, "more than its"))
    return findings


def _over(image: ImageFootprint, name: str, value: float, limit: float, relation: str) -> Finding:
    rows = [row for row in image.symbols if row.region == name]
    largest: tuple[Contributor, ...] = tuple(
        Contributor(row.name, row.flash_bytes or row.ram_bytes) for row in rows[:_CONTRIBUTORS]
    )
    if not rows:
        largest = largest_symbols(image.footprint, name, _CONTRIBUTORS)
    kind = next((region.kind for region in image.regions if region.region == name), name)
    return Finding(
        code=Code.FIT_FLASH if kind == "flash" else Code.FIT_RAM,
        verdict=Verdict.FAIL,
        message=f"{name} is {units.format_bytes(value)}, {units.format_bytes(value - limit)} {relation} "
        f"{units.format_bytes(limit)}",
        advice="cut the largest symbols, or raise the limit",
        limit=limit,
        measured=value,
        unit="B",
        contributors=largest,
    )


@dataclass(frozen=True, slots=True)
class SymbolChange:
    """A symbol's bytes before and after; 0 where it is not there."""

    name: str
    file: str
    before: int
    after: int

    @property
    def delta(self) -> int:
        return self.after - self.before


def changed_symbols(before: ImageFootprint, after: ImageFootprint) -> list[SymbolChange]:
    """What grew or shrank between two images, in flash and RAM together, largest change first."""

    def sums(image: ImageFootprint) -> dict[tuple[str, str], int]:
        total: dict[tuple[str, str], int] = defaultdict(int)
        for row in image.symbols:
            total[row.name, row.file] += max(row.flash_bytes, row.ram_bytes)
        return total

    old, new = sums(before), sums(after)
    changes = [SymbolChange(*key, old.get(key, 0), new.get(key, 0)) for key in old.keys() | new.keys()]
    return sorted((c for c in changes if c.delta), key=lambda c: (-abs(c.delta), c.name, c.file))
