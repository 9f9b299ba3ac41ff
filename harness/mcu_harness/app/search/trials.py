"""One trial of a search: the function is called, what it makes becomes int8 with random samples, and runs on each board once.

Costs depend on shapes and operators alone, so untrained weights and made-up ranges measure them; outputs are still held
against LiteRT, and accuracy is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from mcu_harness.app.options import Options
from mcu_harness.app.search.knobs import Value
from mcu_harness.app.session import Session
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.text import one_line
from mcu_harness.model.convert import child
from mcu_harness.model.convert.routes import FACTORY
from mcu_harness.results.board_matrix import Fit, Standing, matrix
from mcu_harness.results.records import Results
from mcu_harness.scenario.cases import Case, cases_of
from mcu_harness.scenario.limits import Budget
from mcu_harness.scenario.model_files import model_stem, split_factory
from mcu_harness.scenario.quantize import QuantizeSpec
from mcu_harness.scenario.scenario import InputSpec, scenario_for_variants
from mcu_harness.scenario.variants import Variant

Maker = Callable[..., object]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one set of arguments. `fits` has a board each; () with `error` where the net could not be set up."""

    arguments: dict[str, Value]
    fits: tuple[Fit, ...] = ()
    error: str = ""

    @property
    def meets(self) -> bool:
        """Whether it fits and keeps every budget on every board."""
        return bool(self.fits) and all(fit.standing is Standing.MEETS for fit in self.fits)

    @property
    def name(self) -> str:
        return name_of(self.arguments)

    def worst(self, figure: str) -> float | None:
        """The largest value of a figure on any board, None where one has none."""
        values = [fit.run.value(figure) for fit in self.fits]
        return None if not values or None in values else max(value for value in values if value is not None)


def name_of(arguments: Mapping[str, Value]) -> str:
    """ "width=0.5, depth=2" """
    return ", ".join(f"{name}={value}" for name, value in arguments.items())


class Bench:
    """Where trials run: one session for all of them, and each set of arguments once."""

    def __init__(
        self,
        maker: Maker | Path,
        boards: Sequence[str],
        budgets: Mapping[str, Budget],
        options: Options,
        progress: Progress,
    ) -> None:
        self._maker, self._boards, self._budgets, self._options = maker, tuple(boards), dict(budgets), options
        self._progress = progress
        self._session = Session()
        self.trials: dict[tuple[tuple[str, Value], ...], Trial] = {}

    @property
    def name(self) -> str:
        """The function's, as results have it."""
        if isinstance(self._maker, Path):
            return one_line(model_stem(self._maker))
        return one_line(getattr(self._maker, "__name__", "search"))

    @property
    def results(self) -> Results:
        return self._session.results

    def close(self) -> None:
        self._session.close()

    def run(self, arguments: Mapping[str, Value]) -> Trial:
        """The trial of `arguments`, from before where it was made; an error of the net is its result."""
        key = tuple(arguments.items())
        if key not in self.trials:
            self._progress(f"trial {len(self.trials) + 1}: {name_of(arguments)}")
            self.trials[key] = self._tried(dict(arguments))
        return self.trials[key]

    def _tried(self, arguments: dict[str, Value]) -> Trial:
        with TemporaryDirectory(prefix="mcu-harness-") as folder:
            try:
                path = self._made(arguments, Path(folder))
                runs = [self._session.run(case, self._options) for case in self._cases(arguments, path)]
            except HarnessError as error:
                return Trial(arguments, error=one_line(error.message.replace(folder, "").lstrip("/")))
        fits = matrix(Results(tuple(runs))).fits
        return Trial(arguments, tuple(fits[run.case_name, run.board] for run in runs))

    def _made(self, arguments: dict[str, Value], folder: Path) -> Path:
        """A model file; raises ModelError."""
        if isinstance(self._maker, Path):
            file, function = split_factory(self._maker)
            request = {
                "model": str(file.absolute()),
                "function": function,
                "arguments": arguments,
                "output": str(folder),
            }
            return Path(child.ask(FACTORY, self._maker, request, folder)["file"])
        from mcu_harness.model.convert.refusal import Refusal
        from mcu_harness.model.convert.workers.made_models import written

        try:
            return written(self._maker(**arguments), folder)
        except Refusal as refusal:
            raise HarnessError(f"{self.name}({name_of(arguments)}): {refusal.message}", hint=refusal.hint) from refusal

    def _cases(self, arguments: dict[str, Value], path: Path) -> list[Case]:
        variants = (Variant(one_line(name_of(arguments)), path),)
        inputs = InputSpec(count=1)
        scenario = scenario_for_variants(self.name, variants, self._boards, inputs, QuantizeSpec(made_up=True))
        return cases_of(replace(scenario, budgets=self._budgets))
