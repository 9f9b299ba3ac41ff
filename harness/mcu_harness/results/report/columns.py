"""Columns of the summary table, by the names that `--mcu-columns` and `--columns` take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mcu_harness.base import units
from mcu_harness.base.errors import UnitError
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.results.comparison import relative_text, worsening
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Results, RunResult, Verdict
from mcu_harness.results.report import text
from mcu_harness.scenario.figure import Better, Figure, Shown
from mcu_harness.scenario.figure_catalogue import FIGURES, shown_in


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `cell` is what it shows of a run, `is_broken` whether that fails; see `Figure` for `gives_way`."""

    title: str
    cell: Callable[[RunResult], str]
    is_number: bool = True
    gives_way: int = 0
    is_broken: Callable[[RunResult], bool] = lambda _: False


def _of_figure(figure: Figure) -> Column:
    return Column(
        figure.heading,
        lambda run: _value_and_limit(run, figure),
        gives_way=figure.gives_way,
        is_broken=lambda run: text.broken_budget(run, figure.name) is not None,
    )


def _value_and_limit(run: RunResult, figure: Figure) -> str:
    """The value; where it breaks its budget, that too: "6.0 KiB > 5.0 KiB"."""
    shown, budget = text.figure_of(run, figure.name), text.broken_budget(run, figure.name)
    if budget is None:
        return shown
    return f"{shown} {'<' if figure.better is Better.MORE else '>'} {units.format_value(budget, figure.unit)}"


def _cycles_per_mac(run: RunResult) -> str:
    cycles, macs = run.value("cycles"), run.value("macs")
    return f"{cycles / macs:.2f}" if cycles is not None and macs else text.NOT_MEASURED


def _headroom(run: RunResult) -> str:
    """The budget that leaves least, as "flash 3.2 %"."""
    shares = [
        ((budget - value) / budget, figure.key)
        for name, budget in run.budgets.items()
        if (figure := FIGURES.get(name)) is not None and figure.better is Better.LESS
        if (value := run.value(name)) is not None and budget
    ]
    if not shares:
        return ""
    share, key = min(shares)
    return f"{key} {share * 100:.1f} %"


def _change(run: RunResult) -> str:
    """The figure that got worse most against the baseline, else the one that got least better."""
    check = run.baseline
    if check is None:
        return ""
    if check.verdict is Verdict.NOT_MEASURED:
        return "no baseline" if any(f.code == Code.BASELINE_MISSING for f in run.findings) else text.NOT_MEASURED
    if check.changes:
        most = max(check.changes, key=worsening)
        others = len(check.changes) - 1
        return relative_text(most) + (f" and {others} more" if others else "")
    return str(Verdict.NOT_COMPARABLE) if check.incomparable else "same"


_ALWAYS = ("scenario", "board", "verdict")
_OTHERS: dict[str, Column] = {
    "cycles-per-mac": Column("cycles/MAC", _cycles_per_mac),
    "headroom": Column("least headroom", _headroom),
    "change": Column("baseline", _change, is_number=False),
    "core": Column("core", lambda run: run.core, is_number=False),
    "clock": Column("clock", lambda run: units.format_hertz(run.clock_hz)),
    "compiler": Column("compiler", lambda run: run.toolchain.name, is_number=False),
    "emulator": Column("emulator", lambda run: run.emulator.name, is_number=False),
}


def columns() -> dict[str, Column]:
    """Every column by its name: one for each figure, and some of other facts."""
    return {**{figure.key: _of_figure(figure) for figure in FIGURES.values()}, **_OTHERS}


def parse(names: str) -> tuple[str, ...]:
    """Names of columns in "cycles, flash"; raises UnitError with the nearest name for one that is unknown."""
    chosen = tuple(name.strip() for name in names.split(",") if name.strip())
    known = columns()
    fixed = [name for name in chosen if name in _ALWAYS]
    if fixed:
        raise UnitError(f"the column {fixed[0]!r} is always there", hint="name the others alone")
    if wrong := [name for name in chosen if name not in known]:
        raise UnitError(
            f"no column is called {' or '.join(map(repr, wrong))}", hint=did_you_mean(wrong[0], tuple(known))
        )
    return chosen


def present(figures: Iterable[Figure], results: Results) -> list[Figure]:
    """Those of `figures` that any run has, and those that every run should have."""
    return [
        figure
        for figure in figures
        if not figure.tile_may_miss or any(run.value(figure.name) is not None for run in results.runs)
    ]


def columns_for(results: Results, chosen: Iterable[str] = ()) -> dict[str, Column]:
    """The chosen columns by name; without any, the usual ones and those that tell the runs of `results` apart."""
    names = list(chosen)
    if not names:
        names = [figure.key for figure in present(shown_in(Shown.SUMMARY), results)]
        for name, tools in (("emulator", text.emulators(results)), ("compiler", text.compilers(results))):
            if len(tools) > 1:
                names.insert(0, name)
        if any(run.baseline for run in results.runs):
            names.append("change")
    known = columns()
    return {name: known[name] for name in names}
