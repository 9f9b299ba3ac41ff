"""`tox -e bench`: each line is a ratio or a share of a limit; below 1.00 of a limit is good, above it is said so."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

REPOSITORY = Path(__file__).parent.parent.parent
SCENARIOS = REPOSITORY / "scenarios"

# tflite-micro 90b983c2b with CMSIS-NN 4ab83cc3, GCC 12.2 -O2, int8-only registrations, Cortex-M4F, keyword spotting.
TFLM_KWS_CODE_BYTES = 44_336
TFLM_KWS_INSTRUCTIONS = 7_696_213
TFLM_IC_INSTRUCTIONS = 29_865_425


@dataclass(frozen=True)
class Row:
    """One benchmark. `value` is compared with `limit`; `at_least` says which side is good."""

    name: str
    value: float
    limit: float | None
    unit: str
    at_least: bool = False

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        good = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "met" if good else "MISSED"


def seconds(*command: str, environment: dict[str, str] | None = None) -> float:
    """Wall time of a command that must succeed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, env=environment, timeout=1200)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - start


def processor_seconds(*command: str) -> float:
    """Processor time of a command that must succeed."""
    before = os.times()
    seconds(*command)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def best(times: int, measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(times))


def emulation() -> Iterator[Row]:
    """The full profile against Unicorn without any hook, on the same image, in turns."""
    from tests.bench.emulation import plain_and_profiled

    plain, profiled, instructions = plain_and_profiled(rounds=7)
    yield Row("image classification: profile speed / Unicorn without hooks", plain / profiled, 0.75, "", at_least=True)
    yield Row("image classification, profiled", instructions / profiled / 1e6, None, "M instr/s")


def memory_trace() -> Iterator[Row]:
    """A memory trace of a whole run against Unicorn without any hook, on the same image, in turns."""
    from tests.bench.emulation import plain_and_traced

    plain, traced = plain_and_traced(rounds=7)
    yield Row("image classification: speed with a memory trace / without hooks", plain / traced, 0.2, "", at_least=True)


def any_elf() -> Iterator[Row]:
    """100 million instructions of ordinary code, profiled as the user's own firmware by a fresh process."""
    from tests.bench.any_elf import BOARD, build, plain_and_profiled

    with tempfile.TemporaryDirectory() as folder:
        elf = build(Path(folder))
        plain, profiled, instructions = plain_and_profiled(elf, rounds=5)
        command = str(Path(sys.executable).parent / "mcu-harness")
        run = (command, "profile", str(elf), "--board", BOARD, "--begin", "mcu_infer", "--emulator", "unicorn")
        whole = best(5, lambda: seconds(*run))
        processor = best(3, lambda: processor_seconds(*run))
    yield Row("ordinary code: profile speed / Unicorn without hooks", plain / profiled, 0.7, "", at_least=True)
    yield Row("ordinary code, profiled", instructions / profiled / 1e6, None, "M instr/s")
    yield Row(f"`profile` of an ELF, {instructions / 1e6:.0f} M instructions, all in", whole, 3, "s")
    yield Row("the same in processor time, which other work on the machine changes less", processor, 3, "s")
    yield Row("of that, beyond emulation", processor - profiled, 1.5, "s")


def start_up() -> Iterator[Row]:
    command = str(Path(sys.executable).parent / "mcu-harness")
    yield Row("mcu-harness --help", best(5, lambda: seconds(command, "--help")), 0.3, "s")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_nothing.py").write_text("def test_nothing(): pass\n")
        run = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder)
        with_plugin = best(7, lambda: seconds(*run))
        without = best(7, lambda: seconds(*run, "-p", "no:mcu_harness"))
    yield Row("what the plugin adds to an unrelated pytest run", with_plugin - without, 0.05, "s")


def main_job() -> Iterator[Row]:
    jobs = os.environ.get("MCU_HARNESS_TEST_JOBS", "2")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "MCU_HARNESS_CACHE": f"{folder}/cache"}
        run = (sys.executable, "-m", "pytest", "-q", "scenarios", "-p", "no:cacheprovider", "-n", jobs)
        run = (*run, "--mcu-emulator", "unicorn", "--mcu-report-dir", f"{folder}/reports")
        yield Row("all scenarios on all boards, cold", seconds(*run, environment=environment), 120, "s")
        yield Row("all scenarios on all boards, builds cached", seconds(*run, environment=environment), 20, "s")
        command = str(Path(sys.executable).parent / "mcu-harness")
        one = (command, "run", "scenarios/digits.toml", "--board", "stm32f4_discovery", "--emulator", "unicorn")
        seconds(*one, environment=environment)
        yield Row("a cached run, emulation included", best(3, lambda: seconds(*one, environment=environment)), 1.5, "s")


def size_and_instructions() -> Iterator[Row]:
    from mcu_harness.app.options import Options
    from mcu_harness.app.session import Session
    from mcu_harness.scenario.cases import cases_of
    from mcu_harness.scenario.scenario import load_scenario

    session = Session()
    options = Options(emulator="unicorn")
    kws = session.run(cases_of(load_scenario(SCENARIOS / "keyword_spotting.toml"), ("stm32f4_discovery",))[0], options)
    ic = session.run(
        cases_of(load_scenario(SCENARIOS / "image_classification.toml"), ("stm32f4_discovery",))[0], options
    )
    code = kws.value("code_bytes")
    assert code is not None
    yield Row("keyword spotting, M4F: code flash / TFLM's", code / TFLM_KWS_CODE_BYTES, 0.5, "")
    for name, result, peer in (
        ("keyword spotting", kws, TFLM_KWS_INSTRUCTIONS),
        ("image classification", ic, TFLM_IC_INSTRUCTIONS),
    ):
        count = result.value("instructions")
        assert count is not None
        yield Row(f"{name}, M4F: instructions / TFLM with CMSIS-NN", count / peer, None, "")


def renode() -> Iterator[Row]:
    """What the harness costs in Renode; nothing where there is no Renode."""
    from mcu_harness.base.errors import EmulatorError
    from tests.bench.renode import measure, short_blocks

    try:
        speeds = measure()
        short = short_blocks()
    except EmulatorError as error:
        print(f"renode: not measured: {error.message}", file=sys.stderr)
        return
    yield Row("Renode, counting / Renode alone", speeds.counting / speeds.alone, 0.9, "", at_least=True)
    yield Row("Renode, profile / an empty block hook", speeds.profiling / speeds.empty_hook, 0.8, "", at_least=True)
    yield Row(
        "Renode, short blocks: processor time of a profile / of counting", short.profiled / short.counted, 1.25, ""
    )
    yield Row(
        "Renode, short blocks: an empty callback of machine code / Renode alone",
        short.empty_code / short.alone,
        None,
        "",
    )
    yield Row("Renode, short blocks: a profile / an empty callback", short.profiled / short.empty_code, None, "")
    yield Row(
        "Renode, short blocks: a warm run of 100 M, profiled / counted", short.profiled_s / short.counted_s, None, ""
    )
    yield Row("Renode, short blocks, profiled", short.profiled, None, "ns/instr")
    yield Row("Renode alone", speeds.alone, None, "M instr/s")
    yield Row("Renode, profiled", speeds.profiling, None, "M instr/s")
    yield Row("Renode: a warm run beyond emulation", speeds.warm_s, 1.0, "s")
    yield Row("Renode: start", speeds.start_s, None, "s")
    yield Row("Renode: resident memory", speeds.resident_mb, None, "MB")


def live() -> Iterator[Row]:
    """A live board: in slices, put back, covered, and against labwired where LABWIRED_PYTHON names a Python that has it."""
    from tests.bench import live as boards

    with tempfile.TemporaryDirectory() as folder:
        elf = boards.firmware(Path(folder), boards.TURNS)
        long = boards.firmware(Path(folder), 100 * boards.TURNS)
        boards.to_the_line(elf)  # compiled and imported
        ours = best(3, lambda: boards.to_the_line(elf))
        whole, sliced = min((boards.whole_and_sliced(long, 0.3) for _ in range(5)), key=lambda pair: pair[1] / pair[0])
        yield Row("live board: speed in slices of 1 ms / at once", whole / sliced, 0.8, "", at_least=True)
        yield Row("live board: snapshot and restore, 192 KiB", 1e3 * boards.snapshot_and_restore(long), 2, "ms")
        yield Row("live board: coverage / the run", boards.coverage_cost(long), 0.05, "")
        peer = boards.find_peer()
        if not peer:
            print("labwired: not measured: LABWIRED_PYTHON names no Python that has it", file=sys.stderr)
            return
        theirs = boards.peer_to_the_line(elf, peer)
    yield Row("to the same console line: labwired / live board", theirs / ours, 100, "", at_least=True)


def kernels() -> Iterator[Row]:
    """Modelled cycles of one inference as a share of the peer's, which are quoted."""
    from tests.bench.kernels import OWN_MODEL, compared, compared_on_its_own_model

    own = os.environ.get(OWN_MODEL)
    if not own:
        print(f"MLPerf Tiny's visual wake words: not measured: {OWN_MODEL} names no model", file=sys.stderr)
    for one in (*compared(), *(compared_on_its_own_model(Path(own)) if own else ())):
        detail = f"{one.fast:.3g} M, portable {one.portable:.3g} M, peer {one.peer:.4g} M"
        yield Row(f"{one.board}: {one.model} / TFLM with CMSIS-NN ({detail})", one.ratio, one.limit, "")


def simplify() -> Iterator[Row]:
    """What is not computed of a model that was pruned, or whose borders are layers."""
    sys.path[:0] = [str(REPOSITORY / "tests")]  # what builds models
    from tests.bench.simplify import arenas, cost, processor_seconds, pruned

    with tempfile.TemporaryDirectory() as folder:
        graph, simpler = pruned(Path(folder))
        whole, left = cost(graph), cost(simpler)
        before, after = arenas(Path(folder))
        seconds = processor_seconds(Path(folder))
    share = f"{simpler.macs / graph.macs:.2f} of its MACs are left"
    yield Row(
        f"half of the channels pruned: instructions / all computed ({share})",
        left.instructions / whole.instructions,
        0.6,
        "",
    )
    yield Row("half of the channels pruned: flash / all computed", left.flash_bytes / whole.flash_bytes, 0.6, "")
    yield Row("strided network: arena / with borders as layers", after / before, 0.6, "")
    yield Row("simplifying a model of 9 MB, processor time", seconds, 1.0, "s")


BENCHMARKS = {
    "kernels": kernels,
    "simplify": simplify,
    "emulation": emulation,
    "memory-trace": memory_trace,
    "any-elf": any_elf,
    "live": live,
    "start-up": start_up,
    "size": size_and_instructions,
    "main-job": main_job,
    "renode": renode,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*BENCHMARKS, []], help="run these only")
    chosen = parser.parse_args().only or list(BENCHMARKS)
    rows = []
    for name in chosen:
        for row in BENCHMARKS[name]():
            limit = "" if row.limit is None else f"{'>=' if row.at_least else '<='} {row.limit:g} {row.unit}".strip()
            rows.append([row.name, f"{row.value:.3g} {row.unit}".strip(), limit, row.verdict])
            print(f"{row.name}: {rows[-1][1]} {row.verdict}", file=sys.stderr, flush=True)
    print(tabulate(rows, headers=["benchmark", "measured", "limit", ""], disable_numparse=True))


if __name__ == "__main__":
    main()
