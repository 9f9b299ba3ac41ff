"""Thumb code written by hand: encoders for the few instructions that tests of recorder and cycle models need."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.image.program import Program, Symbol

NOP = bytes.fromhex("00bf")
BX_LR = bytes.fromhex("7047")
BX_R3 = bytes.fromhex("1847")
BLX_R3 = bytes.fromhex("9847")
POP_PC = bytes.fromhex("00bd")
PUSH_LR = bytes.fromhex("00b5")


def branch(at: int, to: int) -> bytes:
    """B: the 16-bit encoding, from `at` to `to`."""
    return (0xE000 | (to - at - 4) >> 1 & 0x7FF).to_bytes(2, "little")


def branch_if_not_equal(at: int, to: int) -> bytes:
    """BNE: the 16-bit encoding."""
    return (0xD100 | (to - at - 4) >> 1 & 0xFF).to_bytes(2, "little")


def call(at: int, to: int) -> bytes:
    """BL."""
    offset = (to - at - 4) >> 1
    sign = offset >> 31 & 1
    j1 = 1 ^ (offset >> 22 & 1) ^ sign
    j2 = 1 ^ (offset >> 21 & 1) ^ sign
    first = 0xF000 | sign << 10 | offset >> 11 & 0x3FF
    second = 0xD000 | j1 << 13 | j2 << 11 | offset & 0x7FF
    return first.to_bytes(2, "little") + second.to_bytes(2, "little")


@dataclass
class CodeMemory:
    """Memory that code is put into piece by piece."""

    pieces: dict[int, bytes] = field(default_factory=dict)

    def put(self, address: int, *code: bytes) -> int:
        """Put code at `address`; returns where it ends."""
        joined = b"".join(code)
        self.pieces[address] = joined
        return address + len(joined)

    def read(self, address: int, size: int) -> bytes:
        for start, code in self.pieces.items():
            if start <= address < start + len(code):
                return code[address - start :][:size]
        return b""


def play(recorder: BlockRecorder, *blocks: tuple[int, int]) -> bool:
    """Hand (address, size) of executed blocks to the recorder; False when it stopped."""
    return recorder.add(np.array(blocks, np.uint32).reshape(-1, 2))


def paths(recorder: BlockRecorder) -> dict[tuple[tuple[int, ...], int], int]:
    """How often each block ran, by (entries of the contexts it ran in, outermost first; its address)."""
    counts = recorder.counts()
    chains: list[tuple[int, ...]] = []
    for parent, entry in zip(counts.context_parent.tolist(), counts.context_entry.tolist(), strict=True):
        chains.append((*(chains[parent] if parent >= 0 else ()), entry))
    found: dict[tuple[tuple[int, ...], int], int] = {}
    edges = zip(counts.edge_context.tolist(), counts.edge_current.tolist(), counts.edge_count.tolist(), strict=True)
    for context, current, count in edges:
        key = chains[context], int(counts.block_address[current])
        found[key] = found.get(key, 0) + count
    return found


def program(functions: dict[str, tuple[int, int]]) -> Program:
    """A program that is nothing but the names of functions, (start, size) each."""
    symbols = [Symbol(name, start, size, "function", ".text") for name, (start, size) in functions.items()]
    symbols.sort(key=lambda symbol: symbol.address)
    return Program(Path("made.elf"), 0, (), (), tuple(symbols), (), "")
