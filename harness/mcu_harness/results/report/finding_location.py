"""Where in the user's files a finding belongs: the line that sets the limit, else the line that names the model."""

from __future__ import annotations

from pathlib import Path

from mcu_harness.base import toml_reader
from mcu_harness.base.errors import HarnessError, ScenarioError
from mcu_harness.results.finding_codes import Category, key_of
from mcu_harness.results.records import Finding, RunResult


def place_of(run: RunResult, finding: Finding, root: Path | None = None) -> tuple[str, int]:
    """(path, line) of what `finding` is about; ("", 1) for a run without a scenario file.

    The path is as in the results, or from `root` (a checkout's top, as CI services want it) where it lies below it.
    The line is 1 where the file is no longer there.
    """
    if not run.scenario_path:
        return "", 1
    path = Path(run.scenario_path)
    shown = run.scenario_path
    if root is not None:
        try:
            shown = path.resolve().relative_to(root.resolve()).as_posix()
        except ValueError:
            shown = run.scenario_path
    return shown, _line(path, run.board, finding)


# The tables of a scenario that set a limit for a figure.
_TABLES = {Category.BUDGET: "budgets", Category.BASELINE: "baseline"}


def _line(path: Path, board: str, finding: Finding) -> int:
    key = key_of(finding.code)
    try:
        top = toml_reader.load(path, ScenarioError)
        table = top.table(_TABLES[finding.category]) if finding.category in _TABLES else None
        if table is not None:
            own = table.table(board)
            if own is not None and key in own:
                return own.line(key)
            if key in table:
                return table.line(key)
        return top.line("models" if "models" in top else "model")
    except HarnessError:
        return 1
