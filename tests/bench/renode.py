"""What the harness adds to Renode: the same image, in turns, in one process.

Speeds are those of additional inferences, by the clock: what a run costs once (platform, translation) is taken off.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mcu_harness.app.inference_plan import run_plan
from mcu_harness.emulator.contract import RunPlan
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.build import build
from mcu_harness.image.program import Program, read_program
from mcu_harness.image.toolchain import find_toolchain
from mcu_harness.model.codegen.generate import generate, plan_memory
from mcu_harness.model.samples import model_graph, samples_for
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.scenario import InputSpec, load_scenario
from tests.bench.any_elf import BOARD as ORDINARY_BOARD
from tests.bench.any_elf import CODE as ORDINARY_CODE
from tests.emulated.small_firmware import firmware, plan_for

SCENARIO = Path(__file__).parent.parent.parent / "scenarios/image_classification.toml"
MEASURING_STICK = Path(__file__).parent / "RenodeAlone.cs"
FEW, MANY = 1, 11
SHORT_AND_LONG = (52, 521)  # rounds of the ordinary code: 10 and 100 million instructions


@dataclass(frozen=True)
class Speeds:
    """Millions of instructions per second, and what a run costs besides."""

    alone: float
    counting: float
    empty_hook: float
    profiling: float
    start_s: float
    warm_s: float  # a run beyond emulation
    resident_mb: float


def measure(rounds: int = 5) -> Speeds:
    """The best of `rounds` for each, taken in turns."""
    case = cases_of(load_scenario(SCENARIO), ("stm32f4_discovery",))[0]
    program, plan = _prepared(case.board, case.model, case.scenario.inputs)
    emulator = RenodeEmulator()
    try:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            first = emulator.run(program, case.board, replace(plan, profile=False))
            start_s = time.perf_counter() - started - first.emulation_s
            bench = _Bench(emulator, case.board, program, plan, Path(folder), sum(first.window_instructions))
            measures: dict[str, Callable[[], float]] = {
                "alone": lambda: bench.alone(hook=False),
                "counting": lambda: bench.harness(profile=False),
                "empty_hook": lambda: bench.alone(hook=True),
                "profiling": lambda: bench.harness(profile=True),
            }
            best = dict.fromkeys(measures, 0.0)
            for _ in range(rounds):
                for name, speed in measures.items():
                    best[name] = max(best[name], speed())
            return Speeds(**best, start_s=start_s, warm_s=bench.beside_s, resident_mb=_resident_mb(emulator))
    finally:
        emulator.close()


@dataclass(frozen=True)
class ShortBlocks:
    """Nanoseconds of processor time that Renode takes for an instruction of ordinary code: alone, with an empty callback in machine
    code at each block, counted and profiled by the harness; and what a warm run of 100 million takes, counted and profiled, in seconds.
    """

    alone: float
    empty_code: float
    counted: float
    profiled: float
    counted_s: float
    profiled_s: float


def short_blocks(rounds: int = 3) -> ShortBlocks:
    """Of additional instructions, the least of `rounds`; a new block begins every 5.8 instructions."""
    board, emulator = find_board(ORDINARY_BOARD), RenodeEmulator()
    try:
        with tempfile.TemporaryDirectory() as folder:
            programs = [
                firmware(board, ORDINARY_CODE.replace("ROUNDS", str(turns)), Path(folder)) for turns in SHORT_AND_LONG
            ]
            emulator.run(programs[0], board, plan_for(programs[0]))
            sizes = [_run(emulator, board, program, False)[0] for program in programs]
            ways: dict[str, Callable[[int], float]] = {
                "alone": lambda nth: _alone_s(emulator, board, programs[nth], sizes[nth], 0, Path(folder)),
                "empty_code": lambda nth: _alone_s(emulator, board, programs[nth], sizes[nth], 2, Path(folder)),
                "counted": lambda nth: _run(emulator, board, programs[nth], False)[1],
                "profiled": lambda nth: _run(emulator, board, programs[nth], True)[1],
            }
            best = {(name, nth): float("inf") for name in ways for nth in (0, 1)}
            for _ in range(rounds):
                for name, nth in best:
                    best[name, nth] = min(best[name, nth], ways[name](nth))
            each = {name: 1e9 * (best[name, 1] - best[name, 0]) / (sizes[1] - sizes[0]) for name in ways}
            return ShortBlocks(**each, counted_s=best["counted", 1], profiled_s=best["profiled", 1])
    finally:
        emulator.close()


def _run(emulator: RenodeEmulator, board: Board, program: Program, profile: bool) -> tuple[int, float]:
    """Instructions, and seconds of a processor that Renode took for all of the run."""
    before = _processor_s(emulator)
    plan = plan_for(program, profile=profile, max_instructions=1 << 40, timeout_s=600)
    execution = emulator.run(program, board, plan)
    return sum(execution.window_instructions), _processor_s(emulator) - before


def _alone_s(
    emulator: RenodeEmulator, board: Board, program: Program, instructions: int, hook: int, folder: Path
) -> float:
    """Seconds of a processor that Renode takes without the harness, see RenodeAlone.cs."""
    start, image = _flash_image(program, inferences=2)
    (folder / "image").write_bytes(image)
    vectors = board.code_memory.origin + board.vector_offset
    places = f'"{folder / "image"}" {start} {vectors} {instructions} "{folder / "result"}"'
    script = folder / "alone.resc"
    script.write_text(f'include "{MEASURING_STICK}"\nemulation MeasureMcuHarness {hook} {places}\n')
    plan = replace(plan_for(program), includes=(script,), max_instructions=1, profile=False)
    emulator.run(program, board, plan)
    return float((folder / "result").read_text().split()[2])


class _Bench:
    """Runs of FEW and of MANY inferences; `beside_s` is the least that a run of the harness took beyond emulation."""

    def __init__(
        self, emulator: RenodeEmulator, board: Board, program: Program, plan: RunPlan, folder: Path, inference: int
    ) -> None:
        self._emulator, self._board, self._program, self._plan = emulator, board, program, plan
        self._inference = inference
        self._script, self._image, self._result = folder / "bench.resc", folder / "image", folder / "result"
        self.beside_s = float("inf")

    def harness(self, profile: bool) -> float:
        few, many = (self._harness_s(profile, count) for count in (FEW, MANY))
        return self._speed(few, many)

    def alone(self, hook: bool) -> float:
        few, many = (self._alone_s(hook, count) for count in (FEW, MANY))
        return self._speed(few, many)

    def _speed(self, few_s: float, many_s: float) -> float:
        return self._inference * (MANY - FEW) / 1e6 / (many_s - few_s)

    def _harness_s(self, profile: bool, count: int) -> float:
        first = self._plan.windows[0]
        again = replace(first, writes=tuple(write for write in first.writes if len(write[1]) > 4))
        (symbol,) = (address for address, data in first.writes if len(data) == 4)
        started = replace(first, writes=(*again.writes, (symbol, count.to_bytes(4, "little"))))
        plan = replace(self._plan, windows=(started, *[again] * (count - 1)), profile=profile)
        begun = time.perf_counter()
        execution = self._emulator.run(self._program, self._board, plan)
        assert len(execution.window_instructions) == count
        self.beside_s = min(self.beside_s, time.perf_counter() - begun - execution.emulation_s)
        return execution.emulation_s

    def _alone_s(self, hook: bool, count: int) -> float:
        vectors = self._board.code_memory.origin + self._board.vector_offset
        start, image = _flash_image(self._program, inferences=2 * count)  # it must not come to its end
        self._image.write_bytes(image)
        places = f'"{self._image}" {start} {vectors} {count * self._inference} "{self._result}"'
        self._script.write_text(f'include "{MEASURING_STICK}"\nemulation MeasureMcuHarness {int(hook)} {places}\n')
        plan = replace(self._plan, includes=(self._script,), max_instructions=1, profile=False)
        self._emulator.run(self._program, self._board, plan)
        instructions, seconds, _ = self._result.read_text().split()
        # Virtual time has a grain: a few instructions are missing.
        assert abs(int(instructions) - count * self._inference) < 1000
        return float(seconds)


def _prepared(board: Board, model: Path, inputs: InputSpec) -> tuple[Program, RunPlan]:
    graph = model_graph(model)
    samples = samples_for(model, inputs)
    sources = generate(graph, plan_memory(graph, board.target), board.target)
    program = read_program(build(sources, board, find_toolchain("auto")).elf)
    return program, run_plan(program, sources, graph, [array[:1] for array in samples.inputs], sources.outputs)


def _flash_image(program: Program, inferences: int) -> tuple[int, bytes]:
    """(address, bytes) of all that is loaded, with the initial value of the number of inferences changed."""
    counter = program.symbol("mcu_inferences").address
    start = min(segment.load_address for segment in program.segments if segment.data)
    end = max(segment.load_address + len(segment.data) for segment in program.segments if segment.data)
    image = bytearray(end - start)
    for segment in program.segments:
        data = bytearray(segment.data)
        if segment.address <= counter < segment.address + len(data):
            data[counter - segment.address : counter - segment.address + 4] = inferences.to_bytes(4, "little")
        image[segment.load_address - start : segment.load_address - start + len(data)] = data
    return start, bytes(image)


def _pid(emulator: RenodeEmulator) -> int:
    (pid,) = emulator.pids
    return pid


def _processor_s(emulator: RenodeEmulator) -> float:
    fields = Path(f"/proc/{_pid(emulator)}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(emulator: RenodeEmulator) -> float:
    pages = int(Path(f"/proc/{_pid(emulator)}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
