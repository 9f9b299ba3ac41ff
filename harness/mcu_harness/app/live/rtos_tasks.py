"""Which task of an RTOS runs: seen where its kernel switches tasks, and named as its structures name it.

Names of functions, variables and members are those of the kernels' public sources: FreeRTOS 10 and 11 (tasks.c), Zephyr 3 (kernel_structs.h,
arch/arm/core/cortex_m), ThreadX 6 (tx_api.h, ports/cortex_m*).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcu_harness.app.live.variables import Variables
from mcu_harness.base.errors import HarnessError
from mcu_harness.emulator.live import LiveMachine
from mcu_harness.image.program import Program

_MOST_NAME_BYTES = 64


@dataclass(frozen=True, slots=True)
class Kernel:
    """When `switch` was entered, or with `after` has returned, `current` points to the task that runs from then on.

    A task is of the first of `types` that is there, and is called what its `member` says.
    """

    switch: tuple[str, ...]
    after: bool
    current: str
    types: tuple[str, ...]
    member: str


KERNELS = {
    "FreeRTOS": Kernel(
        ("vTaskSwitchContext",), True, "pxCurrentTCB", ("struct tskTaskControlBlock", "struct tskTCB"), "pcTaskName"
    ),
    "Zephyr": Kernel(("z_arm_pendsv",), False, "_kernel.ready_q.cache", ("struct k_thread",), "name"),
    "ThreadX": Kernel(
        ("__tx_PendSVHandler", "PendSV_Handler"),
        False,
        "_tx_thread_execute_ptr",
        ("struct TX_THREAD_STRUCT",),
        "tx_thread_name",
    ),
}


class TaskSwitches:
    """Observes switches: `on_switch(task, now)` is told of each. Where no known kernel is, there is nothing to observe."""

    def __init__(self, program: Program, variables: Variables, on_switch: Callable[[str, int], None]) -> None:
        self._program = program
        self._variables = variables
        self._on_switch = on_switch
        self._back: tuple[int, int] | None = None  # where the switch returns to, and the stack pointer there
        self._kernel, self._entries, self._pointer = self._found()

    def _found(self) -> tuple[Kernel | None, frozenset[int], int]:
        symbols = {symbol.name: symbol for symbol in self._program.symbols}
        for kernel in KERNELS.values():
            if kernel.current.partition(".")[0] not in symbols:
                continue
            entries = frozenset(symbols[name].address & ~1 for name in kernel.switch if name in symbols)
            try:
                pointer = self._variables.address(kernel.current)
            except HarnessError:  # a member, and there is no debug information
                continue
            if entries:
                return kernel, entries, pointer
        return None, frozenset(), 0

    @property
    def places(self) -> set[int]:
        """As `Observer`."""
        return {*self._entries, *([self._back[0]] if self._back else [])}

    def begin(self, machine: LiveMachine) -> None:
        """The task that runs already is told of."""
        if self._kernel is not None and self._task(machine):
            self._tell(machine)

    def at(self, machine: LiveMachine) -> None:
        """As `Observer`."""
        assert self._kernel is not None
        pc, registers = machine.pc, machine.registers()
        if self._back is not None and pc == self._back[0] and registers["sp"] >= self._back[1]:
            self._back = None
            self._tell(machine)
        if pc in self._entries:
            if self._kernel.after:
                self._back = registers["lr"] & ~1, registers["sp"]
            else:
                self._tell(machine)

    def _tell(self, machine: LiveMachine) -> None:
        task = self._task(machine)
        if task:
            self._on_switch(self._name(machine, task), machine.now)

    def _task(self, machine: LiveMachine) -> int:
        return int.from_bytes(machine.read(self._pointer, 4), "little")

    def _name(self, machine: LiveMachine, task: int) -> str:
        """As the task says; else the variable that it is, or its address."""
        assert self._kernel is not None
        try:
            name = self._said(machine, task)
        except HarnessError:
            name = ""
        if name:
            return name
        symbol = next((s for s in self._program.symbols if s.kind == "object" and s.address == task), None)
        return symbol.name if symbol else f"task at {task:#010x}"

    def _said(self, machine: LiveMachine, task: int) -> str:
        assert self._kernel is not None
        for kind in self._kernel.types:
            try:
                structure = self._variables.find(task, kind).type
            except HarnessError:
                continue
            value = structure.decode(machine.read(task, structure.size))
            name = value.get(self._kernel.member) if isinstance(value, dict) else None
            if isinstance(name, int):  # a pointer to it
                name = machine.read(name, _MOST_NAME_BYTES).split(b"\0")[0].decode("utf-8", "replace") if name else ""
            return name if isinstance(name, str) else ""
        return ""
