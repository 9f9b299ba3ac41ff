"""`mcu_harness.search`: the largest net that fits, for a training script or the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.app.options import Options
from mcu_harness.app.search.knobs import Knob, Value, knob_of
from mcu_harness.app.search.methods import MAXIMISE, METHODS, MOST_TRIALS
from mcu_harness.app.search.strategies import bisect, costs_of, grid, optuna
from mcu_harness.app.search.trials import Bench, Maker, Progress, Trial
from mcu_harness.base.errors import ScenarioError
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.hardware.board_file import find_board
from mcu_harness.results.records import Results
from mcu_harness.scenario.figure_catalogue import FIGURES
from mcu_harness.scenario.limits import Budget, parse_limits
from mcu_harness.scenario.model_files import split_factory, why_no_model


@dataclass(frozen=True, slots=True)
class SearchResult:
    """All trials in the order in which they were made; `best` is None where nothing fits. `notes` qualify the answer."""

    function: str
    method: str
    knobs: tuple[Knob, ...]
    budgets: dict[str, Budget]
    maximised: str
    trials: tuple[Trial, ...]
    best: Trial | None
    notes: tuple[str, ...]
    results: Results

    @property
    def arguments(self) -> dict[str, Value] | None:
        """The winning arguments, None where nothing fits."""
        return None if self.best is None else dict(self.best.arguments)


def _silent(_: str) -> None:
    pass


def search(
    make: Maker | str | Path,
    knobs: Mapping[str, object] | Sequence[Knob],
    board: str | Sequence[str],
    budgets: Mapping[str, object] | None = None,
    *,
    method: str = "auto",
    trials: int = MOST_TRIALS,
    maximise: str | Callable[[Mapping[str, Value]], float] = MAXIMISE,
    emulator: str = "auto",
    toolchain: str = "auto",
    kernels: str = "",
    progress: Progress = _silent,
) -> SearchResult:
    """The arguments of the largest net that keeps `budgets` on every `board`.

    `make(**arguments)` returns (torch module, example inputs), a torch.export.ExportedProgram, a Keras model, or the path of
    a model file; as text, "file.py:function" is called in a process of its own. `knobs` maps arguments to (lowest,
    highest), (lowest, highest, step) or a list of values. `budgets` are as in a scenario, {"latency": "50 ms"}.

    One knob of numbers is bisected for its largest value, which is right where costs rise with it; that is checked. Several
    are tried in a grid, or by Optuna where the grid has more than `trials` points; the best is then the one with the most
    of the figure `maximise`, or the highest value of that function of the arguments. Nothing is trained and nothing is
    calibrated: costs do not depend on it. Raises HarnessError.
    """
    found = tuple(
        knobs if not isinstance(knobs, Mapping) else (knob_of(name, values) for name, values in knobs.items())
    )
    boards = (board,) if isinstance(board, str) else tuple(board)
    for name in boards:
        find_board(name)  # an unknown one is told before anything runs
    maker = _maker(make)
    chosen = _method(method, found, trials)
    limits = {
        key: value if isinstance(value, Budget) else parse_limits([f"{key}={value}"])[key]
        for key, value in (budgets or {}).items()
    }
    score, maximised = _score(maximise)
    bench = Bench(maker, boards, limits, Options(emulator=emulator, toolchain=toolchain, kernels=kernels), progress)
    try:
        if chosen == "bisect":
            best, notes = bisect(found[0], bench.run, costs_of(limits), trials)
            maximised = found[0].name
        else:
            best, notes = (grid if chosen == "grid" else optuna)(found, bench.run, score, trials)
        tried, results = tuple(bench.trials.values()), bench.results
    finally:
        bench.close()
    if all(trial.error for trial in tried):
        raise ScenarioError(f"none of the {len(tried)} nets could be tried; {tried[0].name}: {tried[0].error}")
    return SearchResult(bench.name, chosen, found, limits, maximised, tried, best, tuple(notes), results)


def _maker(make: Maker | str | Path) -> Maker | Path:
    if callable(make):
        return make
    path = Path(make)
    if not split_factory(path)[1]:
        raise ScenarioError(f"{path}: which function makes the net?", hint="name it after a colon, as in net.py:make")
    if problem := why_no_model(path):
        raise ScenarioError(f"{path}: {problem}", hint="give file.py:function")
    return path


def _method(method: str, knobs: Sequence[Knob], trials: int) -> str:
    """The method to take for "auto", else `method`; raises ScenarioError for one that does not do for `knobs`."""
    if not knobs:
        raise ScenarioError("there is no knob to turn", hint="add --knob width=0.1..1.0")
    if trials < 1:
        raise ScenarioError(f"{trials} trials: must be 1 or more")
    if method not in METHODS:
        raise ScenarioError(f"no method is called {method!r}", hint=did_you_mean(method, METHODS))
    one = len(knobs) == 1 and knobs[0].is_ordered
    if method == "bisect" and not one:
        raise ScenarioError("bisection is for one knob of numbers", hint="--method grid or optuna")
    if method != "auto":
        return method
    if one:
        return "bisect"
    points = 1
    for knob in knobs:
        points *= len(knob.values)
    return "grid" if points <= trials else "optuna"


def _score(maximise: str | Callable[[Mapping[str, Value]], float]) -> tuple[Callable[[Trial], float], str]:
    """What makes a trial that fits better than another, and what it is called; raises ScenarioError."""
    if callable(maximise):
        function = maximise
        return (lambda trial: float(function(trial.arguments))), getattr(maximise, "__name__", "score")
    figure = next((figure for figure in FIGURES.values() if figure.key == maximise), None)
    if figure is None:
        keys = tuple(figure.key for figure in FIGURES.values())
        raise ScenarioError(f"no figure is called {maximise!r}", hint=did_you_mean(maximise, keys))
    name = figure.name
    return (lambda trial: trial.worst(name) or 0.0), figure.key
