"""GPIO ports and what makes interrupts of their pins, as data: registers by offset, from the manual named with each entry.

What a model of one does is in `emulator/unicorn/peripherals/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Field:
    """A field of each pin: `width` bits from bit `shift` of each `stride` bits from `register` on."""

    register: int
    stride: int = 1
    shift: int = 0
    width: int = 1

    def place(self, pin: int) -> tuple[int, int]:
        """The register of a pin's field, and its lowest bit there."""
        bit = pin * self.stride + self.shift
        return self.register + bit // 32 * 4, bit % 32


@dataclass(frozen=True, slots=True)
class Gpio:
    """A port. Bits of `input` and `output` are pins; writes of 1 to `set`, `clear` and `toggle` change `output`.

    `set_clear` sets by its lower half and clears by its upper one. `mode` is one of `modes`, "alternate" for values that
    these lack; `open_drain` and `pull` have values that mean that a pin is not driven high, and what it is pulled to.
    `direction` is the register that `direction_set`, `_clear` and `_toggle` change. `sense` fields have the level that
    raises the port's event (`Gpiote`), which `latch` remembers.
    """

    source: str
    size: int
    pins: int
    input: int
    output: int
    mode: Field
    modes: Mapping[int, str]
    set: int | None = None
    clear: int | None = None
    toggle: int | None = None
    set_clear: int | None = None
    direction: int | None = None
    direction_set: int | None = None
    direction_clear: int | None = None
    direction_toggle: int | None = None
    open_drain: Field | None = None
    open_drains: frozenset[int] = frozenset()
    pull: Field | None = None
    pulls: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    pulled_by_output: frozenset[int] = frozenset()  # modes in which the output's bit says what it is pulled to
    reset: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    sense: Field | None = None
    senses: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    latch: int | None = None


_F1_OUTPUTS = {cnf << 2 | mode: "output" for cnf in (0, 1) for mode in (1, 2, 3)}
_TWO_WAYS = {0: "input", 1: "output"}
_NRF_DRIVES = frozenset({6, 7})  # PIN_CNF.DRIVE: S0D1, H0D1

GPIOS: dict[str, Gpio] = {
    "stm32_gpio_v1": Gpio(
        "ST RM0008, 9.2: CRL, CRH, IDR, ODR, BSRR, BRR",
        size=0x400,
        pins=16,
        mode=Field(0x00, 4, 0, 4),
        modes={0: "analog", 4: "input", 8: "input", **_F1_OUTPUTS},
        input=0x08,
        output=0x0C,
        set_clear=0x10,
        clear=0x14,
        open_drain=Field(0x00, 4, 2, 1),
        open_drains=frozenset({1}),
        pulled_by_output=frozenset({8}),
        reset={0x00: 0x44444444, 0x04: 0x44444444},
    ),
    "stm32_gpio_v2": Gpio(
        "ST RM0351, 8.5; RM0090, 8.4: MODER, OTYPER, PUPDR, IDR, ODR, BSRR, BRR",
        size=0x400,
        pins=16,
        mode=Field(0x00, 2, 0, 2),
        modes={0: "input", 1: "output", 3: "analog"},
        open_drain=Field(0x04),
        open_drains=frozenset({1}),
        pull=Field(0x0C, 2, 0, 2),
        pulls={1: 1, 2: 0},
        input=0x10,
        output=0x14,
        set_clear=0x18,
        clear=0x28,
    ),
    "nrf_gpio": Gpio(
        "Nordic nRF52840 PS v1.7, 6.9; nRF5340 PS v1.3, 7.13: registers from OUT - 4 on",
        size=0x300,
        pins=32,
        output=0x004,
        set=0x008,
        clear=0x00C,
        input=0x010,
        direction=0x014,
        direction_set=0x018,
        direction_clear=0x01C,
        latch=0x020,
        mode=Field(0x200, 32, 0, 1),
        modes=_TWO_WAYS,
        pull=Field(0x200, 32, 2, 2),
        pulls={3: 1, 1: 0},
        open_drain=Field(0x200, 32, 8, 3),
        open_drains=_NRF_DRIVES,
        sense=Field(0x200, 32, 16, 2),
        senses={2: 1, 3: 0},
        reset={0x200 + 4 * pin: 2 for pin in range(32)},
    ),
    "rp2040_sio": Gpio(
        "Raspberry Pi RP2040 datasheet, 2.3.1.7: GPIO_IN, GPIO_OUT, GPIO_OE",
        size=0x100,
        pins=30,
        input=0x004,
        output=0x010,
        set=0x014,
        clear=0x018,
        toggle=0x01C,
        direction=0x020,
        direction_set=0x024,
        direction_clear=0x028,
        direction_toggle=0x02C,
        mode=Field(0x020),
        modes=_TWO_WAYS,
    ),
    "rp2350_sio": Gpio(
        "Raspberry Pi RP2350 datasheet, 3.1.11: GPIO_IN, GPIO_OUT, GPIO_OE; the first 32 pins",
        size=0x80,
        pins=32,
        input=0x004,
        output=0x010,
        set=0x018,
        clear=0x020,
        toggle=0x028,
        direction=0x030,
        direction_set=0x038,
        direction_clear=0x040,
        direction_toggle=0x048,
        mode=Field(0x030),
        modes=_TWO_WAYS,
    ),
}


@dataclass(frozen=True, slots=True)
class Exti:
    """Edges of lines make them `pending`, of falling edges in `pending_falling` where there is one; `mask` lets them interrupt.

    Which port a line's pin is of stands in `select`, in fields of `select_bits`, here or in another peripheral.
    """

    source: str
    rising: int
    falling: int
    software: int
    mask: int
    pending: int
    pending_falling: int | None = None
    select: int | None = None
    select_bits: int = 4


EXTIS: dict[str, Exti] = {
    "stm32_exti_v1": Exti(
        "ST RM0351, 14.5; RM0090, 12.3; RM0008, 10.3: IMR, RTSR, FTSR, SWIER, PR", 0x08, 0x0C, 0x10, 0x00, 0x14
    ),
    "stm32_exti_h7": Exti("ST RM0433, 20.6: RTSR1, FTSR1, SWIER1, CPUIMR1, CPUPR1", 0x00, 0x04, 0x08, 0x80, 0x88),
    "stm32_exti_v2": Exti(
        "ST RM0444, 13.5; RM0438, 17.6: RTSR1, FTSR1, SWIER1, IMR1, RPR1, FPR1, EXTICR",
        0x00, 0x04, 0x08, 0x80, 0x0C, 0x10, 0x60, 8,
    ),
}  # fmt: skip

NRF_GPIOTE = "nrf_gpiote"  # Nordic nRF52840 PS v1.7, 6.10
# Where the interrupts of pins are: INTR0, PROC0_INTE0, PROC0_INTF0, PROC0_INTS0.
IO_BANKS: dict[str, tuple[int, int, int, int]] = {
    "rp2040_io_bank": (0x0F0, 0x100, 0x110, 0x120),  # RP2040 datasheet, 2.19.6.1
    "rp2350_io_bank": (0x230, 0x248, 0x260, 0x278),  # RP2350 datasheet, 9.11.1
}
RP_PADS = "rp_pads"  # RP2040 datasheet, 2.19.6.3: GPIO0 at 4, PUE is bit 3, PDE bit 2
