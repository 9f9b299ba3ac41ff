"""Tables for terminals. What stands in them is text of others, and is printed as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mcu_harness.base.text import one_line, without_commands


def terminal_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    alignment: Sequence[str] | None = None,
    *,
    form: str = "simple",
    paint: Callable[[int, int, str], str] = lambda _row, _column, cell: cell,
) -> str:
    """Rows of cells under their titles; `paint(row, column, cell)` adds colour to a cell that is ready to be printed.

    `form` is one of tabulate's formats, `alignment` "left" or "right" for each column.
    """
    from tabulate import tabulate  # kept out of start-up: `--help` does not need it

    cells = [
        [paint(nth, column, one_line(str(cell))) for column, cell in enumerate(row)] for nth, row in enumerate(rows)
    ]
    made = tabulate(
        cells, [*map(one_line, titles)], tablefmt=form, colalign=alignment if rows else None, disable_numparse=True
    )
    return without_commands(str(made))
