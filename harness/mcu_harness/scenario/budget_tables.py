"""[budgets] of a scenario and of its variants: common limits, and those of single boards."""

from __future__ import annotations

from pathlib import Path

from mcu_harness.base import toml_reader
from mcu_harness.base.errors import UnitError
from mcu_harness.scenario.figure_catalogue import budgeted
from mcu_harness.scenario.limits import Budget, parse_limit


def read_budgets(
    top: toml_reader.Table, boards: tuple[str, ...]
) -> tuple[dict[str, Budget], dict[str, dict[str, Budget]]]:
    """[budgets] and [budgets.BOARD], the latter by the board's name; raises the table's error with file, line and key."""
    table = top.table("budgets")
    if table is None:
        return {}, {}
    keys = tuple(budgeted())
    names = [Path(board).stem for board in boards]  # a board may be named by the path of its file
    common: dict[str, Budget] = {}
    per_board: dict[str, dict[str, Budget]] = {}
    for key in table.names():
        if key in keys:
            common[key] = _budget(table, key)
        elif key in names:
            own = table.table(key)
            assert own is not None
            per_board[key] = {inner: _budget(own, inner) for inner in own.names() if inner in keys}
            own.done(known=keys)
    table.done(known=(*keys, *names))
    return common, per_board


def _budget(table: toml_reader.Table, key: str) -> Budget:
    try:
        return parse_limit(key, table.raw(key))
    except UnitError as error:
        raise table.fail(key, error.message, hint=error.hint) from error
