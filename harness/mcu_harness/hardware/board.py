"""Boards: hardware as data, one TOML file each in `boards/` (or any path the user names)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base.span import Span
from mcu_harness.hardware.core import Core
from mcu_harness.hardware.flash_controllers import Family
from mcu_harness.hardware.peripheral import Peripheral, peripherals_of

CACHES = ("none", "prefetch", "art", "icache", "nvm-cache")  # see Memory


@dataclass(frozen=True, slots=True)
class Memory:
    """One memory region: [origin, origin + size). `kind` is "flash", "ram" or "info".

    "info" is what the maker of the chip keeps there: factory data, options, one-time programmable words, system memory. It
    is read only, reads as 0 where the image does not fill it, and nothing is linked into it. `external` memories are beside
    the chip; reports name both only where an image has something in them. From a memory that is not `executable` the core
    cannot fetch instructions.

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
    sources say on what. Otherwise it follows from the wait states (`mcu_harness.analysis.profile.cycles.traced`).
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
    executable: bool = True
    external: bool = False
    code_miss_cycles: float | None = None
    data_miss_cycles: float | None = None
    waits_stated: bool = True  # False where the board file says nothing of wait states, which are 0 then

    @property
    def end(self) -> int:
        return self.origin + self.size

    @property
    def is_main(self) -> bool:
        """Whether it is one of the chip's own memories for programs, which every report names."""
        return self.kind != "info" and not self.external

    @property
    def has_code(self) -> bool:
        """Whether the core can fetch instructions of the program from it."""
        return self.executable and self.kind != "info"

    @property
    def span(self) -> Span:
        return Span(self.origin, self.end)

    def holds(self, address: int) -> bool:
        return self.origin <= address < self.end


@dataclass(frozen=True, slots=True)
class RegisterStep:
    """A change of the 32-bit register at `address`: first the bits of `clear` are cleared, then those of `set` are set."""

    address: int
    set: int
    clear: int = 0


@dataclass(frozen=True, slots=True)
class Console:
    """The UART that carries the firmware's text: which driver runs it, and where its registers are.

    `enable` is what silicon needs before the driver starts, in order, by 32-bit accesses: clock gates, pin
    functions, the baud rate at the clock after reset. All of it is harmless in an emulator.
    `renode` is the peripheral's path in Renode ("sysbus.usart2"), "" where Renode has none. `irq` is the number of the
    UART's interrupt, None where it is not known here.
    """

    driver: str
    base: int
    enable: tuple[RegisterStep, ...]
    renode: str
    irq: int | None = None


@dataclass(frozen=True, slots=True)
class FlashController:
    """What the program writes to flash with; its registers begin at `base`."""

    base: int
    family: Family


@dataclass(frozen=True, slots=True)
class Moved:
    """What lies at [low, high) is taken to lie in the memory of that name."""

    low: int
    high: int
    memory: str


@dataclass(frozen=True, slots=True)
class Board:
    """One board. `code` and `data` name the memories that firmware is linked into.

    `moved` is what execution is timed with as if it lay elsewhere (see `mcu_harness.analysis.what_if.questions`); no board file has any.
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
    flash_controller: FlashController | None = None
    mpu_regions: int | None = None  # of the memory protection unit, 0 without one; None: not known
    own_peripherals: tuple[Peripheral, ...] = ()  # those that the board file names
    renode_core: str = ""  # the core under test in Renode's platform, "" for the only one

    @property
    def peripherals(self) -> tuple[Peripheral, ...]:
        """What the board file and the chip's name; empty where nothing is known of the chip."""
        return peripherals_of(self.part, self.own_peripherals)

    @property
    def console_name(self) -> str:
        """What the chip's maker calls the console's UART; "console" where that is not known."""
        return next((p.name for p in self.peripherals if p.base == self.console.base), "console")

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
    def has_dsp(self) -> bool:
        """Whether the core has the DSP extension, with its two multiplications at once."""
        return self.core.dsp == "always" or (self.core.dsp == "optional" and self.dsp)

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

    def memory_at(self, address: int) -> Memory | None:
        """The memory that holds `address`, an alias as itself; None outside all of them."""
        return next((memory for memory in self.memories if memory.holds(address)), None)

    def has_unified_cache(self, memory: Memory) -> bool:
        """Whether code and data of `memory` share a cache: see `Memory.cache`."""
        return memory.cache == "nvm-cache" or (memory.cache == "icache" and self.core.l1 is None)

    def region_of(self, address: int) -> Memory | None:
        """The memory that holds `address`, None outside all of them. Aliases count as what they alias.

        What is `moved` counts as being where it is moved to.
        """
        for moved in self.moved:
            if moved.low <= address < moved.high:
                return self.memory(moved.memory)
        memory = self.memory_at(address)
        return self.memory(memory.alias_of) if memory is not None and memory.alias_of else memory
