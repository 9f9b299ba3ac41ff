"""Searching: knobs, bisection with its check, the grid and Optuna, on trials whose costs are a formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.app.cli.main import main
from mcu_harness.app.search.knobs import Knob, Value, knob_of, parse_knobs
from mcu_harness.app.search.search import SearchResult, _method, search
from mcu_harness.app.search.search_text import to_text
from mcu_harness.app.search.strategies import bisect, grid, optuna
from mcu_harness.app.search.trials import Trial
from mcu_harness.base.errors import HarnessError, ScenarioError
from mcu_harness.results.board_matrix import matrix
from mcu_harness.results.finding_codes import budget_code
from mcu_harness.results.records import Finding, Measurement, Results, RunResult, Verdict
from sample_results import PASSING

LIMIT = 1000.0
COSTS = ["cycles"]


class Trials:
    """Trials whose cycles are `cost(arguments)`; those above LIMIT break the budget. `made` counts them."""

    def __init__(self, cost: Callable[[Mapping[str, Value]], float]) -> None:
        self.cost, self.made = cost, {}  # type: ignore[var-annotated]

    def __call__(self, arguments: Mapping[str, Value]) -> Trial:
        key = tuple(arguments.items())
        if key not in self.made:
            cycles = self.cost(arguments)
            finding = Finding(budget_code("cycles"), Verdict.FAIL, "too slow", "")
            old = PASSING.measurements["cycles"]
            run = replace(
                PASSING,
                measurements={**PASSING.measurements, "cycles": Measurement("cycles", cycles, "cycles", "", old.kind)},
                budgets={"cycles": LIMIT},
                findings=(finding,) if cycles > LIMIT else (),
                verdict=Verdict.FAIL if cycles > LIMIT else Verdict.PASS,
            )
            self.made[key] = Trial(dict(arguments), tuple(matrix(Results((run,))).fits.values()))
        return self.made[key]


def brute_force(knob: Knob, cost: Callable[[Mapping[str, Value]], float]) -> Value | None:
    return max((value for value in knob.values if cost({knob.name: value}) <= LIMIT), default=None)  # type: ignore[type-var]


def found(trial: Trial | None, name: str = "w") -> Value | None:
    return None if trial is None else trial.arguments[name]


@pytest.mark.parametrize("slope", [1.0, 9.9, 10.0, 10.1, 33.3, 999.0, 1000.0, 1001.0])
def test_bisection_finds_what_brute_force_finds_in_few_trials(slope: float) -> None:
    def cost(arguments: Mapping[str, Value]) -> float:
        return slope * float(arguments["w"])

    knob, trials = Knob("w", tuple(range(1, 257))), Trials(cost)
    best, notes = bisect(knob, trials, COSTS, 60)
    assert found(best) == brute_force(knob, cost)
    assert notes == [] and len(trials.made) <= 2 + 8 + 4


def test_costs_that_fall_are_told_and_all_larger_values_are_tried() -> None:
    def cost(arguments: Mapping[str, Value]) -> float:
        width = float(arguments["w"])
        return 20 * width * (0.5 if width % 8 == 0 else 1.0)  # faster where channels fill a register

    knob, trials = Knob("w", tuple(range(1, 201))), Trials(cost)
    best, notes = bisect(knob, trials, COSTS, 500)
    assert found(best) == brute_force(knob, cost) == 96
    assert "costs do not only rise with w: cycles falls from" in notes[0] and "all values above were tried" in notes[0]


def test_search_that_is_too_long_for_all_values_says_how_many_it_tried() -> None:
    trials = Trials(lambda arguments: 2000.0 - float(arguments["w"]) if float(arguments["w"]) > 4 else 1.0)
    best, notes = bisect(Knob("w", tuple(range(1, 901))), trials, COSTS, 10)
    assert found(best) == 4
    assert "10 of 8" in notes[0] and len(trials.made) <= 2 + 10 + 4 + 10


def test_values_that_give_the_same_net_are_one_row() -> None:
    trials, knob = Trials(lambda arguments: float(arguments["w"]) // 3 * 400), Knob("w", tuple(range(1, 10)))
    made = tuple(trials({"w": w}) for w in knob.values)
    for_each = tuple(
        replace(
            trial,
            fits=tuple(replace(fit, run=with_macs(fit.run, int(trial.arguments["w"]) // 3)) for fit in trial.fits),
        )
        for trial in made
    )
    found = SearchResult("f", "bisect", (knob,), {}, "macs", for_each, for_each[6], (), Results(()))
    text = to_text(found)
    assert [line.split()[0] for line in text.splitlines()[2:6]] == ["1..2", "3..5", "6..8", "9"]
    assert "9 trials of 4 different nets, by bisect" in text


def with_macs(run: RunResult, macs: int) -> RunResult:
    return replace(
        run, measurements={**run.measurements, "macs": replace(run.measurements["cycles"], name="macs", value=macs)}
    )


def test_nothing_that_fits_is_no_answer() -> None:
    assert bisect(Knob("w", (1, 2, 3)), Trials(lambda _: 2000.0), COSTS, 9) == (None, [])
    assert grid((Knob("w", (1, 2)),), Trials(lambda _: 2000.0), lambda _: 1.0, 9) == (None, [])


def test_net_that_cannot_be_made_ends_a_bisection_with_its_error() -> None:
    with pytest.raises(HarnessError, match="w=3: no such layer"):
        bisect(Knob("w", (1, 2, 3)), lambda arguments: Trial(dict(arguments), error="no such layer"), COSTS, 9)


def cost_of_two(arguments: Mapping[str, Value]) -> float:
    return float(arguments["w"]) ** 2 * float(arguments["d"])


def size(trial: Trial) -> float:
    return float(trial.arguments["w"]) * float(trial.arguments["d"])


KNOBS = (Knob("w", tuple(range(1, 33))), Knob("d", (1, 2, 3, 4, 6)))


def test_grid_takes_the_best_score_of_those_that_fit() -> None:
    best, notes = grid(KNOBS, Trials(cost_of_two), size, 1000)
    everything = [{"w": w, "d": d} for w in KNOBS[0].values for d in KNOBS[1].values]
    expected = max(float(a["w"]) * float(a["d"]) for a in everything if cost_of_two(a) <= LIMIT)
    assert best is not None and size(best) == expected and notes == []


def test_nets_that_could_not_be_tried_are_said_to_be_missing() -> None:
    def run(arguments: Mapping[str, Value]) -> Trial:
        return Trial(dict(arguments), error="does not link") if arguments["w"] == 3 else trials(arguments)

    trials = Trials(lambda arguments: float(arguments["w"]))
    best, notes = grid((Knob("w", (1, 2, 3)),), run, lambda trial: float(trial.arguments["w"]), 1000)
    assert found(best) == 2
    assert notes == ["1 of 3 nets could not be tried, and one of them may be better: w=3: does not link"]


def test_grid_that_is_too_large_is_thinned_and_says_so() -> None:
    trials = Trials(cost_of_two)
    _, notes = grid(KNOBS, trials, size, 20)
    assert len(trials.made) <= 20 and f"{len(trials.made)} of 160 combinations" in notes[0]


def test_optuna_finds_a_good_combination_and_the_same_again() -> None:
    pytest.importorskip("optuna")
    answers = []
    for _ in range(2):
        trials = Trials(cost_of_two)
        best, notes = optuna(KNOBS, trials, size, 40)
        assert best is not None and len(trials.made) <= 40 and "maybe not the best" in notes[0]
        answers.append(best.arguments)
    best_of_all = max(
        float(w) * float(d) for w in KNOBS[0].values for d in KNOBS[1].values if cost_of_two({"w": w, "d": d}) <= LIMIT
    )
    assert answers[0] == answers[1]
    assert float(answers[0]["w"]) * float(answers[0]["d"]) >= 0.8 * best_of_all


@pytest.mark.parametrize(
    ("text", "count", "first", "last"),
    [
        ("w=0.1..1.0", 91, 0.1, 1.0),
        ("w=8..64", 57, 8, 64),
        ("w=8..60:8", 8, 8, 60),
        ("w=0.25..1.0:0.25", 4, 0.25, 1.0),
        ("w=4,1,2", 3, 1, 4),
        ("w=-2..2", 5, -2, 2),
    ],
)
def test_knobs_are_read(text: str, count: int, first: Value, last: Value) -> None:
    (knob,) = parse_knobs([text])
    assert (len(knob.values), knob.values[0], knob.values[-1]) == (count, first, last)
    assert type(knob.values[0]) is type(first)


@pytest.mark.parametrize(
    "text", ["w", "w=", "=1..2", "w=1..", "w=2..1", "w=a..b", "w=0..1000000000", "w=1..2:0", "w x=1,2", "w=nan..1"]
)
def test_knobs_that_cannot_be_read_are_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_knobs([text])
    assert "width" in error.value.hint or "name=" in error.value.hint


def test_knobs_of_python_are_pairs_steps_or_lists() -> None:
    assert knob_of("w", (1, 4)).values == (1, 2, 3, 4)
    assert knob_of("w", (0.5, 1.0, 0.25)).values == (0.5, 0.75, 1.0)
    assert knob_of("w", ["a", "b"]).values == ("a", "b") and not knob_of("w", ["a", "b"]).is_ordered
    assert knob_of("w", range(2, 9, 3)).values == (2, 5, 8)
    for wrong in (3, (), [], ("a", "b"), (True, False)):
        with pytest.raises(ScenarioError):
            knob_of("w", wrong)


def test_method_follows_from_knobs_and_trials() -> None:
    words = Knob("kind", ("a", "b"))
    assert _method("auto", KNOBS[:1], 60) == "bisect"
    assert _method("auto", (words,), 60) == _method("auto", KNOBS, 160) == "grid"
    assert _method("auto", KNOBS, 159) == "optuna"
    for method, knobs, said in (
        ("bisect", KNOBS, "one knob"),
        ("bisect", (words,), "one knob"),
        ("best", KNOBS, "best"),
    ):
        with pytest.raises(ScenarioError, match=said):
            _method(method, knobs, 60)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["net.py:make", "--board", "nrf52840dk"], "there is no knob"),
        (["net.py:make", "--knob", "w=1..2"], "which board"),
        (["no.py:make", "--knob", "w=1..2", "--board", "nrf52840dk"], "no.py"),
        (["net.py", "--knob", "w=1..2", "--board", "nrf52840dk"], "which function"),
        (["net.py:make", "--knob", "w=1..2", "--board", "nrf52840dk", "--trials", "0"], "1 or more"),
        (["net.py:make", "--knob", "w=1..2", "--board", "nrf52840dk", "--maximise", "flesh"], "no figure is called"),
        (["net.py:make", "--knob", "w=1..2", "--board", "nrf52840dk", "--budget", "latency=5"], "has no unit"),
        (["net.py:make", "--knob", "w=1..2", "--board", "nrf52840"], "nrf52840"),
        (["net.py:other", "--knob", "w=1..2", "--board", "nrf52840dk"], "no function 'other'"),
        (["net.py:make", "--knob", "v=1..2", "--board", "nrf52840dk"], "make(): TypeError"),
        (["net.py:make", "--knob", "w=1..2", "--board", "nrf52840dk"], "it returned int"),
    ],
)
def test_mistakes_end_with_one_error(
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text("def make(w):\n    return 3\n\ndef broken(w):\n    return 1 / 0\n")
    assert main(["search", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error


def test_search_is_found_at_the_root_of_the_package() -> None:
    import mcu_harness

    assert mcu_harness.search is search
    with pytest.raises(AttributeError):
        mcu_harness.serach  # noqa: B018
