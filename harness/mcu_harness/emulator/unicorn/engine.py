"""One Unicorn engine set up as a board: its core, memories, peripherals and the native block hook.

Unicorn is QEMU's translator as a library. What is relied on here, of version 2.1:

- `UC_MODE_MCLASS` would make every core a Cortex-M33, whatever model is asked for; plain Thumb mode does not.
- `UC_HOOK_MEM_READ` and `_WRITE` corrupt the program when they fire inside an IT block, because they restore the IT
  state from the block's start. None is used; memory-mapped callbacks do not restore state, hooks on faults end the run.
- Exit addresses cut blocks, so that counts are exact when execution stops at one of them. Code that was translated
  before an address became an exit has to be dropped.
- A single block hook is called straight from translated code; a second one would send both through a slow path.
- The binding's own callbacks keep an engine, with a gigabyte of address space, alive in a cycle. These do not.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from unicorn import arm_const, unicorn_const
from unicorn.unicorn_py3.unicorn import (
    HOOK_CODE_CFUNC,
    HOOK_INTR_CFUNC,
    HOOK_MEM_INVALID_CFUNC,
    MMIO_READ_CFUNC,
    MMIO_WRITE_CFUNC,
    Uc,
    UcError,
    uclib,
)

from mcu_harness.base.span import gaps
from mcu_harness.emulator.contract import devices_answer
from mcu_harness.emulator.dialogue import Dialogue
from mcu_harness.emulator.live import Device
from mcu_harness.emulator.unicorn.devices import DeviceAreas, DeviceRegisters
from mcu_harness.emulator.unicorn.divisions import DivisionWatch
from mcu_harness.emulator.unicorn.flash import FlashRegisters
from mcu_harness.emulator.unicorn.memory import PAGE, BoardMemory
from mcu_harness.emulator.unicorn.nvic import FIRST_INTERRUPT, Nvic
from mcu_harness.emulator.unicorn.peripherals.clocks import Counting, clock_models
from mcu_harness.emulator.unicorn.peripherals.registers import Wiring
from mcu_harness.emulator.unicorn.registers import Registers
from mcu_harness.emulator.unicorn.scs import BASE as SCS_BASE
from mcu_harness.emulator.unicorn.scs import SIZE as SCS_SIZE
from mcu_harness.emulator.unicorn.scs import SystemControlSpace
from mcu_harness.emulator.unicorn.systick import SysTick
from mcu_harness.emulator.unicorn.timers import DRIVERS
from mcu_harness.emulator.unicorn.timers import START as TIMERS
from mcu_harness.emulator.unicorn.uart import SPAN, UartLine
from mcu_harness.emulator.unicorn.uart_models import UartModel, uart_model
from mcu_harness.hardware.arm.thumb import instruction_size
from mcu_harness.hardware.board import Board, FlashController
from mcu_harness.hardware.uarts import UARTS
from mcu_harness.image.program import Program

_PREFETCH_ABORT = 3  # QEMU's EXCP_PREFETCH_ABORT
_TRANSLATED_BYTES = 128 << 20  # room for translated code: a firmware of 2 MiB needs a third of it
_REGISTERS = {f"r{i}": getattr(arm_const, f"UC_ARM_REG_R{i}") for i in range(13)} | {
    "sp": arm_const.UC_ARM_REG_SP,
    "lr": arm_const.UC_ARM_REG_LR,
    "pc": arm_const.UC_ARM_REG_PC,
    "xpsr": arm_const.UC_ARM_REG_XPSR,
}
_MASKS = tuple(getattr(arm_const, f"UC_ARM_REG_{name}") for name in ("PRIMASK", "FAULTMASK", "BASEPRI"))


@dataclass(frozen=True, slots=True)
class BadAccess:
    """The access that ended a run: `kind` is a UC_MEM_* constant."""

    kind: int
    address: int
    size: int


class Engine:
    """A core, its memories and peripherals.

    `send` takes console output, `dialogue` gives console input; `elapsed` gives instructions so far, and `now` the time
    that timers see, which is those and what was slept. `on_change` is called when an exception may have to be taken.
    With `uarts`, these are all that there are; without, the console's is, with plain registers around it.
    """

    def __init__(
        self,
        board: Board,
        *,
        send: Callable[[bytes], None],
        elapsed: Callable[[], int],
        vectors: int,
        dialogue: Dialogue | None = None,
        now: Callable[[], int] | None = None,
        uarts: Sequence[UartLine] | None = None,
    ) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self.bad_access: BadAccess | None = None
        self.exception: int | None = None
        self.reset_requested = False
        self._instructions_hooks: list[int] = []
        self._divisions: DivisionWatch | None = None
        self._exits: frozenset[int] = frozenset()
        self.core = Uc(unicorn_const.UC_ARCH_ARM, unicorn_const.UC_MODE_THUMB)
        self.core.ctl_set_cpu_model(getattr(arm_const, f"UC_CPU_ARM_{board.core.unicorn}"))
        self.core_registers = Registers(self.core)
        self.core.ctl_set_tcg_buffer_size(_TRANSLATED_BYTES)
        self.core.ctl_exits_enabled(True)
        self.memory = BoardMemory(board, self.core)
        self._callbacks: list[object] = []
        self._error: BaseException | None = None
        self._devices = DeviceAreas()
        self.uarts: list[UartModel] = []
        self.stateful_models: list[object] = []  # of attached peripherals
        self._elapsed = elapsed
        self._now = now or elapsed
        self.nvic = Nvic(board.core, self._masks)
        self.ticks = SysTick(self._now)
        self.interrupting: list[UartModel] = []  # UARTs whose interrupt is known
        self.counting: list[Counting] = []  # timers
        self.wiring = Wiring(self._now, self.memory.peek, self.memory.write, self.interrupt, self._devices.word)
        self._map_peripherals(board, send, dialogue or Dialogue(()), uarts)
        self._attach_clocks(board)
        self.flash = self._flash(board.flash_controller)
        self.system = system = SystemControlSpace(
            board.core,
            board.fpu,
            vectors,
            elapsed,
            self._request_reset,
            self.nvic,
            self.ticks,
            lambda: self.on_change(),
            board.mpu_regions,
        )
        self._map_registers(SCS_BASE, SCS_SIZE, system.read, system.write)
        self._hook(unicorn_const.UC_HOOK_MEM_INVALID, self._callback(HOOK_MEM_INVALID_CFUNC, self._on_bad_access))
        self._hook(unicorn_const.UC_HOOK_INTR, self._callback(HOOK_INTR_CFUNC, self._on_exception))

    def hook_blocks(self, callback: int, user_data: int) -> None:
        """Call the C function at `callback` before each block."""
        self._hook(unicorn_const.UC_HOOK_BLOCK, ctypes.c_void_p(callback), user_data)

    def hook_instructions(self, callback: int, user_data: int) -> None:
        """Call the C function at `callback` before each instruction, until `unhook_instructions`."""
        self._instructions_hooks.append(self._hook(unicorn_const.UC_HOOK_CODE, ctypes.c_void_p(callback), user_data))

    def hook_each(self, callback: Callable[[int], None]) -> None:
        """Call `callback` with the address of each instruction before it executes, until `unhook_instructions`.

        It is Python's: a million instructions take some seconds.
        """
        function = self._callback(HOOK_CODE_CFUNC, lambda address, _size, _data: callback(address))
        self._instructions_hooks.append(self._hook(unicorn_const.UC_HOOK_CODE, function))
        self.core.ctl_flush_tb()  # what is translated already would not be seen

    def unhook_instructions(self) -> None:
        """Drop these hooks, and the code that was translated with them."""
        if self._instructions_hooks:
            for hook in self._instructions_hooks:
                _check(uclib.uc_hook_del(self.core._uch, hook))
            self._instructions_hooks = []
            self.core.ctl_flush_tb()

    def close(self) -> None:
        """Give back the core and its memories, which are large, now. Nothing else may be called afterwards."""
        del self.core
        self.memory.close()

    @property
    def stateful(self) -> tuple[object, ...]:
        """The parts whose plain attributes are the state of core and peripherals, beside core and memories."""
        return (self.nvic, self.ticks, self.system, *self.uarts, *self._devices.stateful, *self.stateful_models)

    def attach(self, low: int, high: int, device: Device, origin: int | None = None) -> bool:
        """Let `device` answer at [low, high) in place of registers that nobody models; False where there are none.

        Its offsets are from `origin`, where that is not `low`.
        """
        area = self._devices.of(low, high)
        if area is not None:
            area.attach(low, high, device, low if origin is None else origin)
        return area is not None

    @staticmethod
    def stop_function() -> int:
        """The C address of uc_emu_stop."""
        return ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p).value or 0

    def watch_divisions(self, program: Program) -> None:
        """End the run before a division by zero, once the program has made that a fault."""
        reg_read = ctypes.cast(uclib.uc_reg_read, ctypes.c_void_p).value or 0
        self._divisions = DivisionWatch(program, reg_read, self.stop_function())
        self.system.on_division_trap = self._divisions.set_traps
        for callback, row, address in self._divisions.hooks():
            self._hook(unicorn_const.UC_HOOK_CODE, ctypes.c_void_p(callback), row, (address, address))

    @property
    def divided_by_zero(self) -> bool:
        """Whether that has ended the run."""
        return self._divisions is not None and self._divisions.hit

    @property
    def times_read(self) -> int:
        """How often the program has read something that changes by itself, by the time."""
        return self.system.times_read + self._devices.times_read + sum(timer.times_read for timer in self.counting)

    @property
    def registers_read(self) -> int:
        """How often it has read a device's register, or one of the core's own."""
        return self.system.reads + self._devices.reads

    @property
    def guesses_left(self) -> bool:
        """Whether a device register that is waited for may still get to answer something else."""
        return self._devices.guesses_left

    def set_exits(self, addresses: Collection[int]) -> None:
        """Stop before the instruction at any of `addresses`."""
        # What was translated as an exit remains one where a memory begins, and there alone.
        stale = {address for address in self._exits if self.memory.is_start(address)}
        self._exits = frozenset(addresses)
        self.core.ctl_set_exits(sorted(addresses))
        for address in stale | self._exits:
            if self.memory.writable_at(address) is not None:
                self.core.ctl_remove_cache(address, address + 2)

    def run(self, pc: int) -> int:
        """Run Thumb code from `pc` until something stops it; returns the error number, 0 when there was none."""
        self.bad_access = self.exception = None
        try:
            self.core.emu_start(pc | 1, 0)
        except UcError as error:
            return int(error.errno)
        finally:
            raised, self._error = self._error, None
            if raised is not None:
                raise raised
        if self.exception == _PREFETCH_ABORT and self.bad_access is None and self.pc == 0 and 0 in self._exits:
            self.exception = None  # so it says that it has arrived at address 0
        return 0

    @property
    def pc(self) -> int:
        return self.core_registers.read(arm_const.UC_ARM_REG_PC)

    @property
    def thumb(self) -> bool:
        """Whether the core still executes Thumb code: Cortex-M cores can do nothing else."""
        return bool(self.core_registers.read(arm_const.UC_ARM_REG_CPSR) & 1 << 5)

    def register(self, name: str) -> int:
        return self.core_registers.read(_REGISTERS[name])

    def set_register(self, name: str, value: int) -> None:
        self.core_registers.write(_REGISTERS[name], value)

    def registers(self) -> dict[str, int]:
        masks = dict(zip(("primask", "faultmask", "basepri"), self._masks(), strict=True))
        return {name: self.register(name) for name in _REGISTERS} | masks | self.system.status

    def step(self, pc: int, count: int = 1) -> int:
        """Execute the one instruction at `pc`; returns the error number as `run` does. Forgets the exits.

        An exit behind the instruction makes it a block of its own: one that is longer would be counted as a whole. With
        `count` 0, who calls it has the next block stopped: Unicorn's own count lets the hook of that be called first.
        """
        first = int.from_bytes(self.memory.peek(pc, 2) or b"", "little")
        self.set_exits({pc + instruction_size(first)})
        self.bad_access = self.exception = None
        try:
            self.core.emu_start(pc | 1, 0, count=count)
        except UcError as error:
            return int(error.errno)
        return 0

    @property
    def made_up(self) -> tuple[int, ...]:
        """Device registers that had to answer something made up."""
        return self._devices.made_up

    def _map_peripherals(
        self, board: Board, send: Callable[[bytes], None], dialogue: Dialogue, uarts: Sequence[UartLine] | None
    ) -> None:
        """UARTs work; registers of other devices keep what is written."""
        self._has_timers = board.console.driver in DRIVERS
        console, taken = board.console, [(SCS_BASE, SCS_BASE + SCS_SIZE), *self.memory.spans()]
        uart = UARTS.get(console.driver)
        if uart is not None and uarts is None:
            page = console.base & -PAGE
            size = -(-(console.base - page + SPAN) // PAGE) * PAGE
            registers = self._uart(UartLine(uart, console.base, console.irq, send, dialogue), page, size)
            self._map_registers(page, size, registers.read, registers.write)
            taken.append((page, page + size))
        for devices in devices_answer():
            for start, end in gaps(taken, devices):
                self._map_devices(start, end)
        for step in console.enable:
            page = step.address & -PAGE
            if not any(low <= page < high for low, high in [*devices_answer(), *taken]):
                self._map_devices(page, page + PAGE)
                taken.append((page, page + PAGE))
        for line in uarts or ():
            registers = self._uart(line, line.base, line.uart.size)
            if not self.attach(line.base, line.base + line.uart.size, registers):
                page = line.base & -PAGE
                self._map_registers(page, -(-line.uart.size // PAGE) * PAGE, registers.read, registers.write)

    def _uart(self, line: UartLine, page: int, size: int) -> UartModel:
        """The registers of `line`, in `size` bytes from `page`."""
        registers = uart_model(line, page, size, self.wiring)
        self.uarts.append(registers)
        if line.irq is not None:
            self.interrupting.append(registers)
        return registers

    def _attach_clocks(self, board: Board) -> None:
        """Clocks and timers, and what connects their events."""
        for peripheral, spans, model in clock_models(board, self.wiring, self._devices.start):
            for low, high in spans:
                self.attach(peripheral.base + low, peripheral.base + high, model, peripheral.base)
            self.stateful_models.append(model)
            if isinstance(model, Counting):
                self.counting.append(model)

    def interrupt(self, irq: int | None, device: int, level: bool) -> None:
        """The device at `device` asks for its interrupt, or ceases to; of some it is not known which it is."""
        if irq is not None:
            self.nvic.line(FIRST_INTERRUPT + irq, level, device)
        self.on_change()

    def _masks(self) -> tuple[int, int, int]:
        primask, faultmask, basepri = (self.core_registers.read(mask) for mask in _MASKS)
        return primask, faultmask, basepri

    def _map_devices(self, start: int, end: int) -> None:
        timers = start <= TIMERS < end and self._has_timers
        devices = DeviceRegisters(start, self._elapsed, self._now if timers else None, end)
        self._devices.areas.append(devices)
        self._map_registers(start, end - start, devices.read, devices.write)

    def _flash(self, controller: FlashController | None) -> FlashRegisters | None:
        """The flash controller, in its place; None where the board file names none."""
        if controller is None:
            return None
        registers = FlashRegisters(controller, self.memory.unlock_flash)
        self.attach(controller.base, controller.base + controller.family.size, registers)
        self.stateful_models.append(registers)
        return registers

    def _map_registers(
        self, start: int, size: int, read: Callable[[int, int], int], write: Callable[[int, int, int], None]
    ) -> None:
        on_read = self._callback(MMIO_READ_CFUNC, lambda offset, width, _: read(offset, width))
        on_write = self._callback(MMIO_WRITE_CFUNC, lambda offset, width, value, _: write(offset, width, value))
        _check(uclib.uc_mmio_map(self.core._uch, start, size, on_read, 0, on_write, 0))

    def _hook(self, kind: int, callback: object, user_data: int = 0, span: tuple[int, int] = (1, 0)) -> int:
        """Hook from the first to the last address of `span`; everywhere when it is empty. Returns its handle."""
        handle = ctypes.c_size_t()
        first, last = (ctypes.c_uint64(address) for address in span)
        _check(uclib.uc_hook_add(self.core._uch, ctypes.byref(handle), kind, callback, user_data, first, last))
        return handle.value

    def _callback(self, kind: Callable[[object], object], function: Callable[..., object]) -> object:
        """`function`, without the engine's handle as first argument, as a C function; its errors end the run."""

        def guarded(_handle: object, *arguments: int) -> object:
            try:
                return function(*arguments)
            except BaseException as error:
                self._error = self._error or error
                self.core.emu_stop()
                return 0

        callback = kind(guarded)
        self._callbacks.append(callback)
        return callback

    def _request_reset(self) -> None:
        self.reset_requested = True
        self.core.emu_stop()

    def _on_bad_access(self, kind: int, address: int, size: int, _value: int, _data: object) -> bool:
        self.bad_access = BadAccess(kind, address & 0xFFFFFFFF, size)
        return False

    def _on_exception(self, number: int, _data: object) -> None:
        self.exception = number
        self.core.emu_stop()


def _check(status: int) -> None:
    if status != unicorn_const.UC_ERR_OK:
        raise UcError(status)
