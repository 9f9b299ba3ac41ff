"""[[variants]] of a scenario: models that are to do the same work, each with its own name, conversion and budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mcu_harness.base import toml_reader
from mcu_harness.base.errors import ScenarioError
from mcu_harness.scenario.budget_tables import read_budgets
from mcu_harness.scenario.limits import Budget
from mcu_harness.scenario.model_files import model_stem, why_no_model
from mcu_harness.scenario.quantize import QuantizeSpec, read_quantize


@dataclass(frozen=True, slots=True)
class Variant:
    """One model of several. `quantize` None leaves it to the scenario; budgets stand over those of the scenario."""

    name: str
    model: Path
    quantize: QuantizeSpec | None = None
    budgets: dict[str, Budget] = field(default_factory=dict)
    board_budgets: dict[str, dict[str, Budget]] = field(default_factory=dict)

    def budgets_for(self, board: str) -> dict[str, Budget]:
        """The budgets that it has of its own on `board`."""
        return {**self.budgets, **self.board_budgets.get(board, {})}


def read_variants(top: toml_reader.Table, directory: Path, boards: tuple[str, ...]) -> tuple[Variant, ...]:
    """[[variants]], () without any; raises ScenarioError with file, line and key."""
    found: list[Variant] = []
    for table in top.tables("variants"):
        model = directory / table.text("model")
        if problem := why_no_model(model):
            raise table.fail("model", f"{problem}: {model}", hint="paths are relative to the scenario file")
        name = table.text("name", model_stem(model))
        if problem := why_no_name(name):
            raise table.fail("name", problem, hint="use letters, digits, '_', '-' and '.'")
        if any(name == other.name for other in found):
            raise table.fail("name", f"two variants are called {name!r}", hint="give each a `name` of its own")
        quantize = read_quantize(table, directory) if "quantize" in table else None
        budgets, board_budgets = read_budgets(table, boards)
        table.done()
        found.append(Variant(name, model, quantize, budgets, board_budgets))
    return tuple(found)


def why_no_name(name: str) -> str:
    """Why `name` cannot be that of a variant, "" where it can: it stands in names of tests and baselines."""
    if not name or not all(character.isalnum() or character in "_-." for character in name):
        return f"{name!r} is not a plain name"
    return ""


def named_variants(words: Sequence[str]) -> tuple[Variant, ...]:
    """Variants from "model" or "name=model"; models that would have the same name are told apart by their ending.

    Raises ScenarioError.
    """
    found: list[tuple[str, Path]] = []
    for word in words:
        name, equals, rest = word.partition("=")
        if equals and not why_no_name(name):
            found.append((name, Path(rest).absolute()))
        else:
            found.append(("", Path(word).absolute()))
    stems = [name or model_stem(path) for name, path in found]
    names = [
        name or (_plain(stem) if stems.count(stem) == 1 else _plain(path.name))
        for (name, path), stem in zip(found, stems, strict=True)
    ]
    for name in names:
        if names.count(name) > 1:
            raise ScenarioError(f"two variants are called {name!r}", hint="name them, as in small=net.onnx")
    return tuple(Variant(name, path) for name, (_, path) in zip(names, found, strict=True))


def _plain(name: str) -> str:
    return "".join(character if character.isalnum() or character in "_-." else "-" for character in name)
