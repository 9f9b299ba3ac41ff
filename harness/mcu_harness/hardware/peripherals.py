"""What the registers at an address belong to, by the names that the makers of chips give.

Base addresses of the families that most boards carry; of others, and of addresses in between, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.hardware.arm.address_map import PRIVATE_BUS

_MOST_BYTES = 0x4000  # of registers that a name stands for, where no other begins before
_KIB = 0x400


@dataclass(frozen=True, slots=True)
class Family:
    """Parts whose names begin with one of `parts`; `bases` are names by their lowest address."""

    parts: tuple[str, ...]
    source: str
    bases: dict[int, str]


def _kibibytes(start: int, names: str) -> dict[int, str]:
    """One name every KiB from `start`; "-" where there is none."""
    return {start + _KIB * nth: name for nth, name in enumerate(names.split())}


_CORE = Family(
    ("",),
    "Arm DDI 0403, B3.2 to B3.5 and C1; DDI 0553, D1.1",
    {
        0xE000_0000: "ITM", 0xE000_1000: "DWT", 0xE000_2000: "FPB", 0xE000_3000: "-", 0xE000_E000: "ICTR",
        0xE000_E010: "SysTick", 0xE000_E020: "-", 0xE000_E100: "NVIC", 0xE000_E500: "-", 0xE000_ED00: "SCB",
        0xE000_ED90: "MPU", 0xE000_EDD0: "SAU", 0xE000_EDF0: "DCB", 0xE000_EF00: "NVIC", 0xE000_EF34: "FPU",
        0xE000_EF50: "SCB", 0xE000_EF90: "-", 0xE004_0000: "TPIU", 0xE004_1000: "ETM", 0xE004_2000: "DBGMCU",
        0xE004_2400: "-",
    },
)  # fmt: skip
FAMILIES = (
    Family(
        ("STM32F4", "STM32F7"),
        "ST RM0090 and RM0385, 2.3: memory map",
        _kibibytes(
            0x4000_0000,
            "TIM2 TIM3 TIM4 TIM5 TIM6 TIM7 TIM12 TIM13 TIM14 - RTC WWDG IWDG I2S2ext SPI2 SPI3 "
            "I2S3ext USART2 USART3 UART4 UART5 I2C1 I2C2 I2C3 - CAN1 CAN2 - PWR DAC UART7 UART8",
        )
        | _kibibytes(
            0x4001_0000,
            "TIM1 TIM8 - - USART1 USART6 - - ADC - - SDIO SPI1 SPI4 SYSCFG EXTI "
            "TIM9 TIM10 TIM11 - SPI5 SPI6 SAI1 SAI2 - - LTDC",
        )
        | _kibibytes(0x4002_0000, "GPIOA GPIOB GPIOC GPIOD GPIOE GPIOF GPIOG GPIOH GPIOI GPIOJ GPIOK - CRC - RCC FLASH")
        | _kibibytes(0x4002_6000, "DMA1 DMA2 - - - - - - ETH")
        | {0x4002_B000: "DMA2D", 0x4002_C000: "-", 0x4004_0000: "USB_OTG_HS", 0x5000_0000: "USB_OTG_FS",
           0x5004_0000: "-", 0x5005_0000: "DCMI", 0x5006_0000: "CRYP", 0x5006_0400: "HASH", 0x5006_0800: "RNG",
           0x5006_0C00: "-", 0xA000_0000: "FMC", 0xA000_1000: "QUADSPI", 0xA000_2000: "-"},
    ),
    Family(
        ("STM32F0", "STM32F1"),
        "ST RM0091, 2.2 and RM0008, 3.3: memory maps",
        _kibibytes(
            0x4000_0000,
            "TIM2 TIM3 TIM4 TIM5 TIM6 TIM7 - - TIM14 - RTC WWDG IWDG - SPI2 SPI3 "
            "- USART2 USART3 USART4 USART5 I2C1 I2C2 USB - CAN1 - - PWR DAC CEC -",
        )
        | {0x4001_0400: "EXTI", 0x4001_0800: "-", 0x4001_2400: "ADC1", 0x4001_2800: "-", 0x4001_2C00: "TIM1",
           0x4001_3000: "SPI1", 0x4001_3400: "-", 0x4001_3800: "USART1", 0x4001_3C00: "-", 0x4002_0000: "DMA1",
           0x4002_0400: "DMA2", 0x4002_0800: "-", 0x4002_1000: "RCC", 0x4002_1400: "-", 0x4002_2000: "FLASH",
           0x4002_2400: "-", 0x4002_3000: "CRC", 0x4002_3400: "-"},
    ),
    Family(
        ("STM32L4",),
        "ST RM0432 and RM0351, 2.2: memory map",
        _kibibytes(
            0x4000_0000,
            "TIM2 TIM3 TIM4 TIM5 TIM6 TIM7 - - - - RTC WWDG IWDG - SPI2 SPI3 "
            "- USART2 USART3 UART4 UART5 I2C1 I2C2 I2C3 CRS CAN1 - - PWR DAC1 OPAMP LPTIM1 LPUART1 I2C4",
        )
        | {0x4001_0000: "SYSCFG", 0x4001_0400: "EXTI", 0x4001_0800: "-", 0x4001_2C00: "TIM1", 0x4001_3000: "SPI1",
           0x4001_3400: "TIM8", 0x4001_3800: "USART1", 0x4001_3C00: "-", 0x4001_4000: "TIM15", 0x4001_4400: "TIM16",
           0x4001_4800: "TIM17", 0x4001_4C00: "-", 0x4001_5400: "SAI1", 0x4001_5800: "SAI2", 0x4001_5C00: "-"}
        | _kibibytes(0x4002_0000, "DMA1 DMA2 DMAMUX1 - RCC - - - FLASH - - - CRC TSC - -")
        | {0x4002_B000: "DMA2D", 0x4002_C000: "-"}
        | _kibibytes(0x4800_0000, "GPIOA GPIOB GPIOC GPIOD GPIOE GPIOF GPIOG GPIOH GPIOI -")
        | {0x5000_0000: "USB_OTG_FS", 0x5004_0000: "ADC", 0x5004_0400: "-", 0x5006_0800: "RNG", 0x5006_0C00: "-"},
    ),
    Family(
        ("nRF52",),
        "Nordic nRF52840 PS v1.7, 4.2.3: instantiation",
        {0x4000_0000 + 0x1000 * nth: name for nth, name in enumerate(
            ["CLOCK", "RADIO", "UARTE0", "SPI0/TWI0", "SPI1/TWI1", "NFCT", "GPIOTE", "SAADC", "TIMER0", "TIMER1", "TIMER2", "RTC0", "TEMP", "RNG", "ECB", "CCM/AAR", "WDT", "RTC1", "QDEC", "COMP", "EGU0", "EGU1", "EGU2", "EGU3", "EGU4", "EGU5", "TIMER3", "TIMER4", "PWM0", "PDM", "NVMC", "PPI", "MWU", "PWM1", "PWM2", "SPI2", "RTC2", "I2S", "FPU", "USBD", "UARTE1", "QSPI"])} | {0x4002_A000: "-", 0x4002_D000: "PWM3", 0x4002_E000: "-", 0x4002_F000: "SPIM3",
        0x4003_0000: "-", 0x5000_0000: "GPIO", 0x5000_1000: "-"},
    ),
    Family(
        ("RP2040",),
        "Raspberry Pi RP2040 datasheet, 2.2: address map",
        {0x4000_0000 + 0x4000 * nth: name for nth, name in enumerate(
            ["SYSINFO", "SYSCFG", "CLOCKS", "RESETS", "PSM", "IO_BANK0", "IO_QSPI", "PADS_BANK0", "PADS_QSPI", "XOSC", "PLL_SYS", "PLL_USB", "BUSCTRL", "UART0", "UART1", "SPI0", "SPI1", "I2C0", "I2C1", "ADC", "PWM", "TIMER", "WATCHDOG", "RTC", "ROSC", "VREG_AND_CHIP_RESET"])}
        | {0x5000_0000: "DMA", 0x5000_4000: "-", 0x5010_0000: "USBCTRL", 0x5020_0000: "PIO0", 0x5030_0000: "PIO1"},
    ),
)  # fmt: skip


def peripheral_at(address: int, part: str) -> str:
    """The name of what has a register at `address` of the chip `part`, "" where that is not known."""
    inside = PRIVATE_BUS.holds(address)
    family = _CORE if inside else next((family for family in FAMILIES if part.startswith(family.parts)), None)
    if family is None:
        return ""
    base = max((base for base in family.bases if base <= address), default=None)
    if base is None or (address - base >= _MOST_BYTES and not inside):
        return ""
    name = family.bases[base]
    return "" if name == "-" else name
