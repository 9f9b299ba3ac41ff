"""Baselines: the accepted figures of a case, one small sorted JSON each, kept in the user's repository.

A baseline holds what is needed to say not only that a figure moved but what moved it: figures per layer, function,
section and symbol, what they depend on (compiler, flags, cycle model, kernels), and what they were made from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from mcu_harness.base.errors import ResultsError
from mcu_harness.base.files import write_text
from mcu_harness.results import json_reader
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.figure import Parts as HasParts
from mcu_harness.scenario.figure_catalogue import FIGURES, compared

FORMAT_VERSION = 1
_AGAIN = "accept the present figures again with --mcu-update-baseline (mcu-harness run: --update-baseline)"

# Parts below this share of their figure are kept as one sum, so that a baseline stays readable and a diff of it shows
# what matters. Constants of layers come by the dozen and are summed by layer too; what else is in flash is named down
# to a few bytes, since that is what grows unseen.
_LEAST_SHARE = {"function": 1 / 2000, "section": 0.0, "symbol": 1 / 20_000, "constant": 1 / 500}
_LEAST = {"function": 10, "section": 0, "symbol": 16, "constant": 16}
_DIGEST_DIGITS = 16
_DIGITS = 9  # of figures that are no counts

Parts = dict[str, float]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The figures of one case, with their parts: `parts[figure]["function f"]` and so on, per kind adding up to it.

    `depends_on` is what makes two snapshots comparable, `made_from` (digests) what may have changed between them. `source` is the
    scenario's file and the test that it comes from; a baseline has none, since its place says so.
    """

    scenario: str
    model: str
    board: str
    toolchain: str
    figures: dict[str, float]
    parts: dict[str, Parts]
    depends_on: dict[str, str]
    made_from: dict[str, str]
    format_version: int = field(default=FORMAT_VERSION)
    source: str = ""


def snapshot(run: RunResult, like: Snapshot | None = None) -> Snapshot:
    """What of `run` is worth accepting. Figures that were not measured are left out.

    Parts that `like` has by name are kept by name however small they have become.
    """
    figures = {name: _plain(value, name) for name in compared() if (value := run.value(name)) is not None}
    parts: dict[str, Parts] = {}
    for figure in figures:
        named = like.parts.get(figure, {}) if like else {}
        parts[figure] = _layers(run, figure)
        for kind, costs in _costs(run, figure).items():
            least = max(_LEAST[kind], figures[figure] * _LEAST_SHARE[kind])
            parts[figure] |= _merge_small(figure, kind, costs, least, named)
    made = run.provenance
    digests = {"model": made.model_digest, "board file": made.board_digest, "build": made.build_id}
    digests |= {"inputs": made.inputs_digest, **made.sources}
    return Snapshot(
        scenario=run.scenario,
        model=run.model,
        board=run.board,
        toolchain=run.toolchain.name,
        figures=figures,
        parts={name: found for name, found in parts.items() if found},
        depends_on={
            "compiler": f"{run.toolchain.name} {run.toolchain.version}",
            "flags": " ".join(run.toolchain.flags),
            "cycle model": made.cycle_model,
            "kernel set": made.kernel_set,
        },
        made_from={name: digest[:_DIGEST_DIGITS] for name, digest in digests.items() if digest},
        source="::".join(filter(None, (run.scenario_path, run.test))),
    )


def _layers(run: RunResult, figure: str) -> Parts:
    """Every layer's part of `figure`; the live bytes of the arena are no parts of a sum."""
    if HasParts.LAYERS not in FIGURES[figure].parts:
        return {}
    values = [(f"layer {layer.name}", getattr(layer, figure)) for layer in run.layers]
    return {name: _plain(value, figure) for name, value in values if value}


def _costs(run: RunResult, figure: str) -> dict[str, Iterable[tuple[str, float | None]]]:
    """Parts of `figure` by kind, as (name, value); a name may come more than once."""
    found: dict[str, Iterable[tuple[str, float | None]]] = {}
    if HasParts.FUNCTIONS in FIGURES[figure].parts:
        found["function"] = [(f.name, getattr(f, f"self_{figure}")) for f in run.functions]
    if HasParts.SECTIONS in FIGURES[figure].parts:
        found["section"] = [(section.name, getattr(section, figure)) for section in run.sections]
        found["symbol"] = [(symbol.name, getattr(symbol, figure)) for symbol in run.symbols if symbol.layer is None]
        found["constant"] = [
            (symbol.name, getattr(symbol, figure)) for symbol in run.symbols if symbol.layer is not None
        ]
    return found


def _merge_small(
    figure: str, kind: str, costs: Iterable[tuple[str, float | None]], least: float, named: Parts
) -> Parts:
    sums: Parts = {}
    for name, value in costs:
        if value:
            sums[f"{kind} {name}"] = sums.get(f"{kind} {name}", 0) + value
    kept = {name: _plain(value, figure) for name, value in sums.items() if value >= least or name in named}
    rest = sum(value for name, value in sums.items() if name not in kept)
    return {**kept, f"{kind} (small ones)": _plain(rest, figure)} if rest else kept


def _plain(value: float, figure: str) -> float:
    """Without the digits that means over inputs bring; whole numbers without a point."""
    known = FIGURES.get(figure)
    rounded = round(value, 2) if known is None or known.is_count else float(f"{value:.{_DIGITS}g}")
    return int(rounded) if rounded == int(rounded) else rounded


def baseline_name(scenario: str, model: str, board: str, toolchain: str = "") -> str:
    """The file name of a case's baseline: `scenario[+model]@board[+toolchain].json`.

    `model` and `toolchain` are "" where the case does not need them to be told from others. No two cases share a
    name and none holds what a file system may refuse.
    """
    case, place = (
        "+".join(quote(part, safe="") for part in pair if part) for pair in ((scenario, model), (board, toolchain))
    )
    return f"{case}@{place}.json"


def to_text(accepted: Snapshot) -> str:
    """A baseline as its file has it: sorted and indented, so that a change is readable in a diff."""
    from cattrs.preconf.json import make_converter

    tidy = replace(
        accepted,
        figures={name: _plain(value, name) for name, value in accepted.figures.items()},
        parts={
            figure: {name: _plain(value, figure) for name, value in parts.items()}
            for figure, parts in accepted.parts.items()
        },
    )
    plain = make_converter().unstructure(tidy)
    del plain["source"]
    return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def save(accepted: Snapshot, path: Path) -> None:
    """Write a baseline in one step; raises HarnessError that names the file."""
    write_text(path, to_text(accepted))


def load(path: Path) -> Snapshot:
    """Read a baseline; raises ResultsError that names the file and the way out."""
    return parse(json_reader.read_text(path, _AGAIN), str(path))


def parse(text: str, origin: str) -> Snapshot:
    """The baseline that `text` is; raises ResultsError that names `origin` and what is wrong there."""
    plain = json_reader.parse(text, origin, _AGAIN)
    version = plain.get("format_version") if isinstance(plain, dict) else None
    if version != FORMAT_VERSION:
        raise ResultsError(f"{origin}: format_version is {version!r}, this version reads {FORMAT_VERSION}", hint=_AGAIN)
    accepted = json_reader.structure(plain, Snapshot, origin, "a baseline", _AGAIN)
    for name, value in accepted.figures.items():
        if value < 0:
            raise ResultsError(f"{origin}: not a baseline: {name[:40]} is {value:g}, less than 0", hint=_AGAIN)
    return accepted
