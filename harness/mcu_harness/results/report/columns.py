"""Columns of the summary table, by the names that `--mcu-columns` and `--columns` take."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mcu_harness.base import units
from mcu_harness.base.errors import UnitError
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.results.comparison import relative_text
from mcu_harness.results.records import Results, RunResult, Verdict
from mcu_harness.results.report import text
from mcu_harness.scenario.tolerance import KEYS


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `cell` is what it shows of a run."""

    title: str
    cell: Callable[[RunResult], str]
    is_number: bool = True


def _figure(title: str, measurement: str) -> Column:
    return Column(title, lambda run: text.figure(run.measurements.get(measurement)))


def _cycles_per_mac(run: RunResult) -> str:
    cycles, macs = run.value("cycles"), run.value("macs")
    return f"{cycles / macs:.2f}" if cycles is not None and macs else text.NOT_MEASURED


def _headroom(run: RunResult) -> str:
    """The budget that leaves least, as "flash 3.2 %"."""
    shares = [
        ((budget - value) / budget, name)
        for name, budget in run.budgets.items()
        if (value := run.value(name)) is not None and budget and name != "accuracy"
    ]
    if not shares:
        return ""
    share, name = min(shares)
    return f"{re.sub('_(bytes|s|j)$', '', name)} {share * 100:.1f} %"


def _change(run: RunResult) -> str:
    """The figure that grew most over the baseline, else the one that shrank most."""
    check = run.baseline
    if check is None:
        return ""
    if check.verdict is Verdict.NOT_MEASURED:
        return "no baseline" if any(f.code == "baseline.missing" for f in run.findings) else text.NOT_MEASURED
    if check.changes:
        most = max(check.changes, key=lambda change: change.delta / change.before if change.before else change.delta)
        others = len(check.changes) - 1
        return relative_text(most) + (f" and {others} more" if others else "")
    return str(Verdict.NOT_COMPARABLE) if check.incomparable else "same"


COLUMNS: dict[str, Column] = {
    "instructions": _figure("instructions", "instructions"),
    "cycles": _figure("cycles", "cycles"),
    "latency": _figure("latency", "latency_s"),
    "flash": _figure("flash", "flash_bytes"),
    "ram": _figure("RAM", "ram_bytes"),
    "arena": _figure("arena", "arena_bytes"),
    "stack": _figure("stack", "stack_hwm_bytes"),
    "accuracy": _figure("accuracy", "accuracy"),
    "energy": _figure("energy", "energy_j"),
    "macs": _figure("MACs", "macs"),
    "cycles-per-mac": Column("cycles/MAC", _cycles_per_mac),
    "weights": _figure("weights", "weights_bytes"),
    "code": _figure("code", "code_bytes"),
    "headroom": Column("least headroom", _headroom),
    "change": Column("baseline", _change, is_number=False),
    "core": Column("core", lambda run: run.core, is_number=False),
    "clock": Column("clock", lambda run: units.format_hertz(run.clock_hz)),
    "compiler": Column("compiler", lambda run: run.toolchain.name, is_number=False),
    "emulator": Column("emulator", lambda run: run.emulator.name, is_number=False),
}
DEFAULT = ("instructions", "cycles", "latency", *(key for key in KEYS if key not in ("instructions", "cycles")))


def parse(names: str) -> tuple[str, ...]:
    """Names of columns in "cycles, flash"; raises UnitError with the nearest name for one that is unknown."""
    chosen = tuple(name.strip() for name in names.split(",") if name.strip())
    for name in chosen:
        if name not in COLUMNS:
            raise UnitError(f"no column is called {name!r}", hint=did_you_mean(name, tuple(COLUMNS)))
    return chosen


def columns_for(results: Results, chosen: Iterable[str] = ()) -> list[Column]:
    """The chosen columns; without any, the usual ones and those that tell the runs of `results` apart."""
    names = list(chosen)
    if not names:
        names = list(DEFAULT)
        for name, tools in (("emulator", "emulator"), ("compiler", "toolchain")):
            if len({getattr(run, tools).name for run in results.runs}) > 1:
                names.insert(0, name)
        if any(run.baseline for run in results.runs):
            names.append("change")
    return [COLUMNS[name] for name in names]
