"""Console UARTs of microcontrollers as data: where a driver looks before it sends, and where the byte goes.

Registers and bits are from the reference manual named with each entry. What a model of one does is in
`emulator/unicorn/uart.py`; Renode has its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Switch:
    """On while the bits `mask` of `register` are `value`; `name` is what the manual calls them."""

    register: int
    mask: int
    value: int
    name: str


@dataclass(frozen=True, slots=True)
class Uart:
    """Registers by offset from the base.

    `ready` are the values that reads give for registers that say "send on"; a write to `data` sends its lowest byte.
    One that fetches and leaves bytes in memory has a model of its own instead (`dma`). `received` are the bits that change, by register, when there is a byte, and a read of
    `input` takes it; without `input` nothing can be received here. `interrupts` are conditions, one of which is enough
    for an interrupt: (register, bits that enable it, status register, bits that ask for it). Where a byte that was sent
    asks for one too, `sent` are the (register, bits) that are set then, and written to `clear` to be cleared; `masked` reads
    as the first of its two registers where the second has ones. Bytes are received while
    all of `receives` are on, and lost otherwise. `size` is how many bytes of registers it has.
    """

    source: str
    ready: dict[int, int] = field(default_factory=dict)
    data: int | None = None
    dma: bool = False
    received: dict[int, int] = field(default_factory=dict)
    input: int | None = None
    interrupts: tuple[tuple[int, int, int, int], ...] = ()
    sent: tuple[int, int] = (0, 0)
    clear: int | None = None
    masked: tuple[int, int, int] | None = None
    receives: tuple[Switch, ...] = ()
    size: int = 0x1000


# CR1 of STM32: RXNEIE, TCIE and TXEIE are the bits of RXNE, TC and TXE in the status register.
_STM32_BITS = (1 << 5, 1 << 6, 1 << 7)
_PL011 = (Switch(0x30, 1, 1, "CR.UARTEN"), Switch(0x30, 1 << 9, 1 << 9, "CR.RXE"))

UARTS: dict[str, Uart] = {
    # ISR/SR: TXE and TC; the newer one also acknowledges transmitter and receiver enable (TEACK, REACK).
    "stm32_usart_v1": Uart(
        "ST RM0090, 30.6: SR, DR, CR1",
        {0x00: 0xC0},
        0x04,
        received={0x00: 0x20},
        input=0x04,
        interrupts=tuple((0x0C, bit, 0x00, bit) for bit in _STM32_BITS),
        receives=(Switch(0x0C, 1 << 13, 1 << 13, "CR1.UE"), Switch(0x0C, 1 << 2, 1 << 2, "CR1.RE")),
        size=0x400,
    ),
    "stm32_usart_v2": Uart(
        "ST RM0351, 40.8: ISR, TDR, RDR, CR1",
        {0x1C: 0x6000C0},
        0x28,
        received={0x1C: 0x20},
        input=0x24,
        interrupts=tuple((0x00, bit, 0x1C, bit) for bit in _STM32_BITS),
        receives=(Switch(0x00, 1, 1, "CR1.UE"), Switch(0x00, 1 << 2, 1 << 2, "CR1.RE")),
        size=0x400,
    ),
    # SC1_UARTSTAT: SC_UARTTXFREE and SC_UARTTXIDLE.
    "stm32w_uart": Uart("ST RM0065, 9.12: SC1_UARTSTAT, SC1_DATA", {0x48: 0x44}, 0x3C),
    # UARTE, with EasyDMA, and UART: `emulator/unicorn/peripherals/nrf_uart.py`.
    "nrf_uarte": Uart("Nordic nRF52840 PS v1.7, 6.33 and 6.34", dma=True),
    # INTFLAG: DRE and TXC.
    "sam_sercom_usart": Uart(
        "Microchip DS40001882, 26.8: INTFLAG, DATA, CTRLA, CTRLB",
        {0x18: 0x03},
        0x28,
        received={0x18: 0x04},
        input=0x28,
        receives=(Switch(0x00, 2, 2, "CTRLA.ENABLE"), Switch(0x04, 1 << 17, 1 << 17, "CTRLB.RXEN")),
        size=0x400,
    ),
    # US_CSR: TXRDY and TXEMPTY.
    "sam_usart": Uart("Microchip DS60001527, USART: US_CSR, US_THR", {0x14: 0x202}, 0x1C),
    # STAT: TDRE and TC.
    "nxp_lpuart": Uart(
        "NXP i.MX RT1064 RM, 49.4: STAT, DATA, CTRL",
        {0x14: 0xC00000},
        0x1C,
        received={0x14: 0x200000},
        input=0x1C,
        interrupts=tuple((0x18, bit, 0x14, bit) for bit in (1 << 21, 1 << 22, 1 << 23)),  # RIE, TCIE, TIE
        receives=(Switch(0x18, 1 << 18, 1 << 18, "CTRL.RE"),),
    ),
    # S1: TDRE and TC; both registers are bytes.
    "kinetis_uart": Uart(
        "NXP K64P144M120SF5RM, 52.3: S1, D, C2",
        {0x04: 0xC0},
        0x07,
        received={0x04: 0x20},
        input=0x07,
        interrupts=tuple((0x03, bit, 0x04, bit) for bit in (1 << 5, 1 << 6, 1 << 7)),  # RIE, TCIE, TIE
        receives=(Switch(0x03, 1 << 2, 1 << 2, "C2.RE"),),
    ),
    # UARTFR: TXFE and RXFE; UARTRIS: RXRIS and RTRIS, which a byte alone asks with, and TXRIS, by UARTIMSC and to UARTICR.
    "pl011": Uart(
        "Arm DDI 0183, 3.3: UARTFR, UARTDR, UARTCR, UARTIMSC, UARTRIS, UARTMIS, UARTICR",
        {0x18: 0x90},
        0x00,
        received={0x18: 0x10, 0x3C: 0x50},
        input=0x00,
        interrupts=tuple((0x38, bit, 0x3C, bit) for bit in (1 << 4, 1 << 5, 1 << 6)),
        sent=(0x3C, 1 << 5),
        clear=0x44,
        masked=(0x40, 0x3C, 0x38),
        receives=_PL011,
    ),
    # STATUS: TXBL and TXC.
    "efm32_usart": Uart("Silicon Labs EFM32GG reference manual, 17.5: STATUS, TXDATA", {0x10: 0x60}, 0x34),
    "efr32_usart": Uart("Silicon Labs EFR32xG22 reference manual, USART: STATUS, TXDATA", {0x18: 0x60}, 0x3C),
    # SSR: TDRE and TEND; both registers are bytes.
    "renesas_sci": Uart("Renesas R01UH0887, SCI: SSR, TDR", {0x04: 0x84}, 0x03),
    # STATUS: transmit and receive FIFO empty.
    "max32_uart": Uart("Analog Devices MAX32650-MAX32652 user guide, UART: STATUS, FIFO", {0x08: 0x50}, 0x1C),
    # UICTRL: TBE, and with FIFOs UFTSTS: TX FIFO empty; registers are bytes.
    "npcx_uart": Uart(
        "Nuvoton NPCX9, CR_UART, as Zephyr drives it: UICTRL, UFTSTS, UTBUF", {0x04: 0x01, 0x20: 0x40}, 0x00
    ),
    # LSR: THRE and TEMT, as in the 16550; USR: TFNF and TFE.
    "da14_uart": Uart("Renesas DA14592 data sheet, UART: LSR, USR, THR", {0x14: 0x60, 0x7C: 0x06}, 0x00),
    # STATUS: transmit shift register and FIFO empty.
    "apb_uart": Uart("Gaisler GRLIB IP manual, APBUART: STATUS, DATA", {0x04: 0x06}, 0x00),
}
