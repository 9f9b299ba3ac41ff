"""A live board as a target of GDB: its remote serial protocol, for one debugger on this machine.

Packets are those of "GDB Remote Serial Protocol" in the manual of GDB (appendix E); registers are the ones of
its feature org.gnu.gdb.arm.m-profile (G.5.2). Time passes in `continue` and `step` only.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.live import LiveMachine, Stop, StopReason

_REGISTERS = (*(f"r{nth}" for nth in range(13)), "sp", "lr", "pc", "xpsr")
_TARGET = (
    '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target><architecture>arm</architecture>'
    '<feature name="org.gnu.gdb.arm.m-profile">'
    + "".join(f'<reg name="{name}" bitsize="32"/>' for name in _REGISTERS)
    + "</feature></target>"
)
_TRAP, _FAULT = "S05", "S0b"
_INTERRUPT = 3
_MOST_BYTES = 1 << 12  # of a packet
_SLICE_CYCLES = 10_000_000  # between two looks at whether the debugger wants to stop


class GdbServer:
    """Listens on a free port of the loopback interface; `port` is it."""

    def __init__(self, machine: LiveMachine) -> None:
        self._machine = machine
        self._breakpoints: set[int] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def serve(self, timeout_s: float) -> bool:
        """Wait `timeout_s` for a debugger, then serve it until it leaves; False when none came."""
        self._listening.settimeout(timeout_s)
        try:
            client, _ = self._listening.accept()
        except TimeoutError:
            return False
        finally:
            self._listening.close()
        with client:
            client.settimeout(None)
            _Client(client, self._answer, self._go).serve()
        return True

    def close(self) -> None:
        self._listening.close()

    def _answer(self, packet: str) -> str | None:
        """The answer to a packet that lets no time pass; None ends the session. "" is "not supported"."""
        kind, rest = packet[:1], packet[1:]
        try:
            if kind in "mM":
                return self._memory(kind, rest)
            if kind in "gGpP":
                return self._registers(kind, rest)
            if kind in "zZ":
                return self._breakpoint(kind, rest)
        except (ValueError, IndexError, EmulatorError):
            return "E01"
        if packet.startswith("qXfer:features:read:target.xml:"):
            start, size = (int(part, 16) for part in packet.rpartition(":")[2].split(","))
            part = _TARGET[start : start + size]
            return ("l" if start + size >= len(_TARGET) else "m") + part
        if packet.startswith("qSupported"):
            return f"PacketSize={_MOST_BYTES:x};qXfer:features:read+"
        if kind in ("D", "k"):
            return None
        return {"?": _TRAP, "qAttached": "1", "qC": "QC1", "qfThreadInfo": "m1", "qsThreadInfo": "l"}.get(
            packet, "OK" if kind in ("H", "T") else ""
        )

    def _memory(self, kind: str, rest: str) -> str:
        place, _, data = rest.partition(":")
        address, size = (int(part, 16) for part in place.split(","))
        if kind == "m":
            return self._machine.read(address, min(size, _MOST_BYTES // 2)).hex()
        self._machine.write(address, bytes.fromhex(data))
        return "OK"

    def _registers(self, kind: str, rest: str) -> str:
        known = self._machine.registers()
        if kind == "g":
            return "".join(_word(known[name]) for name in _REGISTERS)
        if kind == "p":
            return _word(known[_REGISTERS[int(rest, 16)]])
        if kind == "P":
            number, _, value = rest.partition("=")
            self._set(_REGISTERS[int(number, 16)], value)
        else:
            for nth, name in enumerate(_REGISTERS):
                self._set(name, rest[8 * nth : 8 * nth + 8])
        return "OK"

    def _set(self, name: str, value: str) -> None:
        if name != "xpsr":
            self._machine.set_register(name, int.from_bytes(bytes.fromhex(value), "little"))

    def _breakpoint(self, kind: str, rest: str) -> str:
        type_, address = rest.split(",")[:2]
        if type_ not in ("0", "1"):
            return ""
        change = self._breakpoints.add if kind == "Z" else self._breakpoints.discard
        change(int(address, 16) & ~1)
        return "OK"

    def _go(self, packet: str, wants_to_stop: Callable[[], bool]) -> str:
        """Step or continue; the answer says why it stands again."""
        if packet.startswith("s"):
            return _said(self._machine.step())
        while True:
            stop = self._machine.go(self._machine.now + _SLICE_CYCLES, self._breakpoints)
            if stop.reason not in (StopReason.TIME, StopReason.ASKED):
                return _said(stop)
            if wants_to_stop():
                return "S02"


def _said(stop: Stop) -> str:
    if stop.reason is StopReason.EXITED:
        return f"W{(stop.status or 0) & 0xFF:02x}"
    return _FAULT if stop.reason is StopReason.FAULT else _TRAP


def _word(value: int) -> str:
    return (value & 0xFFFFFFFF).to_bytes(4, "little").hex()


class _Client:
    """One debugger: its packets, with their acknowledgements."""

    def __init__(
        self,
        client: socket.socket,
        answer: Callable[[str], str | None],
        go: Callable[[str, Callable[[], bool]], str],
    ) -> None:
        self._socket = client
        self._answer = answer
        self._go = go
        self._received = b""

    def serve(self) -> None:
        while (packet := self._packet()) is not None:
            if packet[:1] in ("c", "s"):
                answer: str | None = self._go(packet, self._wants_to_stop)
            else:
                answer = self._answer(packet)
            if answer is None:
                self._send("OK")
                return
            self._send(answer)

    def _wants_to_stop(self) -> bool:
        """Whether the debugger sent an interrupt, or went away."""
        if select.select([self._socket], [], [], 0)[0]:
            data = self._socket.recv(_MOST_BYTES)
            if not data:
                return True
            self._received += data
        interrupted = _INTERRUPT in self._received  # between packets: none of them has that byte in it
        self._received = self._received.replace(bytes([_INTERRUPT]), b"")
        return interrupted

    def _packet(self) -> str | None:
        """The next packet, acknowledged; None when the debugger has gone."""
        while True:
            start = self._received.find(b"$")
            end = self._received.find(b"#", start) if start >= 0 else -1
            if end >= 0 and len(self._received) >= end + 3:
                body, self._received = self._received[start + 1 : end], self._received[end + 3 :]
                self._socket.sendall(b"+")
                return body.decode("latin-1")
            data = self._socket.recv(_MOST_BYTES)
            if not data or len(self._received) > 4 * _MOST_BYTES:
                return None
            self._received += data

    def _send(self, text: str) -> None:
        body = text.encode("latin-1")
        self._socket.sendall(b"$" + body + b"#" + f"{sum(body) & 0xFF:02x}".encode())
