"""Calls of the firmware's functions, seen from a test: what it calls itself, and what is called before its eyes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mcu_harness.base.errors import HarnessError
from mcu_harness.emulator.live import LiveMachine

_IN_REGISTERS = 4  # arguments of a word, before the stack is used (AAPCS32, 6.5)
_WORD = 0xFFFFFFFF


@dataclass(slots=True)
class Hook:
    """A Python function at a function of the firmware. `count` is how often that was entered since."""

    name: str
    address: int
    callback: Callable[..., object]
    replace: bool
    parameters: int
    count: int = 0
    removed: bool = False

    def remove(self) -> None:
        """From now on the firmware's function is what it was."""
        self.removed = True


class Observer(Protocol):
    """Looks at the machine at places, which may be others each time, and changes nothing."""

    @property
    def places(self) -> set[int]: ...

    def at(self, machine: LiveMachine) -> None: ...


@dataclass(slots=True)
class Hooks:
    """All hooks of a board; of several at one function, all are called, in their order."""

    hooks: list[Hook] = field(default_factory=list)
    observers: list[Observer] = field(default_factory=list)
    is_running: bool = False

    def add(self, name: str, address: int, callback: Callable[..., object], replace: bool) -> Hook:
        hook = Hook(name, address, callback, replace, _parameters(name, callback))
        self.hooks.append(hook)
        return hook

    @property
    def places(self) -> set[int]:
        observed = (observer.places for observer in self.observers)
        return {hook.address for hook in self.hooks if not hook.removed}.union(*observed)

    def enter(self, machine: LiveMachine) -> None:
        """The core stands at the first instruction of a function with hooks: call them.

        What a callback raises comes out of here, with a note of where it was.
        """
        pc = machine.pc
        for observer in self.observers:
            if pc in observer.places:
                observer.at(machine)
        replaced = False
        for hook in [hook for hook in self.hooks if hook.address == pc and not hook.removed]:
            hook.count += 1
            self.is_running = True
            try:
                answer = hook.callback(*arguments(machine, hook.parameters))
            except Exception as error:
                error.add_note(
                    f"raised by the callback at {hook.name}, when the firmware called it the {hook.count}. time"
                )
                raise
            finally:
                self.is_running = False
            if hook.replace and not replaced:
                replaced = True
                _return(machine, hook, answer)


def _return(machine: LiveMachine, hook: Hook, answer: object) -> None:
    if answer is not None:
        if not isinstance(answer, int):
            raise HarnessError(
                f"the callback at {hook.name} returned {answer!r}, and a function of the firmware returns a whole number",
                hint="return an int, or nothing",
            )
        machine.set_register("r0", answer & _WORD)
    machine.set_register("pc", machine.registers()["lr"])


def arguments(machine: LiveMachine, count: int) -> list[int]:
    """The first `count` arguments of the function at whose first instruction the core stands, as unsigned words."""
    registers = machine.registers()
    found = [registers[f"r{nth}"] for nth in range(min(count, _IN_REGISTERS))]
    for nth in range(count - len(found)):
        found.append(int.from_bytes(machine.read(registers["sp"] + 4 * nth, 4), "little"))
    return found


def begin_call(machine: LiveMachine, address: int, back: int, given: Sequence[object]) -> tuple[object, int]:
    """Let the core stand at the start of the function at `address`, to return to `back`.

    Returns what `end_call` takes, and the stack pointer that it returns with.
    """
    saved = machine.save_core()
    _put_arguments(machine, given)
    machine.set_register("lr", back | 1)
    machine.set_register("pc", address)
    return saved, machine.registers()["sp"]


def end_call(machine: LiveMachine, saved: object) -> bytes:
    """The function has returned: what it returned, as r0 and r1 in memory, with all registers as they were before."""
    registers = machine.registers()
    machine.restore_core(saved)
    return b"".join(registers[name].to_bytes(4, "little") for name in ("r0", "r1"))


def _put_arguments(machine: LiveMachine, given: Sequence[object]) -> None:
    """Arguments of a call that is about to be made, by the procedure call standard: words, the rest on the stack."""
    words = [_word(argument) for argument in given]
    stacked = words[_IN_REGISTERS:]
    stack = machine.registers()["sp"] - 4 * len(stacked) & ~7
    machine.set_register("sp", stack)
    for nth, word in enumerate(words[:_IN_REGISTERS]):
        machine.set_register(f"r{nth}", word)
    if stacked:
        machine.write(stack, b"".join(word.to_bytes(4, "little") for word in stacked))


def _word(argument: object) -> int:
    if isinstance(argument, int) and -(1 << 31) <= argument <= _WORD:
        return argument & _WORD
    hint = "write text, structures and floats into memory of the firmware, and give their address"
    raise HarnessError(f"an argument of a call is a whole number of 32 bits, got {argument!r}", hint=hint)


def _parameters(name: str, callback: Callable[..., object]) -> int:
    """How many arguments the callback takes."""
    try:
        parameters = inspect.signature(callback).parameters.values()
    except (TypeError, ValueError) as error:
        raise HarnessError(f"on({name!r}): {callback!r} cannot be called: {error}", hint="give a function") from error
    named = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
    return len(named)
