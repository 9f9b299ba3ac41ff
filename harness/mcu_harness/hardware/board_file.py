"""Reads and checks board files: one TOML each in `boards/`, or any path the user names."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from mcu_harness.base import toml_reader, units
from mcu_harness.base.errors import BoardError
from mcu_harness.base.files import why_no_file
from mcu_harness.base.text import is_plain_name
from mcu_harness.hardware.arm.address_map import PRIVATE_BUS
from mcu_harness.hardware.board import CACHES, Board, Console, FlashController, Memory, RegisterStep
from mcu_harness.hardware.core import CORES, Core
from mcu_harness.hardware.flash_controllers import FAMILIES
from mcu_harness.hardware.peripheral import read_peripherals

BOARD_DIRECTORY = Path(__file__).parent / "boards"
_VECTOR_ALIGNMENT = 128  # VTOR has no lower bits (Armv7-M ARM, B3.2.5)
# Above everything that a board with a Cortex-M has.
_MOST_CACHE_BYTES = 16 << 20
_MOST_LINE_BYTES = 1 << 10
_MOST_WAYS = 1 << 10
_MOST_WAIT_CYCLES = 100_000
_MOST_UA_PER_MHZ = 1_000_000
_MOST_VOLTS = 1_000
_MOST_MEMORIES = 64
_MOST_STEPS = 1_000
_NO_REGISTERS = ("none", "semihosting")  # console drivers that have no peripheral
_NEEDED_SOURCES = ("core", "clock", "memory", "wait_states", "current", "console")


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
        hint = toml_reader.did_you_mean(name, tuple(board_names()))
        raise BoardError(f"no board named {name!r}", hint=f"{hint}; or give the path of a board .toml")
    return load_board(BOARD_DIRECTORY / f"{name}.toml")


@cache
def load_board(path: Path) -> Board:
    """Read and check one board file; raises BoardError with file, line and key."""
    top = toml_reader.load(path, BoardError)
    core_table = top.needed_table("core")
    core = CORES[core_table.text("name", choices=tuple(CORES))]
    fpu = core_table.text("fpu", "none", choices=("none", *core.fpus))
    dsp = core_table.flag("dsp", core.dsp == "always")
    if (core.dsp == "never" and dsp) or (core.dsp == "always" and not dsp):
        raise core_table.fail("dsp", f"the {core.name} {core.dsp} has the DSP extension", hint="leave `dsp` out")
    multiplier_cycles = core_table.whole("multiplier_cycles", 1)
    if multiplier_cycles not in (1, 32):
        raise core_table.fail("multiplier_cycles", f"a Cortex-M multiplies in 1 or 32 cycles, not {multiplier_cycles}")
    mpu_regions = core_table.whole("mpu_regions") if "mpu_regions" in core_table else None
    if mpu_regions is not None and mpu_regions not in core.mpu_regions:
        raise core_table.fail(
            "mpu_regions", f"a {core.title} has one of {', '.join(map(str, core.mpu_regions))}, got {mpu_regions}"
        )
    core_table.done()
    clock = top.needed_table("clock")
    clock_hz = clock.whole_quantity("frequency", "hertz")
    if clock_hz == 0:
        raise clock.fail("frequency", "must be above 0")
    _check_most(clock, "frequency", clock_hz, units.most("hertz"))
    clock.done()
    memories = _memories(top)
    layout = top.needed_table("layout")
    ram = tuple(m.name for m in memories if m.kind == "ram")
    code = layout.text("code", choices=tuple(m.name for m in memories if m.has_code))
    data = layout.text("data", choices=ram)
    vector_offset = layout.offset("vector_offset", 0)
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
        _check_most(power, "current_ua_per_mhz", current * 1e12, _MOST_UA_PER_MHZ)
        _check_most(power, "supply_volts", supply, _MOST_VOLTS)
        power.done()
    renode = top.table("renode")
    platform = uart = renode_core = ""
    if renode is not None:
        platform = renode.text("platform")
        if platform.startswith(("./", "../")):
            platform = str(_own_platform(renode, path.parent / platform))
        uart, renode_core = renode.text("uart", ""), renode.text("core", "")
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
        console=_console(top, uart, memories, core),
        current_a_per_hz=current,
        supply_v=supply,
        price_class=top.text("price_class", ""),
        renode_platform=platform,
        renode_core=renode_core,
        sources=sources,
        path=path,
        flash_controller=_flash_controller(top),
        mpu_regions=mpu_regions,
        own_peripherals=tuple(read_peripherals(top)),
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    _check_name(top, board.name)
    if board.name != path.stem:
        raise top.fail("name", f"is {board.name!r} but the file is called {path.name}", hint="make them the same")
    top.done()
    return board


def _own_platform(renode: toml_reader.Table, path: Path) -> Path:
    if problem := why_no_file(path):
        raise renode.fail("platform", f"{problem}: {path}", hint="./ and ../ begin in the board file's folder")
    return path.resolve()


def _memories(top: toml_reader.Table) -> tuple[Memory, ...]:
    memories: list[Memory] = []
    for table in top.tables("memory"):
        memory = Memory(
            name=table.text("name"),
            kind=table.text("kind", choices=("flash", "ram", "info")),
            origin=table.whole("origin"),
            size=table.whole_quantity("size", "bytes"),
            wait_states=table.whole("wait_states", 0),
            waits_stated="wait_states" in table,
            fetch_bytes=table.whole_quantity("fetch", "bytes", 4),
            cache=table.text("cache", "none", choices=CACHES),
            cache_bytes=table.whole_quantity("cache_size", "bytes", 0),
            cache_line_bytes=table.whole_quantity("cache_line", "bytes", 0),
            cache_ways=table.whole("cache_ways", 0),
            data_cache_bytes=table.whole_quantity("data_cache_size", "bytes", 0),
            alias_of=table.text("alias_of", ""),
            executable=table.flag("execute", True),
            external=table.flag("external", False),
            code_miss_cycles=_cycles(table, "code_miss_cycles"),
            data_miss_cycles=_cycles(table, "data_miss_cycles"),
        )
        table.done()
        _check_name(table, memory.name)
        _check_bounds(table, memory)
        if PRIVATE_BUS.meets(memory.span):
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
        if len(memories) > _MOST_MEMORIES:
            raise table.fail("name", f"a board has {_MOST_MEMORIES} memories at most")
    if not memories:
        raise top.fail("memory", "no memory at all", hint="add [[memory]] tables")
    return tuple(memories)


def _check_bounds(table: toml_reader.Table, memory: Memory) -> None:
    """Every number that becomes a size, a time or a count: sane, and lines as the hardware has them."""
    for key, value, most in (
        ("size", memory.size, units.most("bytes")),
        ("wait_states", memory.wait_states, _MOST_WAIT_CYCLES),
        ("fetch", memory.fetch_bytes, _MOST_LINE_BYTES),
        ("cache_size", memory.cache_bytes, _MOST_CACHE_BYTES),
        ("cache_line", memory.cache_line_bytes, _MOST_LINE_BYTES),
        ("cache_ways", memory.cache_ways, _MOST_WAYS),
        ("data_cache_size", memory.data_cache_bytes, _MOST_CACHE_BYTES),
        ("code_miss_cycles", memory.code_miss_cycles or 0, _MOST_WAIT_CYCLES),
        ("data_miss_cycles", memory.data_miss_cycles or 0, _MOST_WAIT_CYCLES),
    ):
        _check_most(table, key, value, most)
    for key, value in (("fetch", memory.fetch_bytes), ("cache_line", memory.cache_line_bytes or 1)):
        if value < 1 or value & value - 1:
            raise table.fail(key, f"must be a power of two, got {value}")


def _check_most(table: toml_reader.Table, key: str, value: float, most: float) -> None:
    if value > most:
        shown = value if value < 1 << 64 else f"{value:.3g}" if value < 1e300 else "far more"
        raise table.fail(key, f"must be at most {most:,.0f}, got {shown}")


def _cycles(table: toml_reader.Table, key: str) -> float | None:
    return table.quantity(key, "count") if key in table else None


def _check_alias(table: toml_reader.Table, alias: Memory, before: list[Memory]) -> None:
    seen = {memory.name: memory for memory in before if not memory.alias_of}
    if alias.alias_of not in seen:
        hint = toml_reader.did_you_mean(alias.alias_of, tuple(seen))
        raise table.fail("alias_of", f"no memory named {alias.alias_of!r} stands before it", hint=hint)
    memory = seen[alias.alias_of]
    if alias.kind != memory.kind:
        raise table.fail("kind", f"is {alias.kind!r}, but {memory.name} is {memory.kind!r}")
    if alias.size != memory.size:
        raise table.fail(
            "size", f"{alias.name} has {alias.size} B, but {memory.name}, the same memory, {memory.size} B"
        )


def _check_name(table: toml_reader.Table, name: str) -> None:
    if not is_plain_name(name):
        raise table.fail("name", f"{name!r} is not a plain name", hint="use letters, digits, '_', '-', '+' and '.'")


def _console(top: toml_reader.Table, renode_uart: str, memories: tuple[Memory, ...], core: Core) -> Console:
    table = top.needed_table("console")
    console = Console(
        driver=table.text("driver"),
        base=table.whole("base"),
        enable=_register_steps(table, "enable"),
        renode=renode_uart,
        irq=table.whole("irq") if "irq" in table else None,
    )
    table.done()
    if console.irq is not None and not 0 <= console.irq < core.interrupts:
        raise table.fail("irq", f"must be 0 to {core.interrupts - 1} on a {core.title}, got {console.irq}")
    if console.driver not in _NO_REGISTERS:
        if console.base % 4 or console.base >= 1 << 32:
            raise table.fail("base", f"expected a word-aligned 32-bit address, got {console.base:#x}")
        inside = next((memory for memory in memories if memory.holds(console.base)), None)
        if inside is not None:
            raise table.fail("base", f"{console.base:#010x} lies in {inside.name}, where no UART can be")
    return console


def _register_steps(table: toml_reader.Table, key: str) -> tuple[RegisterStep, ...]:
    """The steps under `key`: [address, set] or [address, set, clear]."""
    steps = table.raw(key) if key in table else []
    if not isinstance(steps, list):
        raise table.fail(key, "expected a list of [address, set] or [address, set, clear]")
    if len(steps) > _MOST_STEPS:
        raise table.fail(key, f"must be at most {_MOST_STEPS:,} steps, got {len(steps):,}")
    found: list[RegisterStep] = []
    for step in steps:
        if not isinstance(step, list) or len(step) not in (2, 3) or not all(type(number) is int for number in step):
            raise table.fail(key, f"expected [address, set] or [address, set, clear] in whole numbers, got {step!r}")
        if not all(0 <= number < 1 << 32 for number in step) or step[0] % 4:
            raise table.fail(key, f"expected a word-aligned 32-bit address and 32-bit words, got {step!r}")
        found.append(RegisterStep(*step))
    return tuple(found)


def _flash_controller(top: toml_reader.Table) -> FlashController | None:
    table = top.table("flash_controller")
    if table is None:
        return None
    family = FAMILIES[table.text("family", choices=tuple(FAMILIES))]
    base = table.whole("base")
    if base % 4 or base >= 1 << 32:
        raise table.fail("base", f"expected a word-aligned 32-bit address, got {base:#x}")
    table.done()
    return FlashController(base, family)


def _sources(top: toml_reader.Table) -> tuple[tuple[str, str], ...]:
    table = top.needed_table("sources")
    if missing := [key for key in _NEEDED_SOURCES if key not in table]:
        raise table.fail(
            missing[0],
            f"missing: {', '.join(missing)}",
            hint='name the document each figure is from, or write "not known"',
        )
    names = table.names()
    return tuple((name, table.text(name)) for name in names)
