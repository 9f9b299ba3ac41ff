"""Cases of two sets of results, matched: from results files, baselines, or directories of baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base.errors import ResultsError
from mcu_harness.results import baseline, json_reader
from mcu_harness.results import results_file as results_json
from mcu_harness.results.baseline import Snapshot, snapshot
from mcu_harness.results.comparison import Comparison, compare


@dataclass(frozen=True, slots=True)
class Pair:
    """A case in both sets."""

    before: Snapshot
    after: Snapshot
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A case that both sets have several times, so that what belongs to what cannot be told."""

    before: tuple[Snapshot, ...]
    after: tuple[Snapshot, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """`both` in the order of the later set; `gone` and `new` are in one set only, `ambiguous` in both and not paired.

    A case that one set has once and the other several times is paired with each of them.
    """

    both: tuple[Pair, ...]
    gone: tuple[Snapshot, ...]
    new: tuple[Snapshot, ...]
    ambiguous: tuple[Ambiguous, ...] = ()


def pair(before: Sequence[Snapshot], after: Sequence[Snapshot]) -> Pairs:
    """Compare what belongs together."""
    matched = match(before, after)
    left = [case for i, case in enumerate(before) if i not in {i for i, _ in matched}]
    right = [case for j, case in enumerate(after) if j not in {j for _, j in matched}]
    unclear = [
        Ambiguous(tuple(case for case in left if _place(case) == place), mine)
        for place in dict.fromkeys(map(_place, left))
        if (mine := tuple(case for case in right if _place(case) == place))
    ]
    places = {_place(case) for found in unclear for case in found.after}
    return Pairs(
        both=tuple(Pair(before[i], after[j], compare(before[i], after[j])) for i, j in matched),
        gone=tuple(case for case in left if _place(case) not in places),
        new=tuple(case for case in right if _place(case) not in places),
        ambiguous=tuple(unclear),
    )


def _place(case: Snapshot) -> tuple[str, str]:
    return case.scenario, case.board


_Key = Callable[[Snapshot], tuple[str, ...]]


def _case(case: Snapshot) -> tuple[str, ...]:
    return (case.scenario, case.model, case.board, case.toolchain, case.depends_on.get("flags", ""))


# What says that two are the same case: the second for results whose files were moved, or from before sources were kept.
_SAME: tuple[_Key, ...] = (lambda case: (*_case(case), case.source), _case)
# From the strictest to the most forgiving: a renamed model or another compiler is still the same case where nothing
# else can be meant.
_ALIKE: tuple[_Key, ...] = (
    lambda case: (case.scenario, case.model, case.board, case.toolchain),
    lambda case: (case.scenario, case.model, case.board),
    lambda case: (case.scenario, case.board),
    lambda case: (case.model, case.board),
)


def match(before: Sequence[Snapshot], after: Sequence[Snapshot]) -> list[tuple[int, int]]:
    """Indices of the same case in both, in the order of `after`.

    A case that is there once in one set is matched with each that has its key in the other; cases that are only alike are
    matched where a key is unique in both.
    """
    left, right = set(range(len(before))), set(range(len(after)))
    found: list[tuple[int, int]] = []
    both = (before, after)
    alike = _ALIKE if any(len({(c.scenario, c.model) for c in side}) > 1 for side in both) else (*_ALIKE, _board)
    for key in (*_SAME, *alike):
        mine, theirs = _by(key, before, left), _by(key, after, right)
        for name in mine.keys() & theirs.keys():
            counts = (len(mine[name]), len(theirs[name]))
            if counts == (1, 1) or (key in _SAME and 1 in counts):
                found += [(i, j) for i in mine[name] for j in theirs[name]]
        left -= {i for i, _ in found}
        right -= {j for _, j in found}
    return sorted(found, key=lambda indices: (indices[1], indices[0]))


def _board(case: Snapshot) -> tuple[str, ...]:
    return (case.board,)


def _by(key: _Key, cases: Sequence[Snapshot], among: set[int]) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for i in sorted(among):
        found.setdefault(key(cases[i]), []).append(i)
    return found


def read_snapshots(path: Path) -> list[Snapshot]:
    """The cases in a results file, in one baseline, or in a directory of baselines; raises ResultsError."""
    if path.is_dir():
        files = sorted(path.glob("*@*.json"))
        if not files:
            raise ResultsError(f"{path}: no baselines there", hint="give a results.json, or a directory of baselines")
        return [baseline.load(file) for file in files]
    text = json_reader.read_text(path)
    plain = json_reader.parse(text, str(path), "give a results.json, or baselines")
    if isinstance(plain, dict) and "figures" in plain:
        return [baseline.parse(text, str(path))]
    return [snapshot(run) for run in results_json.from_plain(plain, str(path)).runs]
