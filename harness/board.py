"""Boards: hardware as data, one TOML file each in `boards/` (or any path the user names)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness import strict_toml
from harness.core import CORES, Core
from harness.errors import BoardError
from harness.files import is_plain_name, why_no_file

CACHES = ("none", "prefetch", "art", "icache", "nvm-cache")  # see Memory
BOARD_DIRECTORY = Path(__file__).parent / "boards"
_VECTOR_ALIGNMENT = 128  # VTOR has no lower bits (Armv7-M ARM, B3.2.5)
_CORE_SPACE = (0xE0000000, 0xE0100000)  # private peripheral bus (Armv7-M ARM, B3.1)
_MOST_INTERRUPTS = 496  # that a core of Armv7-M can have
_NO_REGISTERS = ("none", "semihosting")  # console drivers that have no peripheral
_NEEDED_SOURCES = ("core", "clock", "memory", "wait_states", "current", "console")


@dataclass(frozen=True, slots=True)
class Memory:
    """One memory region: [origin, origin + size). `kind` is "flash" or "ram".

    `wait_states` are the core's clock cycles that one read of `fetch_bytes` takes beyond the first, at the
    board's clock; where they are not known they are left at 0, which the board's sources then say. `cache`
    names what stands between the core and this memory when it fetches instructions:

    - "none": every read pays the wait states;
    - "prefetch": the next line is read ahead, nothing is kept;
    - "art": prefetch and a small cache of lines in the flash interface (ST's ART accelerator and its kin),
      sized by `cache_bytes`, `cache_line_bytes`, `cache_ways` (each 0 where not known, ways also where fully
      associative);
    - "icache": an instruction cache of the core or on its code bus, sized likewise. It also holds constants
      where code and constants share that bus (M33 parts), not where the core splits them (M7);
    - "nvm-cache": a cache inside the flash controller that serves code and constants alike.

    `data_cache_bytes` is the cache that data accesses to this memory go through: the M7's L1 data cache, or
    the literal lines of an ART. Tightly coupled memories are "ram" with 0 wait states and no cache.
    `code_miss_cycles` and `data_miss_cycles` are what bringing in one line costs the core, where that was measured; the
    sources say on what. Otherwise it follows from the wait states (`harness.profile.cycles.traced`).
    An alias (`alias_of`) is the whole of another memory seen at another address: it has no bytes of its own.
    """

    name: str
    kind: str
    origin: int
    size: int
    wait_states: int
    fetch_bytes: int
    cache: str
    cache_bytes: int
    cache_line_bytes: int
    cache_ways: int
    data_cache_bytes: int
    alias_of: str
    code_miss_cycles: float | None = None
    data_miss_cycles: float | None = None

    @property
    def end(self) -> int:
        return self.origin + self.size

    def holds(self, address: int) -> bool:
        return self.origin <= address < self.end


@dataclass(frozen=True, slots=True)
class Console:
    """The UART that carries the firmware's text: which driver runs it, and where its registers are.

    `enable` is what silicon needs before the driver starts, in order, by 32-bit accesses: clock gates, pin
    functions, the baud rate at the clock after reset. (address, bits) sets bits; with bit 0 of the address set,
    (address + 1, bits), it clears them. All of it is harmless in an emulator.
    `renode` is the peripheral's path in Renode ("sysbus.usart2"), "" where Renode has none. `irq` is the number of the
    UART's interrupt, None where it is not known here.
    """

    driver: str
    base: int
    enable: tuple[tuple[int, int], ...]
    renode: str
    irq: int | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """What lies at [low, high) is taken to lie in the memory of that name."""

    low: int
    high: int
    memory: str


@dataclass(frozen=True, slots=True)
class Board:
    """One board. `code` and `data` name the memories that firmware is linked into.

    `moved` is what execution is timed with as if it lay elsewhere (see `harness.what_if`); no board file has any.
    """

    name: str
    title: str
    vendor: str
    part: str
    core: Core
    fpu: str
    dsp: bool
    multiplier_cycles: int
    clock_hz: int
    memories: tuple[Memory, ...]
    code: str
    data: str
    vector_offset: int
    console: Console
    current_a_per_hz: float | None
    supply_v: float | None
    price_class: str
    renode_platform: str
    sources: tuple[tuple[str, str], ...]
    path: Path
    digest: str  # sha256 of the file, for provenance
    moved: tuple[Moved, ...] = ()

    @property
    def code_memory(self) -> Memory:
        return self.memory(self.code)

    @property
    def data_memory(self) -> Memory:
        return self.memory(self.data)

    @property
    def joules_per_cycle(self) -> float | None:
        """Supply voltage x run current per Hz: the whole chip while it computes; None where the file does not say."""
        if self.current_a_per_hz is None or self.supply_v is None:
            return None
        return self.supply_v * self.current_a_per_hz

    @property
    def target(self) -> str:
        """What firmware is compiled for, e.g. "cortex-m4+fpv4-sp-d16": boards that share it share objects."""
        parts = [self.core.name]
        if self.core.dsp == "optional" and self.dsp:
            parts.append("dsp")
        if self.fpu != "none":
            parts.append(self.fpu)
        return "+".join(parts)

    def memory(self, name: str) -> Memory:
        return next(memory for memory in self.memories if memory.name == name)

    def has_unified_cache(self, memory: Memory) -> bool:
        """Whether code and data of `memory` share a cache: see `Memory.cache`."""
        return memory.cache == "nvm-cache" or (memory.cache == "icache" and self.core.name != "cortex-m7")

    def region_of(self, address: int) -> Memory | None:
        """The memory that holds `address`, None outside all of them. Aliases count as what they alias.

        What is `moved` counts as being where it is moved to.
        """
        for moved in self.moved:
            if moved.low <= address < moved.high:
                return self.memory(moved.memory)
        for memory in self.memories:
            if memory.holds(address):
                return self.memory(memory.alias_of) if memory.alias_of else memory
        return None


def board_names() -> list[str]:
    """Names of the boards that come with the harness, sorted."""
    return sorted(path.stem for path in BOARD_DIRECTORY.glob("*.toml"))


def find_board(name: str, directory: Path | None = None) -> Board:
    """A built-in board by name, or a board file by path (absolute, or relative to `directory`).

    Raises BoardError with the nearest name.
    """
    if name.endswith(".toml"):
        path = (directory or Path()) / name
        if problem := why_no_file(path):
            raise BoardError(f"board file {path}: {problem}", hint="give the path of a board .toml, or a board name")
        return load_board(path.resolve())
    if name not in board_names():
        hint = strict_toml.did_you_mean(name, tuple(board_names()))
        raise BoardError(f"no board named {name!r}", hint=f"{hint}; or give the path of a board .toml")
    return load_board(BOARD_DIRECTORY / f"{name}.toml")


@cache
def load_board(path: Path) -> Board:
    """Read and check one board file; raises BoardError with file, line and key."""
    top = strict_toml.load(path, BoardError)
    core_table = top.needed_table("core")
    core = CORES[core_table.text("name", choices=tuple(CORES))]
    fpu = core_table.text("fpu", "none", choices=("none", *core.fpus))
    dsp = core_table.flag("dsp", core.dsp == "always")
    if (core.dsp == "never" and dsp) or (core.dsp == "always" and not dsp):
        raise core_table.fail("dsp", f"the {core.name} {core.dsp} has the DSP extension", hint="leave `dsp` out")
    multiplier_cycles = core_table.whole("multiplier_cycles", 1)
    if multiplier_cycles not in (1, 32):
        raise core_table.fail("multiplier_cycles", f"a Cortex-M multiplies in 1 or 32 cycles, not {multiplier_cycles}")
    core_table.done()
    clock = top.needed_table("clock")
    clock_hz = clock.whole_quantity("frequency", "hertz")
    if clock_hz == 0:
        raise clock.fail("frequency", "must be above 0")
    clock.done()
    memories = _memories(top)
    layout = top.needed_table("layout")
    ram = tuple(m.name for m in memories if m.kind == "ram")
    code = layout.text("code", choices=tuple(m.name for m in memories))
    data = layout.text("data", choices=ram)
    vector_offset = layout.whole_quantity("vector_offset", "bytes", 0)
    code_size = next(m.size for m in memories if m.name == code)
    if vector_offset % _VECTOR_ALIGNMENT or vector_offset >= code_size:
        raise layout.fail("vector_offset", f"must be a multiple of {_VECTOR_ALIGNMENT} B within {code}'s {code_size} B")
    layout.done()
    power = top.table("power")
    current = supply = None
    if power is not None:
        current = power.quantity("current_ua_per_mhz", "count") * 1e-12
        supply = power.quantity("supply_volts", "count")
        for key, value in (("current_ua_per_mhz", current), ("supply_volts", supply)):
            if value <= 0:
                raise power.fail(key, "must be above 0", hint="leave [power] out where no figure is known")
        power.done()
    renode = top.table("renode")
    platform = uart = ""
    if renode is not None:
        platform, uart = renode.text("platform"), renode.text("uart", "")
        renode.done()
    sources = _sources(top)
    board = Board(
        name=top.text("name"),
        title=top.text("title"),
        vendor=top.text("vendor"),
        part=top.text("part"),
        core=core,
        fpu=fpu,
        dsp=dsp,
        multiplier_cycles=multiplier_cycles,
        clock_hz=clock_hz,
        memories=memories,
        code=code,
        data=data,
        vector_offset=vector_offset,
        console=_console(top, uart, memories),
        current_a_per_hz=current,
        supply_v=supply,
        price_class=top.text("price_class", ""),
        renode_platform=platform,
        sources=sources,
        path=path,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    _check_name(top, board.name)
    if board.name != path.stem:
        raise top.fail("name", f"is {board.name!r} but the file is called {path.name}", hint="make them the same")
    top.done()
    return board


def _memories(top: strict_toml.Table) -> tuple[Memory, ...]:
    memories: list[Memory] = []
    for table in top.tables("memory"):
        memory = Memory(
            name=table.text("name"),
            kind=table.text("kind", choices=("flash", "ram")),
            origin=table.whole("origin"),
            size=table.whole_quantity("size", "bytes"),
            wait_states=table.whole("wait_states", 0),
            fetch_bytes=table.whole_quantity("fetch", "bytes", 4),
            cache=table.text("cache", "none", choices=CACHES),
            cache_bytes=table.whole_quantity("cache_size", "bytes", 0),
            cache_line_bytes=table.whole_quantity("cache_line", "bytes", 0),
            cache_ways=table.whole("cache_ways", 0),
            data_cache_bytes=table.whole_quantity("data_cache_size", "bytes", 0),
            alias_of=table.text("alias_of", ""),
            code_miss_cycles=_cycles(table, "code_miss_cycles"),
            data_miss_cycles=_cycles(table, "data_miss_cycles"),
        )
        table.done()
        _check_name(table, memory.name)
        if memory.origin < _CORE_SPACE[1] and _CORE_SPACE[0] < memory.end:
            raise table.fail("origin", f"{memory.name} lies where the core's own registers are, 0xe0000000-0xe00fffff")
        if memory.size == 0 or memory.end > 1 << 32:
            raise table.fail("size", f"{memory.name} does not lie within the 4 GiB address space, or is empty")
        for other in memories:
            if memory.name == other.name:
                raise table.fail("name", f"a memory named {memory.name!r} is there already")
            if memory.origin < other.end and other.origin < memory.end:
                raise table.fail(
                    "origin", f"{memory.name} overlaps {other.name} at {max(memory.origin, other.origin):#010x}"
                )
        if memory.alias_of:
            _check_alias(table, memory, memories)
        memories.append(memory)
    if not memories:
        raise top.fail("memory", "no memory at all", hint="add [[memory]] tables")
    return tuple(memories)


def _cycles(table: strict_toml.Table, key: str) -> float | None:
    return table.quantity(key, "count") if key in table else None


def _check_alias(table: strict_toml.Table, alias: Memory, before: list[Memory]) -> None:
    seen = {memory.name: memory for memory in before if not memory.alias_of}
    if alias.alias_of not in seen:
        hint = strict_toml.did_you_mean(alias.alias_of, tuple(seen))
        raise table.fail("alias_of", f"no memory named {alias.alias_of!r} stands before it", hint=hint)
    memory = seen[alias.alias_of]
    if alias.kind != memory.kind:
        raise table.fail("kind", f"is {alias.kind!r}, but {memory.name} is {memory.kind!r}")
    if alias.size != memory.size:
        raise table.fail(
            "size", f"{alias.name} has {alias.size} B, but {memory.name}, the same memory, {memory.size} B"
        )


def _check_name(table: strict_toml.Table, name: str) -> None:
    if not is_plain_name(name):
        raise table.fail("name", f"{name!r} is not a plain name", hint="use letters, digits, '_', '-', '+' and '.'")


def _console(top: strict_toml.Table, renode_uart: str, memories: tuple[Memory, ...]) -> Console:
    table = top.needed_table("console")
    console = Console(
        driver=table.text("driver"),
        base=table.whole("base"),
        enable=_register_steps(table, "enable"),
        renode=renode_uart,
        irq=table.whole("irq") if "irq" in table else None,
    )
    table.done()
    if console.irq is not None and not 0 <= console.irq < _MOST_INTERRUPTS:
        raise table.fail("irq", f"must be 0 to {_MOST_INTERRUPTS - 1}, got {console.irq}")
    if console.driver not in _NO_REGISTERS:
        if console.base % 4 or console.base >= 1 << 32:
            raise table.fail("base", f"expected a word-aligned 32-bit address, got {console.base:#x}")
        inside = next((memory for memory in memories if memory.holds(console.base)), None)
        if inside is not None:
            raise table.fail("base", f"{console.base:#010x} lies in {inside.name}, where no UART can be")
    return console


def _register_steps(table: strict_toml.Table, key: str) -> tuple[tuple[int, int], ...]:
    """The steps under `key`: [address, set] or [address, set, clear] (clear first), coded as in `Console.enable`."""
    steps = table.raw(key) if key in table else []
    if not isinstance(steps, list):
        raise table.fail(key, "expected a list of [address, set] or [address, set, clear]")
    found: list[tuple[int, int]] = []
    for step in steps:
        if not isinstance(step, list) or len(step) not in (2, 3) or not all(type(number) is int for number in step):
            raise table.fail(key, f"expected [address, set] or [address, set, clear] in whole numbers, got {step!r}")
        if not all(0 <= number < 1 << 32 for number in step) or step[0] % 4:
            raise table.fail(key, f"expected a word-aligned 32-bit address and 32-bit words, got {step!r}")
        address, bits, cleared = (*step, 0)[:3]
        if cleared:
            found.append((address | 1, cleared))
        if bits:
            found.append((address, bits))
    return tuple(found)


def _sources(top: strict_toml.Table) -> tuple[tuple[str, str], ...]:
    table = top.needed_table("sources")
    for key in _NEEDED_SOURCES:
        table.text(key)
    names = table.names()
    return tuple((name, table.text(name)) for name in names)
