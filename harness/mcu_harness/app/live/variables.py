"""Variables by what a C programmer would write: "settings.corners[1].y"; or memory by address and type."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mcu_harness.app.live.firmware import LiveFirmware
from mcu_harness.app.live.typed_values import DebugType
from mcu_harness.app.live.values import PLAIN_NAMES, PlainType, is_plain
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.image.data_types import DataType, DataTypes, Kind

_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d{1,9})\]")
_ROOT = re.compile(r"[^.\[]+")
_MOST_NAMED = 40  # types in a hint


@dataclass(frozen=True, slots=True)
class Variable:
    """Where it is, and what it is."""

    address: int
    type: PlainType | DebugType


class Variables:
    """The variables of a board's firmware."""

    def __init__(self, firmware: LiveFirmware) -> None:
        self._firmware = firmware
        self._types = DataTypes(firmware.program)

    def find(self, place: str | int, type: str | None) -> Variable:
        """The variable, or part of one, or address `place`, as `type`, or as what the debug information says it is.

        Raises HarnessError for a name or a type that is not there.
        """
        if isinstance(place, int):
            if type is None:
                raise HarnessError(f"{place:#010x}: an address has no type of its own", hint="give one, as in 'u32'")
            return Variable(place, self._type(type))
        root, steps = self._split(place)
        address = self._firmware.address(root)
        if not steps and type is not None:
            return Variable(address, self._type(type))
        address, found = self._walk(root, address, self._types.of_variable(address, root), steps)
        return Variable(address, self._type(type) if type is not None else DebugType(found))

    def address(self, place: str | int) -> int:
        """Where it is, whatever it is."""
        if isinstance(place, int):
            return place
        root, steps = self._split(place)
        address = self._firmware.address(root)
        return self._walk(root, address, self._types.of_variable(address, root), steps)[0] if steps else address

    def _split(self, place: str) -> tuple[str, list[tuple[str, str]]]:
        """The symbol and the steps from there; symbols of compilers may have dots in their names themselves."""
        if not isinstance(place, str):
            raise HarnessError(f"{place!r} names no variable", hint='give its name, as in "state.mode", or an address')
        if any(symbol.name == place for symbol in self._firmware.program.symbols):
            return place, []
        root = _ROOT.match(place)
        rest = place[root.end() :] if root else ""
        steps = [(step[1] or "", step[2] or "") for step in _STEP.finditer(rest)]
        if root is None or "".join(f".{name}" if name else f"[{index}]" for name, index in steps) != rest:
            return place, []  # no such path: it is looked for as a name
        return root[0], steps

    def _walk(self, where: str, address: int, type: DataType, steps: list[tuple[str, str]]) -> tuple[int, DataType]:
        for name, index in steps:
            if name:
                members = {member.name: member for member in type.members}
                if name not in members:
                    hint = did_you_mean(name, tuple(members)) if members else f"it is {type.name}"
                    raise HarnessError(f"{where} has no member {name!r}", hint=hint)
                member = members[name]
                if member.bits:
                    raise HarnessError(f"{where}.{name} is a bit field", hint=f"take {where}, and its {name!r}")
                where, address, type = f"{where}.{name}", address + member.offset, member.type
            else:
                if type.kind is not Kind.ARRAY or type.element is None or int(index) >= type.count:
                    raise HarnessError(f"{where} has no element {index}", hint=f"it is {type.name}")
                where, address, type = f"{where}[{index}]", address + int(index) * type.element.size, type.element
        return address, type

    def _type(self, name: str) -> PlainType | DebugType:
        if is_plain(name):
            return PlainType(name)
        found = self._types.named(name)
        if found is not None:
            return DebugType(found)
        own = self._types.names
        hint = did_you_mean(name, (*PLAIN_NAMES, *(own if len(own) <= _MOST_NAMED else ())))
        raise HarnessError(f"no type is called {name!r}", hint=hint)
