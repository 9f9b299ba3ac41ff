"""Analogue-to-digital converters as data: registers by offset, from the manual named with each entry.

What a model of one does is in `emulator/unicorn/peripherals/adc.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

Bit = tuple[int, int]  # register, mask


@dataclass(frozen=True, slots=True)
class Adc:
    """A converter that polls or interrupts for each sample, without DMA.

    `status` has `done` (a sample is there) and `over` (it was the last of the sequence), which are cleared by reading
    `data`, and by writing 1 (`clear_by_one`) or 0. A write of 1 to one of `starts` converts. Bits of `momentary` are done
    at once: they read as 0. The status always has the bits `standing`. While `on` is set, `ready` bits of the status are, once it was started. The sequence is in
    `slots` (register, lowest bit; 5 bits each), `length` of them less one; without slots, it is all bits of `channels`
    from the lowest on. `continuous` begins again. `interrupts` are (register, bits that enable, bits of the status).
    """

    source: str
    status: int
    done: int
    over: int
    data: int
    starts: tuple[Bit, ...]
    on: Bit
    ready: int = 0
    standing: int = 0
    clear_by_one: bool = True
    momentary: tuple[Bit, ...] = ()
    off: Bit | None = None  # what switches it off when written
    slots: tuple[tuple[int, int], ...] = ()
    length: tuple[int, int] = (0, 0)
    channels: int = 0
    continuous: Bit = (0, 0)
    interrupts: tuple[tuple[int, int, int], ...] = ()


def _slots(first: int, *registers: int) -> tuple[tuple[int, int], ...]:
    """`first` slots in the first register from bit 6 on, then 5 in each, 6 bits apart."""
    head = tuple((registers[0], 6 * nth) for nth in range(1, first + 1))
    return (*head, *((register, 6 * nth) for register in registers[1:] for nth in range(5)))


def _old_slots(*registers: int) -> tuple[tuple[int, int], ...]:
    """Six slots in each register, 5 bits apart."""
    return tuple((register, 5 * nth) for register in registers for nth in range(6))


_V2_BITS = ((0x08, 1 << 1), (0x08, 1 << 4), (0x08, 1 << 31))  # ADDIS, ADSTP, ADCAL
_V2_INTERRUPTS = ((0x04, 1 << 0, 1 << 0), (0x04, 1 << 2, 1 << 2), (0x04, 1 << 3, 1 << 3))  # ADRDY, EOC, EOS

ADCS: dict[str, Adc] = {
    "stm32_adc_f1": Adc(
        "ST RM0008, 11.12: SR, CR1, CR2 (SWSTART, CAL, RSTCAL, ADON), SQR1 to SQR3, DR",
        status=0x00, done=1 << 1, over=0, data=0x4C, clear_by_one=False,
        starts=((0x08, 1 << 22),), on=(0x08, 1), momentary=((0x08, 1 << 2), (0x08, 1 << 3), (0x08, 1 << 22)),
        slots=_old_slots(0x34, 0x30, 0x2C), length=(0x2C, 20), continuous=(0x08, 2),
        interrupts=((0x04, 1 << 5, 1 << 1),),
    ),
    "stm32_adc_v1": Adc(
        "ST RM0090, 13.13: SR, CR1, CR2 (SWSTART, ADON), SQR1 to SQR3, DR",
        status=0x00, done=1 << 1, over=0, data=0x4C, clear_by_one=False,
        starts=((0x08, 1 << 30),), on=(0x08, 1), momentary=((0x08, 1 << 30),),
        slots=_old_slots(0x34, 0x30, 0x2C), length=(0x2C, 20), continuous=(0x08, 2),
        interrupts=((0x04, 1 << 5, 1 << 1),),
    ),
    "stm32_adc_l1": Adc(
        "ST RM0038, 12.15: SR (ADONS), CR1, CR2 (SWSTART, ADON), SQR1 to SQR5, DR",
        status=0x00, done=1 << 1, over=0, ready=1 << 6, data=0x58, clear_by_one=False,
        starts=((0x08, 1 << 30),), on=(0x08, 1), momentary=((0x08, 1 << 30),),
        slots=_old_slots(0x40, 0x3C, 0x38, 0x34, 0x30), length=(0x30, 20), continuous=(0x08, 2),
        interrupts=((0x04, 1 << 5, 1 << 1),),
    ),
    "stm32_adc_v2": Adc(
        "ST RM0351, 18.6; RM0433, 25.6 (LDORDY): ISR, IER, CR, CFGR, SQR1 to SQR4, DR",
        status=0x00, done=1 << 2, over=1 << 3, ready=1 << 0, standing=1 << 12, data=0x40,
        starts=((0x08, 1 << 2),), on=(0x08, 1), off=(0x08, 2), momentary=_V2_BITS,
        slots=_slots(4, 0x30, 0x34, 0x38, 0x3C), length=(0x30, 0), continuous=(0x0C, 1 << 13),
        interrupts=_V2_INTERRUPTS,
    ),
    # CFGR1, CHSELR; CCRDY (G0) says that the channels are taken over.
    "stm32_adc_v3": Adc(
        "ST RM0091, 13.12; RM0444, 15.12: ISR, IER, CR, CFGR1, CHSELR, DR",
        status=0x00, done=1 << 2, over=1 << 3, ready=1 << 0 | 1 << 13, data=0x40,
        starts=((0x08, 1 << 2),), on=(0x08, 1), off=(0x08, 2), momentary=_V2_BITS,
        channels=0x28, continuous=(0x0C, 1 << 13),
        interrupts=_V2_INTERRUPTS,
    ),
}  # fmt: skip

NRF_SAADC = "nrf_saadc"  # Nordic nRF52840 PS v1.7, 6.23
RP_ADC = "rp_adc"  # Raspberry Pi RP2040 datasheet, 4.9.6; RP2350, 12.4.7
