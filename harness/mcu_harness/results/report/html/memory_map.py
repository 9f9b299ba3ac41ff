"""The board's memories with what lies where, drawn to scale: sections by address, the stack, what is free."""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.base import units
from mcu_harness.results.memory_records import RegionResult, SectionResult, SymbolResult
from mcu_harness.results.records import RunResult

# Below this share of a memory, what is used is drawn once more, enlarged.
_ENLARGE_BELOW = 0.4
_NAMED_SYMBOLS = 3


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes at an address. `kind` is a style class; `left` and `width` are percentages of the bar they are drawn in."""

    kind: str
    title: str
    about: str
    start: int
    size: int
    left: float
    width: float

    @property
    def place(self) -> str:
        return f"{self.start:#010x}"


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of addresses drawn as one bar."""

    start: int
    end: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class RegionMap:
    """A memory: the whole of it, and its used part enlarged where that would be too small to see (None else)."""

    region: RegionResult
    whole: Bar
    enlarged: Bar | None
    over: int

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.whole.parts


def memory_map(run: RunResult) -> list[RegionMap]:
    """Every memory of the board, by address."""
    return [_region(region, run) for region in sorted(run.regions, key=lambda region: region.origin)]


def _region(region: RegionResult, run: RunResult) -> RegionMap:
    found = _parts(region, run)
    end = max([region.origin + region.capacity_bytes, *(start + size for _, _, _, start, size in found)])
    whole = _bar(region.origin, end, found)
    fixed = [part for part in found if part[0] != "stack" and part[0] != "free-stack"]
    enlarged = None
    if fixed:
        first, last = min(part[3] for part in fixed), max(part[3] + part[4] for part in fixed)
        if (last - first) / (end - region.origin) < _ENLARGE_BELOW:
            enlarged = _bar(first, last, fixed)
    return RegionMap(region, whole, enlarged, max(0, region.used_bytes - region.capacity_bytes))


_Found = tuple[str, str, str, int, int]


def _parts(region: RegionResult, run: RunResult) -> list[_Found]:
    found: list[_Found] = []
    for section in run.sections:
        size = section.size_bytes or section.flash_bytes or section.ram_bytes
        if section.address is not None and section.region == region.name and size:
            found.append((_kind(section), section.name, _contents(section, run), section.address, size))
        if _stored_elsewhere(section) and section.load_region == region.name and section.load_address is not None:
            title = f"{section.name}, initial values"
            found.append(("init", title, "copied to RAM at start", section.load_address, section.flash_bytes))
    found += _stack(region, run)
    return sorted(found, key=lambda part: (part[3], part[4]))


def _stored_elsewhere(section: SectionResult) -> bool:
    return section.load_address is not None and section.load_address != section.address


def _kind(section: SectionResult) -> str:
    if section.ram_bytes:
        return "data" if section.flash_bytes else "bss"
    return {".text": "code", ".rodata": "constants", ".vectors": "vectors"}.get(section.name, "other")


def _contents(section: SectionResult, run: RunResult) -> str:
    """The largest symbols of a section, in words."""
    inside = [symbol for symbol in run.symbols if symbol.section == section.name]
    inside.sort(key=lambda symbol: (-_size(symbol), symbol.name))
    named = [f"{symbol.name} ({units.format_count(_size(symbol))} B)" for symbol in inside[:_NAMED_SYMBOLS]]
    rest = len(inside) - len(named)
    return ", ".join(named) + (f" and {rest} more" if rest else "")


def _size(symbol: SymbolResult) -> int:
    return max(symbol.flash_bytes, symbol.ram_bytes)


def _stack(region: RegionResult, run: RunResult) -> list[_Found]:
    area = run.stack_area
    if area is None or not region.origin < area.top <= region.origin + region.capacity_bytes:
        return []
    used = run.value("stack_hwm_bytes")
    deepest = area.top - int(used) if used is not None else area.top
    found: list[_Found] = []
    if deepest > area.limit:
        about = "free: the stack never reached it" if used is not None else "free for the stack"
        found.append(("free-stack", "room for the stack", about, area.limit, deepest - area.limit))
    if used:
        found.append(("stack", "stack, high-water mark", "grows down from the top", deepest, int(used)))
    return found


def _bar(start: int, end: int, found: list[_Found]) -> Bar:
    span = max(1, end - start)
    parts = []
    for kind, title, about, address, size in found:
        left = (address - start) / span * 100
        width = min(size / span * 100, 100 - left)
        parts.append(Part(kind, title, about, address, size, round(left, 4), round(max(width, 0.15), 4)))
    return Bar(start, end, tuple(parts))
