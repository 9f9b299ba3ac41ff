"""The user's own firmware as it is, ready to run: found or built, started as its core would, measured where told."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import replace

from mcu_harness.analysis import calls_as_layers, output_check
from mcu_harness.analysis.firmware_under_test import CodeRegion, FirmwareUnderTest
from mcu_harness.app import provenance
from mcu_harness.app.inference_runtimes import find_runtime, runtime_parts, runtimes_in
from mcu_harness.base.errors import ElfError
from mcu_harness.base.text import one_line, shown
from mcu_harness.emulator.contract import Exchange, Execution, RunPlan
from mcu_harness.image.footprint import Footprint, read_footprint
from mcu_harness.image.program import Program, Symbol
from mcu_harness.image.raw_reader import read_image
from mcu_harness.image.start_up import Boot, check_start, find_boot
from mcu_harness.image.symbol_names import matching, readable
from mcu_harness.image.user_build import build_firmware
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.memory_records import StackArea
from mcu_harness.results.records import Finding, OutputCheck, Tool, Verdict
from mcu_harness.scenario.cases import Case
from mcu_harness.scenario.firmware_tables import BOARD_PLACEHOLDER, FirmwareSpec, Region, is_address

# Firmware that does not end by itself is stopped by these; both can be told otherwise.
_MOST_INSTRUCTIONS = 20_000_000_000
_TIMEOUT_S = 600.0


def prepare(case: Case, spec: FirmwareSpec, progress: Callable[[str], None]) -> FirmwareUnderTest:
    """Find or build the firmware of `case`; raises HarnessError when that cannot be done."""
    board, directory = case.board, case.scenario.directory
    if spec.build:
        progress("building the firmware")
        command = tuple(word.replace(BOARD_PLACEHOLDER, board.name) for word in spec.build)
        build_firmware(command, directory, board.name, spec.build_timeout_s)
        if not case.model.is_file():
            raise ElfError(
                f"the firmware's build ended well and there is no {shown(case.model)}",
                hint="`image` (or `elf`) in [firmware] says where the build puts it, from the scenario's folder",
            )
    progress("reading the firmware")
    load_address = board.code_memory.origin if spec.load_address is None else spec.load_address
    program = read_image(case.model, load_address)
    footprint = read_footprint(program, board)
    boot = find_boot(program, board)
    check_start(program, board, boot)

    parts = tuple(_part(program, region, footprint, spec.each_call) for region in spec.regions)
    begin = _place(program, spec.begin, "begin")
    if spec.layers:
        runtime = find_runtime(spec.layers)
        parts += runtime_parts(runtime, program)
        begin = _place(program, runtime.begin, "begin") if begin is None else begin

    def check(_: Execution) -> tuple[OutputCheck, list[Finding]]:
        return output_check.unchecked("no expected outputs"), []

    return FirmwareUnderTest(
        model="",
        program=program,
        footprint=footprint,
        plan=replace(plan_for(program, spec, boot, begin), each_call=calls_as_layers.entries(parts)),
        toolchain=Tool(*program.compiler) if program.compiler else Tool("unknown", ""),
        code_regions=parts,
        check=check,
        provenance=lambda profiled: provenance.of_firmware(case, program, profiled),
        times=tuple(step.inferences for step in spec.dialogue if step.measure),
        stack_area=StackArea(boot.stack_limit, boot.stack_top),
        notes=(*_notes(boot), *_runtime_notes(program, spec)),
    )


def plan_for(program: Program, spec: FirmwareSpec, boot: Boot, begin: int | None) -> RunPlan:
    """What to run, and how to see its end without anything in the firmware that helps."""
    main = _function(program, ("main",))
    exit_ = _function(program, ("_exit", "_Exit", "mcu_exit"))
    sbrk = _function(program, ("_sbrk", "sbrk"))
    stop = _place(program, spec.stop, "stop")
    return RunPlan(
        begin=begin,
        end=_place(program, spec.end, "end"),
        exit=exit_.address if exit_ else None,
        windows=(),
        stack=(boot.stack_limit, boot.stack_top),
        max_instructions=_MOST_INSTRUCTIONS,
        timeout_s=_TIMEOUT_S,
        repeat=begin is not None,
        stops=() if stop is None else (stop,),
        main=(main.address, main.address + main.size) if main else None,
        stop_after=spec.stop_after,
        dialogue=tuple(
            Exchange(step.send.encode(), step.wait.encode(), step.measure, step.inferences) for step in spec.dialogue
        ),
        vectors=boot.vectors,
        start=None if boot.vectors is not None else (boot.stack_top, boot.first),
        sbrk=sbrk.address if sbrk else None,
    )


def _function(program: Program, names: tuple[str, ...]) -> Symbol | None:
    found = {symbol.name: symbol for symbol in program.symbols if symbol.name in names and symbol.size}
    return next((found[name] for name in names if name in found), None)


def _place(program: Program, place: str, key: str) -> int | None:
    """The address that a symbol or "0x..." means, None for ""; ElfError where no code can be."""
    if not place:
        return None
    address = int(place, 16) & ~1 if is_address(place) else _address(program, place, key)
    # Without symbols the image may be one whose code is copied to where it runs.
    if program.symbols and not any(start <= address < end for start, end in program.code_ranges):
        at = "" if is_address(place) else f" ({address:#010x})"
        raise ElfError(f"{key}: the image has no code at {place}{at}", hint="name a function of it")
    return address


def _address(program: Program, place: str, key: str) -> int:
    try:
        return program.symbol(place).address & ~1
    except ElfError as error:
        found = matching(_functions(program), place)
        if len(found) == 1:
            return found[0].address
        if found:
            names = ", ".join(f"{one.file}:{one.name}" if one.file else one.name for one in found[:5])
            raise ElfError(f"{key}: {place!r} is {len(found)} functions", hint=f"name one of: {names}") from error
        hint = error.hint if program.symbols else "it is stripped or has no symbols: give the address, as in 0x08000124"
        raise ElfError(f"{key}: {error.message}", hint=hint) from error


def _functions(program: Program) -> list[Symbol]:
    return [symbol for symbol in program.symbols if symbol.kind == "function"]


def _part(program: Program, region: Region, footprint: Footprint, each_call: bool) -> CodeRegion:
    """A region as a layer; raises ElfError for a pattern that names nothing."""
    functions = _functions(program)
    entries: set[int] = set()
    for pattern in region.symbols:
        found = _matches(functions, pattern)
        if not found:
            known = sorted({symbol.name for symbol in functions} | {readable(symbol.name) for symbol in functions})
            near = difflib.get_close_matches(pattern.strip("*"), known, n=3)
            hint = (
                "near ones: " + ", ".join(near) if near else "functions that were inlined have no symbol of their own"
            )
            raise ElfError(f"{program.path}: region {region.name!r}: no function matches {pattern!r}", hint=hint)
        entries |= found
    names = {one_line(symbol.name) for symbol in functions if symbol.address in entries}
    flash = sum(use.flash_bytes for use in footprint.symbols if use.name in names)
    return CodeRegion(region.name, "", frozenset(entries), flash_bytes=flash if names else None, each_call=each_call)


def _matches(functions: list[Symbol], pattern: str) -> set[int]:
    if is_address(pattern):
        return {int(pattern, 16) & ~1}
    return {symbol.address for symbol in matching(functions, pattern)}


def _notes(boot: Boot) -> Iterator[Finding]:
    if boot.vectors is None:
        yield Finding(
            code=Code.FIRMWARE_NO_VECTORS,
            verdict=Verdict.PASS,
            message=f"the image has no vector table: it was started at its entry {boot.first:#010x}, "
            f"with the stack at {boot.stack_top:#010x}",
            advice="a board cannot start it by itself; for a .bin or .hex, check the load address",
        )


def _runtime_notes(program: Program, spec: FirmwareSpec) -> Iterator[Finding]:
    for runtime in () if spec.layers or spec.regions else runtimes_in(program):
        yield Finding(
            code=Code.FIRMWARE_RUNTIME,
            verdict=Verdict.PASS,
            message=f"{runtime.title} is in it, and its operators are not shown as layers",
            advice=f"they are with `--layers {runtime.name}`, or `layers` in [profile] of a scenario",
        )
