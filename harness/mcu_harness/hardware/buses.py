"""Controllers of I2C and SPI as data. How one works differs too much for tables of bits: each kind has a class.

Those are in `emulator/unicorn/peripherals/`: `i2c.py`, `spi.py` and `nrf_serial.py`.
"""

from __future__ import annotations

from types import MappingProxyType

# Kinds, and the manual that each is from.
I2CS = MappingProxyType(
    {
        "stm32_i2c_v1": "ST RM0090, 27.6; RM0008, 26.6: CR1, CR2, DR, SR1, SR2",
        "stm32_i2c_v2": "ST RM0351, 39.9: CR1, CR2, ISR, ICR, RXDR, TXDR",
        "rp_i2c": "Raspberry Pi RP2040 datasheet, 4.3.17; Synopsys DW_apb_i2c",
        "nrf_twim": "Nordic nRF52840 PS v1.7, 6.31",
    }
)
SPIS = MappingProxyType(
    {
        "stm32_spi_v1": "ST RM0090, 28.5; RM0008, 25.5: CR1 (DFF), CR2, SR, DR",
        "stm32_spi_v2": "ST RM0351, 42.6: CR1, CR2 (DS), SR, DR; FIFOs of 4 bytes",
        "stm32_spi_v3": "ST RM0433, 50.11; RM0456, 68.8: CR1, CR2, CFG1, CFG2, SR, IFCR, TXDR, RXDR",
        "pl022": "Arm DDI 0194, 3.3: SSPCR0, SSPCR1, SSPDR, SSPSR; RP2040 datasheet, 4.4",
        "nrf_spim": "Nordic nRF52840 PS v1.7, 6.25",
    }
)
