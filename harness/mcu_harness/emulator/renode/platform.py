"""A board as a Renode platform description, made from the board file: the memory map and the clock exist once.

Where Renode has a platform for the board's part, ours is a layer over it: its memories become the board's, its clock
the board's, and nothing is fetched from the network. Where it has none, a small one is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base.errors import EmulatorError
from mcu_harness.base.span import Span, gaps
from mcu_harness.emulator.contract import devices_answer
from mcu_harness.emulator.renode.repl import Entry, quoted, read_entries
from mcu_harness.hardware.arm.address_map import ADDRESS_SPACE, DEVICES, PRIVATE_BUS
from mcu_harness.hardware.board import Board, Memory
from mcu_harness.hardware.uarts import UARTS

# Whatever the board file says; elsewhere a board has memory or nothing.
_REGISTERS = (*DEVICES, PRIVATE_BUS)
_DEVICE_BYTES = 0x400  # of registers around those that the console needs

_CONSOLE = "mcuConsole"
_MEMORY_TYPES = ("Memory.MappedMemory", "Memory.ArrayMemory")
# Renode's model of the UART that each console driver in firmware/runtime/console drives; "" where none is needed.
_UARTS = {
    "stm32_usart_v1": "UART.STM32_UART @ sysbus <{base:#x}, +0x100>",
    "stm32_usart_v2": "UART.STM32F7_USART @ sysbus {base:#x}\n    frequency: {clock_hz}",
    "nrf_uarte": "UART.NRF52840_UART @ sysbus {base:#x}\n    easyDMA: true",
    "nxp_lpuart": "UART.NXP_LPUART @ sysbus {base:#x}",
    "kinetis_uart": "UART.K6xF_UART @ sysbus {base:#x}",
    "sam_sercom_usart": "UART.SAMD5_UART @ sysbus {base:#x}",
    "sam_usart": "UART.SAM_USART @ sysbus {base:#x}",
    "pl011": "UART.PL011 @ sysbus {base:#x}",
    "efm32_usart": "UART.EFM32_UART @ sysbus <{base:#x}, +0x400>",
    "efr32_usart": "UART.EFR32_USART @ sysbus <{base:#x}, +0x400>",
    "renesas_sci": "UART.Renesas_SCI @ sysbus {base:#x}",
    "da14_uart": "UART.RenesasDA14_UART @ sysbus {base:#x}",
    "npcx_uart": "UART.NPCX_UART @ sysbus {base:#x}",
    "apb_uart": "UART.GaislerAPBUART @ sysbus <{base:#x}, +0x100>",
    "semihosting": "",  # served by csharp/Semihosting.cs
    "none": "",
}
_NVIC = re.compile(r"^\s+nvic\s*:\s*(\w+)", re.MULTILINE)
_HARMLESS = "UnhandledAccessBehaviour Report"  # an init block must not be empty; this is the default anyway
_VECTOR_INPUTS = "-> cpu@0"


@dataclass(frozen=True, slots=True)
class Platform:
    """`description` is the text of a .repl; `console` the path of the UART that carries the firmware's text."""

    description: str
    console: str


def why_not(board: Board) -> str:
    """ "" when a platform can be made for `board`, else what is missing and what to use instead."""
    if board.renode_platform or board.console.driver in _UARTS:
        return ""
    return (
        f"Renode has no platform for {board.part}, and none can be made for the console driver "
        f"{board.console.driver!r}; use --emulator unicorn"
    )


def platform_for(board: Board, root: Path, version: str) -> Platform:
    """The platform of `board`; `root` is Renode's directory. Raises EmulatorError when this Renode cannot run it."""
    reason = why_not(board)
    if reason:
        raise EmulatorError(f"{board.name}: {reason}")
    if not board.renode_platform:
        return _made(board)
    stock = root / board.renode_platform
    if not stock.is_file():
        raise EmulatorError(
            f"{board.name}: this Renode ({version}) has no {board.renode_platform}",
            hint="get another version of Renode, or correct `platform` under [renode] in the board file",
        )
    return Platform(_layered(board, stock, read_entries(stock, root)), board.console.renode or _console_path(board))


def empty_ranges(board: Board) -> list[Span]:
    """The addresses at which the board has neither memory nor devices: whoever goes there has lost his way."""
    console = board.console
    registers = [console.base, *(step.address for step in console.enable)]
    devices = [(register & -_DEVICE_BYTES, (register & -_DEVICE_BYTES) + _DEVICE_BYTES) for register in registers]
    taken = [*devices_answer(), PRIVATE_BUS, *devices, *((memory.origin, memory.end) for memory in board.memories)]
    return list(gaps(taken, ADDRESS_SPACE))


def console_input(board: Board) -> int | None:
    """The register from which programs read the console UART; None where it is not known, or there is none."""
    uart = UARTS.get(board.console.driver)
    return None if uart is None or uart.input is None else board.console.base + uart.input


def other_uarts(board: Board) -> Iterator[tuple[str, int, int | None]]:
    """(name, base, register from which programs read it) of each UART that the board or its chip names, but for the console's."""
    for peripheral in board.peripherals:
        uart = UARTS.get(peripheral.kind)
        if uart is not None and peripheral.base != board.console.base:
            yield peripheral.name, peripheral.base, None if uart.input is None else peripheral.base + uart.input


def mips(board: Board) -> int:
    """Renode's speed: an instruction a cycle. What it reports as time is not used; timers of the board run by it."""
    return max(1, round(board.clock_hz / 1e6))


def _layered(board: Board, stock: Path, entries: Sequence[Entry]) -> str:
    """The stock platform, with the board's memories and clock, and without downloads."""
    parts = [f"using {quoted(str(stock))}"]
    memories = [entry for entry in entries if entry.type in _MEMORY_TYPES and not _is_device(entry, board)]
    kept: set[str] = set()
    for memory in _real(board):
        models = [entry.name for entry in entries if not memory.is_main and _is_model(entry, memory)]
        kept.update(models)
        if models:
            continue
        same = [entry for entry in memories if memory.origin in entry.places and entry.name not in kept]
        parts.append(_memory(board, memory, same[0] if same else None))
        kept.update(entry.name for entry in same[:1])
    for entry in memories:
        if entry.name not in kept and (_overlaps(entry, board) or not _is_needed(entry, entries)):
            parts.append(f"{entry.name}: @ none")
    nvic = _nvic(board, entries)
    if nvic:
        parts.append(f"{nvic}:\n    systickFrequency: {board.clock_hz}")
    for entry in entries:
        downloads = [command for command in entry.init if command.startswith("ApplySVD")]
        if downloads:
            commands = [command for command in entry.init if command not in downloads]
            parts.append(_init(entry.name, commands or [_HARMLESS]))
    if not board.console.renode:
        parts.append(_uart(board, nvic))
    return "\n\n".join(parts) + "\n"


def _nvic(board: Board, entries: Sequence[Entry]) -> str:
    """The name of the NVIC of the core under test, "" where none is found."""
    name = board.renode_core.rpartition(".")[2]
    cores = [entry for entry in entries if _is(entry, "CortexM") and name in ("", entry.name)]
    found = _NVIC.search(cores[0].text) if cores else None
    return found[1] if found else next((entry.name for entry in entries if _is(entry, "NVIC")), "")


def _made(board: Board) -> Platform:
    mask = board.core.architecture.priority_mask
    parts = [
        f"cpu: CPU.CortexM @ sysbus\n    cpuType: {quoted(board.core.renode)}\n    nvic: nvic",
        f"nvic: IRQControllers.NVIC @ sysbus 0xE000E000\n    priorityMask: {mask:#x}\n"
        f"    systickFrequency: {board.clock_hz}\n    {_VECTOR_INPUTS}",
        *(_memory(board, memory, None) for memory in _real(board)),
        _uart(board, "nvic"),
    ]
    return Platform("\n\n".join(parts) + "\n", _console_path(board))


def _init(name: str, commands: Sequence[str]) -> str:
    return f"{name}:\n    init:\n" + "\n".join(f"        {command}" for command in commands)


def _console_path(board: Board) -> str:
    return f"sysbus.{_CONSOLE}" if _UARTS[board.console.driver] else ""


def _uart(board: Board, nvic: str) -> str:
    """An entry for the console; `nvic` is the name of what its interrupt goes to, where that is known."""
    model = _UARTS[board.console.driver]
    if not model:
        return ""
    interrupt = f"\n    IRQ -> {nvic}@{board.console.irq}" if nvic and board.console.irq is not None else ""
    return f"{_CONSOLE}: {model.format(base=board.console.base, clock_hz=board.clock_hz)}{interrupt}"


def _real(board: Board) -> Iterator[Memory]:
    return (memory for memory in board.memories if not memory.alias_of)


def _overlaps(entry: Entry, board: Board) -> bool:
    return any(m.origin < place + entry.size and place < m.end for place in entry.places for m in board.memories)


def _is_needed(memory: Entry, entries: Sequence[Entry]) -> bool:
    """Whether the stock platform fills this memory (a boot ROM), or hands it to one of its devices."""
    user = re.compile(rf":\s*{memory.name}\b")
    return bool(memory.init) or any(user.search(entry.text) for entry in entries if entry is not memory)


def _is(entry: Entry, type_name: str) -> bool:
    return entry.type.rpartition(".")[2] == type_name


def _is_device(entry: Entry, board: Board) -> bool:
    """Memory that plays a device: the board file knows nothing of it."""
    places = [place for place in entry.places if board.memory_at(place) is None]
    return any(span.holds(place) for place in places for span in _REGISTERS) or not entry.places


def _is_model(entry: Entry, memory: Memory) -> bool:
    """Whether the stock platform knows what is in `memory`: factory data, a boot ROM."""
    known = entry.type not in _MEMORY_TYPES or entry.init
    return bool(known) and any(memory.holds(place) for place in entry.places)


def _memory(board: Board, memory: Memory, stock: Entry | None) -> str:
    """An entry for one memory of the board and its aliases; its name is ours, never one from the board file."""
    places = [memory.origin, *(alias.origin for alias in board.memories if alias.alias_of == memory.name)]
    where = "".join(f"        sysbus {place:#010x};\n" for place in places).rstrip(";\n")
    name = stock.name if stock else f"mcuMemory{board.memories.index(memory)}"
    kind = "" if stock else "Memory.MappedMemory "
    return f"{name}: {kind}@ {{\n{where}\n    }}\n    size: {memory.size:#x}"
