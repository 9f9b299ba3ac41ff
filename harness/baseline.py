"""Baselines: the accepted figures of a case, one small sorted JSON each, kept in the user's repository.

A baseline holds what is needed to say not only that a figure moved but what moved it: figures per layer, function,
section and symbol, and what they depend on (compiler, flags, emulator, cycle model, kernels, model).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import ResultsError
from harness.files import write_text
from harness.records import RunResult

FORMAT_VERSION = 1

# What is kept of a run, and compared. All are "the less the better".
FIGURES = ("instructions", "cycles", "flash_bytes", "ram_bytes", "arena_bytes", "stack_hwm_bytes")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The figures of one case, with their parts. `parts[figure][name]` add up to the figure, or nearly.

    `depends_on` is what makes two snapshots comparable, `made_from` what may have changed between comparable ones.
    """

    scenario: str
    model: str
    board: str
    figures: dict[str, float]
    parts: dict[str, dict[str, float]]
    depends_on: dict[str, str]
    made_from: dict[str, str]
    format_version: int = field(default=FORMAT_VERSION)


def snapshot(run: RunResult) -> Snapshot:
    """What of `run` is worth accepting. Figures that were not measured are left out."""
    figures = {name: value for name in FIGURES if (value := run.value(name)) is not None}
    parts: dict[str, dict[str, float]] = {name: {} for name in figures}
    for figure in ("instructions", "cycles"):
        for layer in run.layers:
            _add(parts, figure, f"layer {layer.name}", getattr(layer, figure))
        for function in run.functions:
            _add(parts, figure, f"function {function.name}", getattr(function, f"self_{figure}"))
    for figure in ("flash_bytes", "ram_bytes"):
        for section in run.sections:
            _add(parts, figure, f"section {section.name}", getattr(section, figure))
        for symbol in run.symbols:
            _add(parts, figure, f"symbol {symbol.name}", getattr(symbol, figure))
    for layer in run.layers:
        _add(parts, "arena_bytes", f"layer {layer.name}", layer.arena_bytes)
    return Snapshot(
        scenario=run.scenario,
        model=run.model,
        board=run.board,
        figures=figures,
        parts={name: found for name, found in parts.items() if found},
        depends_on={
            "compiler": f"{run.toolchain.name} {run.toolchain.version}",
            "flags": " ".join(run.toolchain.flags),
            "cycle model": run.provenance.cycle_model,
            "kernel set": run.provenance.kernel_set,
        },
        made_from={
            "model": run.provenance.model_digest,
            "board file": run.provenance.board_digest,
            "build": run.provenance.build_id,
        },
    )


def _add(parts: dict[str, dict[str, float]], figure: str, name: str, value: float | int | None) -> None:
    if figure in parts and value:
        parts[figure][name] = parts[figure].get(name, 0) + value


def baseline_path(directory: Path, scenario: str, model: str, board: str) -> Path:
    """Where the baseline of a case lies; scenario and board names are plain, a model's file name may not be."""
    safe = "".join(c if c.isalnum() or c in "_-." else "_" for c in model)
    case = scenario if safe == scenario else f"{scenario}.{safe}"
    return directory / f"{case}@{board}.json"


def save(accepted: Snapshot, path: Path) -> None:
    """Write a baseline: sorted and indented, so that a change is readable in a diff."""
    from cattrs.preconf.json import make_converter

    plain = make_converter().unstructure(accepted)
    write_text(path, json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def load(path: Path) -> Snapshot:
    """Read a baseline; raises ResultsError that names the file and the way out."""
    from cattrs import BaseValidationError, transform_error
    from cattrs.preconf.json import make_converter

    hint = "accept the present figures again with --mcu-update-baseline"
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ResultsError(f"{path}: not JSON: {error}", hint=hint) from error
    version = plain.get("format_version") if isinstance(plain, dict) else None
    if version != FORMAT_VERSION:
        raise ResultsError(f"{path}: format_version is {version!r}, this version reads {FORMAT_VERSION}", hint=hint)
    try:
        return make_converter(forbid_extra_keys=True).structure(plain, Snapshot)
    except BaseValidationError as error:
        raise ResultsError(f"{path}: not a baseline: {transform_error(error)[0]}", hint=hint) from error
