"""Pieces of text that several reports share: figures, findings, rows."""

from __future__ import annotations

from collections.abc import Mapping

from mcu_harness.base import units
from mcu_harness.base.text import one_line
from mcu_harness.results.cost_records import LayerResult
from mcu_harness.results.finding_codes import Category
from mcu_harness.results.records import Contributor, Finding, Measurement, Provenance, Results, RunResult, Tool, Verdict
from mcu_harness.scenario.figure_catalogue import FIGURES

NOT_MEASURED = "not measured"


def ordered(measurements: Mapping[str, Measurement]) -> list[Measurement]:
    """Measurements as reports show them, whatever order a file keeps them in."""
    known = list(FIGURES)
    return sorted(measurements.values(), key=lambda m: (known.index(m.name) if m.name in known else len(known), m.name))


def title(measurement: Measurement) -> str:
    """What a measurement is called for people."""
    known = FIGURES.get(measurement.name)
    return known.title if known else measurement.name


def headroom(measurement: Measurement, budget: float | None) -> str:
    """What is left of a budget, as a share of it: "12.5 %", negative when exceeded."""
    if budget is None or measurement.value is None:
        return ""
    known = FIGURES.get(measurement.name)
    return f"{-known.excess(measurement.value, budget) / budget * 100:.1f} %" if budget and known else ""


def figure(measurement: Measurement | None) -> str:
    """A measurement for people; "not measured" where there is none."""
    if measurement is None or measurement.value is None:
        return NOT_MEASURED
    return units.format_value(measurement.value, measurement.unit)


def figure_of(run: RunResult, name: str) -> str:
    """The figure of that name for people; a share of the run's inputs as "351 of 360"."""
    measurement, known = run.measurements.get(name), FIGURES.get(name)
    if measurement is not None and measurement.value is not None and known is not None and known.of_inputs:
        inputs = run.outputs.labelled or run.outputs.inputs
        return f"{round(measurement.value * inputs)} of {inputs}" if inputs else figure(measurement)
    return figure(measurement)


def broken_budget(run: RunResult, name: str) -> float | None:
    """The budget that the figure of that name breaks, None where it keeps it or has none."""
    budget, value, known = run.budgets.get(name), run.value(name), FIGURES.get(name)
    if budget is None or value is None or known is None or known.excess(value, budget) <= 0:
        return None
    return budget


def exact(measurement: Measurement) -> str:
    """A measurement to the last digit, in its own unit; "" where there is none."""
    value = measurement.value
    if value is None:
        return ""
    if isinstance(value, float):  # six digits, and no power of ten where a person counts
        shown = f"{value:,.6g}" if abs(value) < 1e5 else f"{value:,.1f}".removesuffix(".0")
        return f"{shown} {measurement.unit}"
    return f"{value:,} {measurement.unit}"


def number(value: float | int | None) -> str:
    """A count for a table cell, "" where it was not measured."""
    return "" if value is None else units.format_count(value)


def layer_energy_j(run: RunResult, layer: LayerResult) -> float | None:
    """The layer's part of the energy: its share of the cycles. None where energy was not measured."""
    energy, cycles = run.value("energy_j"), run.value("cycles")
    if energy is None or not cycles or layer.cycles is None:
        return None
    return energy * layer.cycles / cycles


def joules(value: float | None) -> str:
    """An energy for a table cell, "" where it was not measured."""
    return "" if value is None else units.format_joules(value)


def outputs_text(run: RunResult) -> str:
    """One line on whether the outputs were right, and by whose word."""
    check = run.outputs
    if check.mismatches is None:
        return f"{NOT_MEASURED}: {check.first_difference or check.oracle}"
    if check.mismatches == 0:
        return f"{check.inputs} of {check.inputs} equal to {check.oracle}"
    return (
        f"{check.mismatches} of {check.inputs} differ from {check.oracle}, by up to {check.max_abs_diff}: "
        f"{check.first_difference}"
    )


def finding_lines(finding: Finding, most: int = 5) -> list[str]:
    """A finding as lines: message, details, largest contributors, advice."""
    lines = [f"{finding.verdict}: {finding.message} [{finding.code}]"]
    lines += [f"  {detail}" for detail in finding.details]
    if finding.contributors:
        lines.append("  largest contributors:" if finding.baseline is None else "  what moved:")
        lines += [f"    {contributor_text(item, finding)}" for item in finding.contributors[:most]]
        rest = len(finding.contributors) - most
        if rest > 0:
            lines.append(f"    and {rest} more (-v shows them)")
    if finding.advice:
        lines.append(f"  what to do: {finding.advice}")
    return lines


def contributor_text(item: Contributor, finding: Finding) -> str:
    """A contributor with its share of the figure, or, in a comparison, of what the figure moved by."""
    if finding.baseline is not None:
        total = (finding.measured or 0) - finding.baseline
        value = units.format_change(item.value, finding.unit)
    else:
        total = finding.measured or sum(other.value for other in finding.contributors)
        value = units.format_value(item.value, finding.unit)
    return f"{item.name}: {value}" + (f" ({item.value / total * 100:.1f} %)" if total else "")


def console_lines(run: RunResult, most: int = 10) -> list[str]:
    """The last lines that the firmware wrote, without what would move a terminal's cursor."""
    return [one_line(line.expandtabs()) for line in run.console.splitlines()[-most:]]


def was_set_up(run: RunResult) -> bool:
    """Whether the case was a run at all; else no emulator and no compiler had to do with it."""
    return all(finding.category is not Category.SETUP for finding in run.findings)


def emulators(results: Results) -> set[str]:
    """Names of the emulators that ran something."""
    return {run.emulator.name for run in results.runs if was_set_up(run)}


def compilers(results: Results) -> set[str]:
    """Names of the compilers that made something."""
    return {run.toolchain.name for run in results.runs if was_set_up(run)}


def tool(used: Tool) -> str:
    """ "gnu 12.2.0"; "none" where nothing was run."""
    return f"{used.name} {used.version}".strip() or "none"


def converted_from(made: Provenance) -> str:
    """ "ONNX model, with onnxruntime 1.23.0"; "" of a model that was not converted."""
    return made.converted_from + (f", with {', '.join(made.converters)}" if made.converters else "")


def run_mark(run: RunResult) -> str:
    """The verdict of a run as `verdict_mark`, and "set-up error" of one that never was."""
    if not was_set_up(run):
        return "set-up error"
    return verdict_mark(run.verdict)


def verdict_mark(verdict: Verdict) -> str:
    """The verdict as a word that stands out in plain text."""
    return {Verdict.PASS: "pass", Verdict.FAIL: "FAIL"}.get(verdict, str(verdict))


def has_ratios(run: RunResult) -> bool:
    """Whether layers have a signal to quantisation noise ratio: those of converted models do."""
    return any(layer.sqnr_db is not None for layer in run.layers)


def decibels(value: float | None) -> str:
    """ "21.3 dB", "" where it is not known."""
    return "" if value is None else units.format_value(value, "dB")
