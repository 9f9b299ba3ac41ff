"""The catalogue of figures: everything that is known of a figure before it is measured, a row each.

Budgets, tolerances, baselines, columns, reports, exports and the page's scripts read it; nothing else lists figures. A
figure is added by its row here, the analysis that measures it (`results.records.Measurement.of`), and its meaning in
docs/key_meanings.toml. Rows stand in the order in which reports show figures.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcu_harness.scenario.figure import BUILD, BestBoard, Better, Figure, Limit, Parts, Shown

_PARTS_TAKE = "look at the layers or functions that take the largest share"
_FRAMES = "look for large locals and deep calls in the functions named"
_WORST_INPUT = Limit("look at the layers or functions named: loops in them that run longer for some inputs")
_QUANTISED = "check the quantisation of the model"
_NO_LABELS = 'the [inputs] have no "labels" (an array of class numbers in their .npz file)'
_NO_SCORE = "it needs labels 0 and 1, and an output that is a score: one or two elements, or the input given back"
_COSTS = Parts.LAYERS | Parts.FUNCTIONS

FIGURES: dict[str, Figure] = {
    figure.name: figure
    for figure in (
        Figure(
            "instructions",
            "instructions",
            "instructions",
            "instructions",
            limit=Limit(_PARTS_TAKE, title="instructions"),
            compared=True,
            parts=_COSTS,
            shown=Shown.SUMMARY | Shown.TRENDS,
            tile=3,
            gives_way=1,
        ),
        Figure(
            "cycles",
            "cycles",
            "cycles",
            "cycles",
            limit=Limit(_PARTS_TAKE, title="cycles"),
            compared=True,
            depends_on=BUILD | {"cycle model"},
            parts=_COSTS,
            shown=Shown.SUMMARY | Shown.OVERVIEW | Shown.TRENDS | Shown.VARIANTS,
            tile=2,
            gives_way=3,
        ),
        Figure(
            "latency_s",
            "latency",
            "s",
            "latency",
            limit=Limit(f"{_PARTS_TAKE}, or raise the clock"),
            shown=Shown.SUMMARY | Shown.OVERVIEW | Shown.BARS | Shown.TRENDS | Shown.WHAT_IFS | Shown.VARIANTS,
            tile=1,
            best_board=BestBoard("fastest", "fastest"),
            bencher=("latency", 1e9),
            compared=True,
            depends_on=BUILD | {"cycle model"},
        ),
        Figure(
            "instructions_max",
            "instructions_max",
            "instructions",
            "instructions of the worst input",
            limit=_WORST_INPUT,
            worst_of="instructions",
        ),
        Figure(
            "cycles_max", "cycles_max", "cycles", "cycles of the worst input", limit=_WORST_INPUT, worst_of="cycles"
        ),
        Figure(
            "latency_max_s", "latency_max", "s", "latency of the worst input", limit=_WORST_INPUT, worst_of="latency_s"
        ),
        Figure(
            "flash_bytes",
            "flash",
            "B",
            "flash",
            limit=Limit("cut the largest contributors or choose a board with more flash"),
            compared=True,
            parts=Parts.LAYERS | Parts.SECTIONS,
            shown=Shown.SUMMARY | Shown.OVERVIEW | Shown.BARS | Shown.TRENDS | Shown.VARIANTS,
            tile=4,
        ),
        Figure(
            "ram_bytes",
            "ram",
            "B",
            "RAM",
            limit=Limit("cut the largest contributors or choose a board with more RAM"),
            compared=True,
            parts=Parts.SECTIONS,
            shown=Shown.SUMMARY | Shown.OVERVIEW | Shown.BARS | Shown.TRENDS | Shown.VARIANTS,
            tile=5,
            gives_way=5,
        ),
        Figure(
            "arena_bytes",
            "arena",
            "B",
            "arena",
            limit=Limit("shrink the activations of the layers that are live at the peak"),
            compared=True,
            depends_on=frozenset({"kernel set"}),
            parts=Parts.LAYERS,
            shown=Shown.SUMMARY | Shown.OVERVIEW | Shown.TRENDS,
            tile=6,
            gives_way=2,
        ),
        Figure("arena_lower_bound_bytes", "arena_lower_bound", "B", "arena, lower bound"),
        Figure(
            "stack_hwm_bytes",
            "stack",
            "B",
            "stack high-water mark",
            short="stack",
            limit=Limit(_FRAMES, title="stack"),
            compared=True,
            shown=Shown.SUMMARY | Shown.OVERVIEW | Shown.TRENDS,
            tile=7,
            gives_way=4,
        ),
        Figure("stack_margin_bytes", "stack_margin", "B", "stack, never touched below", better=Better.MORE),
        Figure(
            "stack_static_bytes",
            "stack_static",
            "B",
            "stack, static worst case",
            limit=Limit(_FRAMES, title="static worst case of the stack"),
        ),
        Figure("heap_hwm_bytes", "heap", "B", "heap high-water mark"),
        Figure(
            "accuracy",
            "accuracy",
            "fraction",
            "accuracy",
            better=Better.MORE,
            limit=Limit(
                _QUANTISED,
                unmeasured=_NO_LABELS,
            ),
            tile=8,
            tile_may_miss=True,
            of_inputs=True,
            shown=Shown.SUMMARY | Shown.OVERVIEW | Shown.VARIANTS,
            compared=True,
            depends_on=frozenset(),
        ),
        Figure(
            "auc",
            "auc",
            "fraction",
            "area under the ROC curve",
            short="AUC",
            better=Better.MORE,
            compared=True,
            depends_on=frozenset(),
            limit=Limit(_QUANTISED, unmeasured=_NO_SCORE),
            tile=11,
            tile_may_miss=True,
        ),
        Figure(
            "f1",
            "f1",
            "fraction",
            "F1 score",
            short="F1",
            better=Better.MORE,
            compared=True,
            depends_on=frozenset(),
            limit=Limit(_QUANTISED, unmeasured=_NO_LABELS),
        ),
        Figure(
            "mse",
            "mse",
            "real",
            "mean squared error",
            short="MSE",
            compared=True,
            depends_on=frozenset(),
            limit=Limit(_QUANTISED, unmeasured='the [inputs] have no "targets" (what the first output should be)'),
            tile=12,
            tile_may_miss=True,
        ),
        Figure(
            "coverage_lines",
            "coverage_lines",
            "fraction",
            "lines of source that ran",
            better=Better.MORE,
            limit=Limit("run what the files named are for", unmeasured="coverage was not asked for"),
            tile=10,
            tile_may_miss=True,
        ),
        Figure(
            "accuracy_drop",
            "accuracy_drop",
            "fraction",
            "accuracy drop",
            limit=Limit(
                "look at the layers with the lowest SQNR, or calibrate with more samples",
                unmeasured="it needs labelled [inputs] and a model that was converted from a float one",
            ),
            shown=Shown.VARIANTS,
            tile=13,
            tile_may_miss=True,
            compared=True,
            depends_on=frozenset(),
        ),
        Figure(
            "argmax_agreement",
            "argmax_agreement",
            "fraction",
            "same largest output as the float model",
            short="agreement",
            better=Better.MORE,
        ),
        Figure(
            "sqnr_db",
            "sqnr",
            "dB",
            "SQNR",
            better=Better.MORE,
            limit=Limit(
                "look at the layers with the lowest SQNR, or calibrate with more samples",
                unmeasured="it needs a model that was converted from a float one",
            ),
            shown=Shown.VARIANTS,
            tile=14,
            tile_may_miss=True,
            compared=True,
            depends_on=frozenset(),
        ),
        Figure("macs", "macs", "MAC", "MACs"),
        Figure("spared_macs", "spared_macs", "MAC", "MACs of the model that are not computed"),
        Figure(
            "energy_j",
            "energy",
            "J",
            "energy per inference",
            short="energy",
            limit=Limit(f"{_PARTS_TAKE}, or choose a board with less current per MHz"),
            shown=Shown.OVERVIEW | Shown.TRENDS | Shown.WHAT_IFS | Shown.VARIANTS,
            tile=9,
            tile_may_miss=True,
            best_board=BestBoard("least energy per inference", "least_energy"),
            compared=True,
            depends_on=BUILD | {"cycle model"},
        ),
        Figure("weights_bytes", "weights", "B", "flash, constants of layers", short="weights"),
        Figure("code_bytes", "code", "B", "flash, all else: code and runtime", short="code"),
    )
}


def budgeted() -> dict[str, Figure]:
    """Figures that can have a budget, by key: memories first, since what does not fit cannot be slow."""
    found = sorted((figure for figure in FIGURES.values() if figure.limit), key=lambda figure: figure.unit != "B")
    return {figure.key: figure for figure in found}


def compared() -> dict[str, Figure]:
    """Figures that baselines keep and tolerances hold, by name."""
    return {name: figure for name, figure in FIGURES.items() if figure.compared}


def tolerated() -> dict[str, Figure]:
    """The same by key."""
    return {figure.key: figure for figure in compared().values()}


def shown_in(place: Shown) -> list[Figure]:
    """Figures that stand in `place`."""
    return [figure for figure in FIGURES.values() if place in figure.shown]


def by_tile(found: Iterable[Figure]) -> list[Figure]:
    """Figures in the order of their tiles, those without one last: what a person looks at first stands first."""
    return sorted(found, key=lambda figure: (not figure.tile, figure.tile))


def tiles() -> list[Figure]:
    """Figures that have a tile, in the order of the tiles."""
    return by_tile(figure for figure in FIGURES.values() if figure.tile)
