"""The command `validate-cycles`: published cycles on silicon beside what the models say."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.validate import Comparison, GroundTruth

PASS, FAIL = 0, 1
Commands = argparse._SubParsersAction  # what `add_subparsers` returns has no public name


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("validate-cycles", help="hold the cycle models against published cycles on silicon")
    parser.add_argument("directory", type=Path, metavar="DIR", help="where the programs lie, as <program>.elf")
    parser.set_defaults(command=_validate)


def _validate(arguments: argparse.Namespace) -> int:
    from harness.emulator.select import find_emulator
    from harness.validate import ValidationError, compare, ground_truths, holds

    emulator, status, compared = find_emulator("unicorn"), PASS, False
    truths = ground_truths()
    for truth in truths:
        comparisons = compare(truth, arguments.directory, emulator, _show)
        _show("")
        if comparisons:
            compared = True
            print(text(truth, comparisons), end="\n\n")
            status = status if holds(truth, comparisons) else FAIL
    if not compared:
        names = ", ".join(f"{name}.elf" for truth in truths for name, _ in truth.cycles)
        raise ValidationError(f"{arguments.directory}: none of the known programs is there", hint=f"looked for {names}")
    return status


def text(truth: GroundTruth, comparisons: Sequence[Comparison]) -> str:
    """The table of one set of figures, with its summary."""
    from tabulate import tabulate

    from harness.validate import geometric_mean, holds, mean_error, worst_error

    rows = [
        (c.program, f"{c.predicted:,.0f}", f"{c.measured:,.0f}", f"{100 * c.error:+.1f} %")
        for c in comparisons
    ]  # fmt: skip
    right = ("left", "right", "right", "right")
    table = tabulate(rows, ("program", "predicted", "measured", "error"), tablefmt="github", colalign=right)
    summary = (
        f"{truth.board.core.name}, {len(comparisons)} of {len(truth.cycles)} programs: "
        f"mean error {100 * mean_error(comparisons):.1f} % (allowed {100 * truth.mean_error:.0f} %), "
        f"worst {100 * worst_error(comparisons):.1f} % ({100 * truth.worst_error:.0f} %), "
        f"geometric mean {geometric_mean(comparisons):.3f}: {'holds' if holds(truth, comparisons) else 'DOES NOT HOLD'}"
    )
    return f"{truth.name}: {truth.source}\n\n{table}\n\n{summary}"


def _show(step: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{step}")
        sys.stderr.flush()
