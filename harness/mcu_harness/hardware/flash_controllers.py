"""Flash controllers of microcontrollers as data: which register says that a program may write to flash.

Only that is modelled: what is written is there at once. Erasing changes nothing, since flash that no image fills is 0 here,
and parts that are programmed by commands alone (words in registers, functions in a ROM) need no entry.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """`register` is an offset from the controller's base; writes are allowed while its bits `mask` are `value`."""

    source: str
    register: int
    mask: int
    value: int


FAMILIES: dict[str, Family] = {
    "stm32f": Family(
        "ST RM0090, 3.9 and RM0008's programming manual PM0075: FLASH_CR.PG; F0, F1, F2, F3, F4, F7", 0x10, 1, 1
    ),
    "stm32l0": Family("ST RM0367, 3.7: FLASH_PEKEYR, the second key; L0, L1", 0x0C, 0xFFFFFFFF, 0x02030405),
    "stm32l4": Family("ST RM0432, 3.7 and RM0444, 3.7: FLASH_CR.PG; L4, G0, G4, WB", 0x14, 1, 1),
    "stm32l5": Family("ST RM0438, 6.9 and RM0456, 7.9: FLASH_NSCR.PG; L5, U5, WBA", 0x28, 1, 1),
    "stm32h7": Family("ST RM0433, 4.9: FLASH_CR1.PG of bank 1", 0x0C, 2, 2),
    "nrf_nvmc": Family("Nordic nRF52840 PS v1.7, 4.3: NVMC CONFIG.WEN", 0x504, 3, 1),
    "sam_nvm": Family(
        "Microchip DS40001882, NVMCTRL: CTRLA with its key, after the first command; D21", 0x00, 0xFF00, 0xA500
    ),
    "sam_nvm_b": Family(
        "Microchip DS60001507, NVMCTRL: CTRLB with its key, after the first command; D51", 0x04, 0xFF00, 0xA500
    ),
    "sam_eefc": Family(
        "Microchip DS60001527, EEFC_FCR with its key, after the first command; E70", 0x04, 0xFF000000, 0x5A000000
    ),
}
