"""How far cycle figures can be trusted: the errors that `mcu-harness validate-cycles` found, by core and board.

`accuracy.toml` is that command's output and travels with the package. It holds for one version of a core's model: with
another one, figures are not validated until somebody validates it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mcu_harness.hardware.board import Board

PATH = Path(__file__).parent / "accuracy.toml"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """`programs` measured on silicon: mean and worst absolute error in percent, and the geometric mean of predicted over
    measured. `board` is "" for programs that ran without wait states; `chosen` says what was fitted to them.
    """

    name: str
    core: str
    board: str
    model: str
    programs: int
    mean_percent: float
    worst_percent: float
    geometric_mean: float
    chosen: str

    @property
    def is_held_out(self) -> bool:
        """Whether nothing of the model was chosen on these programs."""
        return self.chosen.startswith("nothing")

    def sentence(self) -> str:
        """ "+-0.4 % (worst 0.6 %) on 4 measured programs"."""
        return _pooled([self])


@cache
def known(path: Path = PATH) -> tuple[Accuracy, ...]:
    """All that was validated."""
    with path.open("rb") as file:
        return tuple(Accuracy(**entry) for entry in tomllib.load(file)["accuracy"])


def statement(board: Board, model: str, accuracies: Sequence[Accuracy] | None = None) -> str:
    """How far figures of `model` on `board` can be trusted, for people: with an error, or "not validated"."""
    code = board.code_memory
    if code.kind == "flash" and not code.wait_states and not code.waits_stated:
        return (
            f"not validated: the board file states no wait states of {code.name}, so that waiting for it is not in it"
        )
    found = [a for a in (known() if accuracies is None else accuracies) if a.model == model]
    waits = any(memory.wait_states for memory in board.memories)
    here = [a for a in found if a.board == board.name and waits]
    if here:
        return _of_board([a for a in here if not a.is_held_out], [a for a in here if a.is_held_out])
    fast = next((a for a in found if not a.board), None)
    if fast is not None:
        memories = "; what this board's memories add is not validated" if waits else ""
        return f"{fast.sentence()} without wait states; {fast.chosen}{memories}"
    others = [a for a in found if a.is_held_out] or found
    if others:
        places = sorted({entry.board for entry in others})
        return f"not validated on this board; {_pooled(others)} on {', '.join(places)}"
    return "not validated"


def _of_board(chosen: Sequence[Accuracy], held_out: Sequence[Accuracy]) -> str:
    """What was measured on one board, of programs that figures were chosen on, and of those that none was."""
    said = [f"{entry.sentence()} on this board; {entry.chosen}" for entry in chosen]
    if held_out:
        said.append(f"{_pooled(held_out)} that nothing was chosen on")
    return "; ".join(said)


def _pooled(entries: Sequence[Accuracy]) -> str:
    """Several measurements as one sentence."""
    programs = sum(entry.programs for entry in entries)
    mean = sum(entry.mean_percent * entry.programs for entry in entries) / programs
    worst = max(entry.worst_percent for entry in entries)
    return f"+-{mean:.1f} % (worst {worst:.1f} %) on {programs} measured programs"


def written(accuracies: Sequence[Accuracy]) -> str:
    """`accuracies` as the text of an `accuracy.toml`."""
    lines = ["# Output of `mcu-harness validate-cycles DIR --accuracy FILE`; not to be changed by hand."]
    for entry in accuracies:
        lines += [
            "",
            "[[accuracy]]",
            f'name = "{entry.name}"',
            f'core = "{entry.core}"',
            f'board = "{entry.board}"',
            f'model = "{entry.model}"',
            f"programs = {entry.programs}",
            f"mean_percent = {entry.mean_percent:.4f}",
            f"worst_percent = {entry.worst_percent:.4f}",
            f"geometric_mean = {entry.geometric_mean:.5f}",
            f'chosen = "{entry.chosen}"',
        ]
    return "\n".join(lines) + "\n"
