"""How the arguments of the next trial are chosen: bisection for one knob that costs rise with, a grid, or Optuna."""

from __future__ import annotations

import importlib.util
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from mcu_harness.app.search.knobs import Knob, Value
from mcu_harness.app.search.trials import Trial
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.units import format_value
from mcu_harness.scenario.figure import Better
from mcu_harness.scenario.figure_catalogue import FIGURES

Run = Callable[[Mapping[str, Value]], Trial]
Score = Callable[[Trial], float]

# Values right above the largest that fits, which are tried too: kernels are faster where channels are a multiple of 4,
# so that a net can fit again after one that does not.
_ABOVE = 4
_SEED = 1
OPTUNA = 'pip install "pytest-mcu-harness[search]"'


def bisect(knob: Knob, run: Run, costs: Sequence[str], most: int) -> tuple[Trial | None, list[str]]:
    """The largest value of `knob` that fits, and what a person must know of how it was found; raises HarnessError.

    Bisection is right where `costs`, figures of less, never fall from one value to the next. That is checked on all trials; where they do
    fall, every value above the one found is tried from the top, at most `most` of them.
    """

    def at(index: int) -> Trial:
        trial = run({knob.name: knob.values[index]})
        if trial.error:
            raise HarnessError(f"{trial.name}: {trial.error}", hint="give a range in which every net can be made")
        return trial

    tried: dict[int, Trial] = {}

    def fits(index: int) -> bool:
        tried[index] = at(index)
        return tried[index].meets

    low, high = 0, len(knob.values) - 1
    if fits(high):
        return tried[high], []
    if fits(low):
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        bisected: int | None = low
    else:
        bisected = None
    best, above = bisected, bisected or 0
    for index in range(above + 1, min(above + 1 + _ABOVE, len(knob.values))):
        if fits(index):
            best = index
    falls = _first_fall([tried[index] for index in sorted(tried)], costs)
    if not falls and best == bisected:
        return (None if best is None else tried[best]), []
    said = falls or f"{tried[best or 0].name} fits and a smaller value does not"
    left = [index for index in range(len(knob.values) - 1, best or 0, -1) if index not in tried]
    chosen = _spread(left, most)
    extent = "all values above were tried" if len(chosen) == len(left) else f"{len(chosen)} of {len(left)} values above"
    for index in chosen:
        if fits(index):
            best = index
            break
    return (None if best is None else tried[best]), [
        f"costs do not only rise with {knob.name}: {said}; {extent}, from the top"
    ]


def _first_fall(trials: Sequence[Trial], costs: Sequence[str]) -> str:
    """The first pair of neighbours of which the later costs less, in words; "" where there is none."""
    for before, after in itertools.pairwise(trials):
        for name in costs:
            first, second = before.worst(name), after.worst(name)
            if first is not None and second is not None and second < first:
                figure = FIGURES[name]
                from_, to = (format_value(cost, figure.unit) for cost in (first, second))
                by = f", by {(first - second) / first:.2g} of it" if from_ == to else ""
                return f"{figure.heading} falls from {from_} at {before.name} to {to} at {after.name}{by}"
    return ""


def _spread(indices: Sequence[int], most: int) -> list[int]:
    """At most `most` of `indices`, evenly apart, the first among them."""
    if len(indices) <= most:
        return list(indices)
    return [indices[round(number * (len(indices) - 1) / max(most - 1, 1))] for number in range(most)]


def grid(knobs: Sequence[Knob], run: Run, score: Score, most: int) -> tuple[Trial | None, list[str]]:
    """The trial with the best score of those that fit, of all combinations, or of `most` that lie evenly among them."""
    total = math.prod(len(knob.values) for knob in knobs)
    chosen, notes = [knob.values for knob in knobs], []
    while math.prod(map(len, chosen)) > most:
        widest = max(range(len(chosen)), key=lambda nth: len(chosen[nth]))
        thinner = _spread(range(len(chosen[widest])), max(1, len(chosen[widest]) - 1))
        chosen[widest] = tuple(chosen[widest][index] for index in thinner)
    tried = math.prod(map(len, chosen))
    if tried < total:
        notes.append(f"{tried} of {total} combinations were tried, evenly apart; --trials allows more")
    names = [knob.name for knob in knobs]
    trials = [run(dict(zip(names, values, strict=True))) for values in itertools.product(*chosen)]
    return _best(trials, score), notes + _missing(trials)


def optuna(knobs: Sequence[Knob], run: Run, score: Score, most: int) -> tuple[Trial | None, list[str]]:
    """The trial with the best score of those that fit, of `most` that Optuna asks for; raises HarnessError without Optuna."""
    if importlib.util.find_spec("optuna") is None:
        raise HarnessError("Optuna is needed to search these knobs and is not installed", hint=OPTUNA)
    import optuna as library

    library.logging.set_verbosity(library.logging.WARNING)
    study = library.create_study(direction="maximize", sampler=library.samplers.TPESampler(seed=_SEED))
    spaces = {knob.name: _distribution(library, knob) for knob in knobs}
    trials = []
    for _ in range(most):
        asked = study.ask(spaces)
        values = {knob.name: _value(knob, asked.params[knob.name]) for knob in knobs}
        trials.append(run(values))
        study.tell(asked, score(trials[-1]) if trials[-1].meets else -_excess(trials[-1]))
    return _best(trials, score), [
        f"{len(trials)} trials by Optuna (TPE, seed {_SEED}): the best found, and maybe not the best there is",
        *_missing(trials),
    ]


def _missing(trials: Sequence[Trial]) -> list[str]:
    """That some nets have no figures, so that one of them may be better than the one found."""
    failed = [trial for trial in trials if trial.error]
    if not failed:
        return []
    return [
        f"{len(failed)} of {len(trials)} nets could not be tried, and one of them may be better: {failed[0].name}: {failed[0].error}"
    ]


def _distribution(library: object, knob: Knob) -> object:
    """Numbers by their place among the values, so that each that is asked for is one of them."""
    distributions = library.distributions  # type: ignore[attr-defined]
    if knob.is_ordered and len(knob.values) > 1:
        return distributions.IntDistribution(0, len(knob.values) - 1)
    return distributions.CategoricalDistribution(list(knob.values))


def _value(knob: Knob, asked: Value) -> Value:
    if knob.is_ordered and len(knob.values) > 1:
        assert isinstance(asked, int)
        return knob.values[asked]
    return asked


def _excess(trial: Trial) -> float:
    """By how much a trial misses, as a share of the limit that is missed most; more than any where nothing is known."""
    bindings = [fit.binding for fit in trial.fits]
    shares = [-binding.spare_share for binding in bindings if binding is not None]
    return max(max(shares, default=100.0), 1e-6)


def _best(trials: Iterable[Trial], score: Score) -> Trial | None:
    """The one with the best score of those that fit; of equal ones the first."""
    return max((trial for trial in trials if trial.meets), key=score, default=None)


def costs_of(budgets: Iterable[str]) -> list[str]:
    """Names of the figures of `budgets` (keys) that are costs, and of the memories, which every board limits."""
    limited = [
        figure.name for figure in FIGURES.values() if figure.key in set(budgets) and figure.better is Better.LESS
    ]
    return list(dict.fromkeys([*limited, "flash_bytes", "ram_bytes"]))
