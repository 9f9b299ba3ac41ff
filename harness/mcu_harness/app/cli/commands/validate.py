"""The command `validate-cycles`: published cycles on silicon beside what the models say."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mcu_harness.app.cli.commands.shared import FAIL, PASS, check_places
from mcu_harness.base.text import one_line
from mcu_harness.results.report.terminal_table import terminal_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcu_harness.analysis.profile.cycles.accuracy import Accuracy
    from mcu_harness.app.cycle_validation import Comparison, GroundTruth


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.description = (
        "Run programs whose cycles on silicon are published, and print predicted against measured. DIR holds "
        "Embench-IoT programs as <program>.elf, or MLPerf Tiny images as in mlcommons/tiny_results_v1.2, closed/bosch/code."
    )
    parser.add_argument("directory", type=Path, metavar="DIR", nargs="+", help="where the programs lie")
    parser.add_argument("--summary", action="store_true", help="only the summary, a Markdown table")
    parser.add_argument(
        "--accuracy", type=Path, metavar="FILE", help="write the errors there, as the package keeps them"
    )
    parser.set_defaults(command=_validate)


def _validate(arguments: argparse.Namespace) -> int:
    from mcu_harness.analysis.profile.cycles.accuracy import written
    from mcu_harness.app.cycle_validation import ValidationError, compare, ground_truths, holds
    from mcu_harness.base.files import write_text
    from mcu_harness.emulator.emulators import emulator_entry

    check_places([arguments.accuracy])
    emulator, status, accuracies = emulator_entry("unicorn").make(), PASS, []
    truths = ground_truths()
    for truth in truths:
        comparisons = [c for directory in arguments.directory for c in compare(truth, directory, emulator, _show)]
        _show("")
        if comparisons:
            accuracies.append(accuracy(truth, comparisons))
            if not arguments.summary:
                print(text(truth, comparisons), end="\n\n")
            status = status if holds(truth, comparisons) else FAIL
    if not accuracies:
        looked = " ".join(str(directory) for directory in arguments.directory)
        names = ", ".join(
            f"{name}.elf" if not truth.by_console else f"{name}/*.bin" for truth in truths for name, _ in truth.cycles
        )
        raise ValidationError(f"{looked}: none of the known programs is there", hint=f"looked for {names}")
    print(summary(accuracies))
    if arguments.accuracy:
        write_text(arguments.accuracy, written(accuracies))
    return status


def accuracy(truth: GroundTruth, comparisons: Sequence[Comparison]) -> Accuracy:
    """What a comparison says, in the form that the package keeps."""
    from mcu_harness.analysis.profile.cycles.accuracy import Accuracy
    from mcu_harness.analysis.profile.cycles.core_tables import CYCLE_TABLES
    from mcu_harness.app.cycle_validation import geometric_mean, mean_error, worst_error

    return Accuracy(
        name=truth.name,
        core=truth.board.core.name,
        board=truth.board.name if any(memory.wait_states for memory in truth.board.memories) else "",
        model=CYCLE_TABLES[truth.board.core.name](truth.board.multiplier_cycles).name,
        programs=len(comparisons),
        mean_percent=100 * mean_error(comparisons),
        worst_percent=100 * worst_error(comparisons),
        geometric_mean=geometric_mean(comparisons),
        chosen=truth.chosen,
    )


def summary(accuracies: Sequence[Accuracy]) -> str:
    """One row per core and memory system."""
    rows = [
        (a.core, a.board or "no wait states", a.programs, f"{a.mean_percent:.1f} %", f"{a.worst_percent:.1f} %",
         f"{a.geometric_mean:.3f}", "nothing" if a.is_held_out else "some figures")
        for a in sorted(accuracies, key=lambda a: (a.core, a.board, a.name))
    ]  # fmt: skip
    titles = ("core", "memory", "programs", "mean error", "worst", "geometric mean", "chosen on them")
    alignment = ("left", "left", *["right"] * 4, "left")
    return terminal_table(titles, [[str(cell) for cell in row] for row in rows], alignment, form="github")


def text(truth: GroundTruth, comparisons: Sequence[Comparison]) -> str:
    """The table of one set of figures, with its summary."""
    from mcu_harness.app.cycle_validation import geometric_mean, holds, mean_error, worst_error

    rows = [
        (c.program, f"{c.predicted:,.0f}", f"{c.measured:,.0f}", f"{100 * c.error:+.1f} %")
        for c in comparisons
    ]  # fmt: skip
    right = ("left", "right", "right", "right")
    table = terminal_table(("program", "predicted", "measured", "error"), rows, right, form="github")
    verdict = (
        f"{truth.board.core.name}, {len(comparisons)} of {len(truth.cycles)} programs: "
        f"mean error {100 * mean_error(comparisons):.1f} % (allowed {100 * truth.mean_error:.0f} %), "
        f"worst {100 * worst_error(comparisons):.1f} % ({100 * truth.worst_error:.0f} %), "
        f"geometric mean {geometric_mean(comparisons):.3f}: {'holds' if holds(truth, comparisons) else 'DOES NOT HOLD'}"
    )
    return f"{truth.name}: {truth.source}\n\n{table}\n\n{verdict}"


def _show(step: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{one_line(step)}")
        sys.stderr.flush()
