"""What got worse and what got better in many cases at once: changes grouped by scenario and figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mcu_harness.results.comparison import delta_text, figure_name, value_text, worsening
from mcu_harness.results.records import FigureChange
from mcu_harness.scenario.figure_catalogue import FIGURES


@dataclass(frozen=True, slots=True)
class Moved:
    """A figure of one case that changed, in one set of results against another."""

    case: str
    board: str
    change: FigureChange

    @property
    def relative(self) -> float:
        """The change as a share of what it was; of 1 where that was 0."""
        return self.change.delta / (self.change.before or 1)


@dataclass(frozen=True, slots=True)
class Move:
    """One figure of one case that changed in the same direction on some boards; `moved` has the largest first."""

    case: str
    figure: str
    moved: tuple[Moved, ...]

    @property
    def most(self) -> Moved:
        return self.moved[0]

    @property
    def boards_text(self) -> str:
        """ "stm32f4_discovery", or with "and 11 more boards"."""
        rest = len(self.moved) - 1
        return self.most.board + (f" and {rest} more board{'s' if rest > 1 else ''}" if rest else "")

    @property
    def change_text(self) -> str:
        """ "1,000 -> 1,050 (+5.00 %)" of the board that moved most."""
        change = self.most.change
        before, after = (value_text(value, self.figure) for value in (change.before, change.after))
        unit = " B" if FIGURES[self.figure].unit == "B" else ""
        share = f"{self.most.relative * 100:+.2f} %" if change.before else "new"
        return f"{before} -> {after}{unit} ({share})"

    def parts_text(self, most: int = 2) -> str:
        """The parts that moved most on that board, with their share of the change."""
        change = self.most.change
        shown = [
            f"{part.name} {delta_text(part.value, self.figure)} ({part.value / change.delta * 100:.0f} %)"
            for part in change.moved[:most]
        ]
        return ", ".join(shown)

    @property
    def title(self) -> str:
        return figure_name(self.figure)


def worse_and_better(moved: Iterable[Moved]) -> tuple[list[Move], list[Move]]:
    """(what got worse, what got better), each with the largest relative change first."""
    groups: dict[tuple[str, str, bool], list[Moved]] = {}
    for each in moved:
        groups.setdefault((each.case, each.change.figure, worsening(each.change) > 0), []).append(each)
    moves: tuple[list[Move], list[Move]] = ([], [])
    for (case, figure, is_worse), found in groups.items():
        ordered = sorted(found, key=lambda m: (-abs(m.relative), m.board))
        moves[0 if is_worse else 1].append(Move(case, figure, tuple(ordered)))
    for side in moves:
        side.sort(key=lambda move: (-abs(move.most.relative), move.case, move.figure))
    return moves
