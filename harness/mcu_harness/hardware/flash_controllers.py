"""Flash controllers of microcontrollers as data: when a program may write to flash, and which bits their registers keep.

What is written is there at once, so that nothing is ever busy. Erasing changes nothing, since flash that no image fills is 0 here,
and parts that are programmed by functions in a ROM need no entry. Bits that start something read as 0: it is done. Masks are those of
the reference manuals named; most of ST's, Nordic's and those of the D21 were compared with SVD
files, those of the D51 (CTRLA) and the E70 with register headers. Registers that are not here (option bytes) keep what is written.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.hardware.register_bits import Bits


@dataclass(frozen=True, slots=True)
class Lock:
    """The bit `bit` of `register`, which the `keys` clear when they are written to `key_register` one after the other.

    While it is set, the bits `holds` of the register cannot be written. The keys count only while the bits `after` are clear. Any other
    value in their place leaves it locked until reset.
    """

    register: int
    bit: int
    key_register: int
    keys: tuple[int, int]
    holds: int = 0xFFFF_FFFF
    after: int = 0


@dataclass(frozen=True, slots=True)
class Family:
    """Registers are offsets from the controller's base; `registers` are those of which bits are known.

    Writes are allowed while the bits `mask` of one of `controls` are `value`; with `command`, once that was written to it. `done` is
    the register and bit that say that something was done: set by the bits `start` of a control, and while writes are allowed.
    """

    source: str
    controls: tuple[int, ...]
    mask: int
    value: int
    registers: tuple[tuple[int, Bits], ...]
    locks: tuple[Lock, ...] = ()
    command: bool = False
    done: tuple[int, int] | None = None
    start: int = 0
    size: int = 0x400


_NOTHING = Bits()  # registers that are only written, and those whose bits nothing sets here
_KEYS, _OPTION_KEYS = (0x4567_0123, 0xCDEF_89AB), (0x0819_2A3B, 0x4C5D_6E7F)


def _stm32_old(source: str, access: Bits, control: int, lock: int, **more: object) -> Family:
    """F0 to F7: ACR, KEYR, OPTKEYR, SR, CR."""
    registers = {
        0x00: access,
        0x04: _NOTHING,
        0x08: _NOTHING,
        0x0C: _NOTHING,
        0x10: Bits(control, reset=lock, locks=lock),
    }
    return Family(source, (0x10,), 1, 1, tuple(registers.items()), (Lock(0x10, lock, 0x04, _KEYS),), **more)  # type: ignore[arg-type]


def _stm32_new(source: str, access: Bits, control: int, *, keys: int, options: int, status: int, at: int) -> Family:
    """L4 and later: LOCK and OPTLOCK are the highest bits of the control register."""
    locks = 0xC000_0000
    registers = {
        0x00: access,
        keys: _NOTHING,
        options: _NOTHING,
        status: _NOTHING,
        at: Bits(control, reset=locks, locks=locks),
    }
    both = (Lock(at, 1 << 31, keys, _KEYS), Lock(at, 1 << 30, options, _OPTION_KEYS, holds=0, after=1 << 31))
    return Family(source, (at,), 1, 1, tuple(registers.items()), both)


def _stm32_low_power(source: str, access: int, control: int) -> Family:
    """L0 and L1: ACR, PECR, PDKEYR, PEKEYR, PRGKEYR, OPTKEYR, SR. Program memory is written while PELOCK and PRGLOCK are clear."""
    registers = {
        0x00: Bits(access),
        0x04: Bits(control, reset=0x7, locks=0x7),
        **dict.fromkeys((0x08, 0x0C, 0x10, 0x14), _NOTHING),
        0x18: Bits(fixed=0xC),  # ENDHV, READY
    }
    locks = (
        Lock(0x04, 1, 0x0C, (0x89AB_CDEF, 0x0203_0405)),
        Lock(0x04, 2, 0x10, (0x8C9D_AEBF, 0x1314_1516), holds=0, after=1),
        Lock(0x04, 4, 0x14, (0xFBEA_D9C8, 0x2425_2627), holds=0, after=1),
    )
    return Family(source, (0x04,), 3, 0, tuple(registers.items()), locks, done=(0x18, 0x2))


def _stm32_two_banks(source: str, access: int, control: int, reset: int) -> Family:
    """H7: KEYR, CR, SR and CCR of each bank."""
    registers = {0x00: Bits(0x3F, reset=access), 0x08: _NOTHING}
    for bank in (0x000, 0x100):
        registers |= dict.fromkeys((bank + 0x04, bank + 0x10, bank + 0x14), _NOTHING)
        registers[bank + 0x0C] = Bits(control, reset=reset, locks=1)
    locks = tuple(Lock(bank + 0x0C, 1, bank + 0x04, _KEYS) for bank in (0x000, 0x100))
    return Family(source, (0x0C, 0x10C), 2, 2, tuple(registers.items()), locks)


def _nrf(source: str, **config: Bits) -> Family:
    """NVMC: READY, READYNEXT, CONFIG, ERASEPAGEPARTIALCFG."""
    registers = {0x400: Bits(fixed=1), 0x408: Bits(fixed=1), 0x51C: Bits(0x7F, reset=0xA)}
    registers |= {int(at.removeprefix("at_"), 16): bits for at, bits in config.items()}
    return Family(source, (0x504,), 7, 1, tuple(registers.items()), size=0x1000)


FAMILIES: dict[str, Family] = {
    "stm32f1": _stm32_old(
        "ST PM0075 (F1), RM0091, 3.5 (F0), RM0316, 4.6 (F3)", Bits(0x1F, fixed=0x20, reset=0x10), 0x1437, 0x80,
        done=(0x0C, 0x20), start=0x40,
    ),
    "stm32f4": _stm32_old("ST RM0090, 3.9; F2, F40x, F41x", Bits(0x1F07), 0x0300_037F, 1 << 31),
    "stm32f7": _stm32_old("ST RM0385, 3.7; F74x, F75x", Bits(0x0B0F), 0x0300_037F, 1 << 31),
    "stm32l0": _stm32_low_power("ST RM0367, 3.7", 0x7B, 0x0083_8718),
    "stm32l1": _stm32_low_power("ST RM0038, 3.9", 0x1F, 0x0003_8718),
    "stm32l4": _stm32_new(
        "ST RM0432, 3.7; L4+", Bits(0x7F0F, reset=0x600), 0x0704_8FFF, keys=0x08, options=0x0C, status=0x10, at=0x14
    ),
    "stm32g0": _stm32_new(
        "ST RM0444, 3.7; parts with one bank", Bits(0x5_0B07, fixed=0x400, reset=0x4_0200), 0x1704_1FFF,
        keys=0x08, options=0x0C, status=0x10, at=0x14,
    ),
    "stm32g0_dual": _stm32_new(
        "ST RM0444, 3.7; G0Bx and G0Cx", Bits(0x5_0B07, fixed=0x400, reset=0x4_0200), 0x3704_BFFF,
        keys=0x08, options=0x0C, status=0x10, at=0x14,
    ),
    "stm32l5": _stm32_new("ST RM0438, 6.9", Bits(0xE00F), 0x0300_8BFF, keys=0x08, options=0x10, status=0x20, at=0x28),
    "stm32u5": _stm32_new("ST RM0456, 7.9", Bits(0x790F), 0x0300_CBFF, keys=0x08, options=0x10, status=0x20, at=0x28),
    "stm32wba": _stm32_new(
        "ST RM0493, 7.9", Bits(0x590F, reset=1), 0x0300_43FF, keys=0x08, options=0x10, status=0x20, at=0x28
    ),
    "stm32h7": _stm32_two_banks("ST RM0433, 4.9", 0x37, 0x1FEF_873E, 0x31),
    "stm32h7a3": _stm32_two_banks("ST RM0455, 4.9", 0x13, 0x1FAF_9FCE, 0x1),
    "nrf_nvmc": _nrf("Nordic nRF52840 PS v1.7, 4.3", at_504=Bits(0x3), at_540=Bits(0x101)),
    "nrf53_nvmc": _nrf("Nordic nRF5340 PS v1.3, NVMC", at_504=Bits(0x7), at_584=Bits(0x3)),
    "sam_nvm": Family(
        "Microchip DS40001882, NVMCTRL: CTRLA with its key; D21", (0x00,), 0xFF00, 0xA500,
        tuple({0x00: Bits(0xFF7F), 0x04: Bits(0x7_039E, reset=0x80), 0x14: Bits(fixed=1), 0x18: _NOTHING}.items()),
        command=True,
    ),
    "sam_nvm_b": Family(
        "Microchip DS60001507, NVMCTRL: CTRLB with its key; D51", (0x04,), 0xFF00, 0xA500,
        tuple({0x00: Bits(0xFFFC, reset=0x4), 0x04: _NOTHING, 0x10: Bits(fixed=0x1_0001)}.items()), command=True,
    ),
    "sam_eefc": Family(
        "Microchip DS60001527, EEFC: EEFC_FCR with its key; E70", (0x04,), 0xFF00_0000, 0x5A00_0000,
        tuple({0x00: Bits(0x0401_0F01), 0x04: _NOTHING, 0x08: Bits(fixed=1), 0x0C: _NOTHING}.items()), command=True,
    ),
}  # fmt: skip
