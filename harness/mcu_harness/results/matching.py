"""Cases of two sets of results, matched: from results files, baselines, or directories of baselines."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base.errors import ResultsError
from mcu_harness.results import baseline
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
class Pairs:
    """`both` in the order of the later set; `gone` and `new` are in one set only."""

    both: tuple[Pair, ...]
    gone: tuple[Snapshot, ...]
    new: tuple[Snapshot, ...]


def pair(before: Sequence[Snapshot], after: Sequence[Snapshot]) -> Pairs:
    """Compare what belongs together."""
    matched = match(before, after)
    matched_before, matched_after = {i for i, _ in matched}, {j for _, j in matched}
    return Pairs(
        both=tuple(Pair(before[i], after[j], compare(before[i], after[j])) for i, j in matched),
        gone=tuple(case for i, case in enumerate(before) if i not in matched_before),
        new=tuple(case for j, case in enumerate(after) if j not in matched_after),
    )


# From the strictest to the most forgiving: a renamed model or another compiler is still the same case where nothing
# else can be meant.
_KEYS: tuple[Callable[[Snapshot], tuple[str, ...]], ...] = (
    lambda case: (case.scenario, case.model, case.board, case.toolchain),
    lambda case: (case.scenario, case.model, case.board),
    lambda case: (case.scenario, case.board),
    lambda case: (case.model, case.board),
)


def match(before: Sequence[Snapshot], after: Sequence[Snapshot]) -> list[tuple[int, int]]:
    """Indices of the same case in both, in the order of `after`. A key counts where it is unique in both sets."""
    left, right = set(range(len(before))), set(range(len(after)))
    found: list[tuple[int, int]] = []
    keys = _KEYS if len({(c.scenario, c.model) for c in before}) > 1 else (*_KEYS, lambda case: (case.board,))
    if len({(c.scenario, c.model) for c in after}) > 1:
        keys = _KEYS
    for key in keys:
        mine, theirs = _unique(before, left, key), _unique(after, right, key)
        for name, i in mine.items():
            if name in theirs:
                found.append((i, theirs[name]))
        left -= {i for i, _ in found}
        right -= {j for _, j in found}
    return sorted(found, key=lambda indices: indices[1])


def _unique(
    cases: Sequence[Snapshot], among: set[int], key: Callable[[Snapshot], tuple[str, ...]]
) -> dict[tuple[str, ...], int]:
    names = [key(cases[i]) for i in sorted(among)]
    return {name: i for i, name in zip(sorted(among), names, strict=True) if names.count(name) == 1}


def read_snapshots(path: Path) -> list[Snapshot]:
    """The cases in a results file, in one baseline, or in a directory of baselines; raises ResultsError."""
    if path.is_dir():
        files = sorted(path.glob("*@*.json"))
        if not files:
            raise ResultsError(f"{path}: no baselines there", hint="give a results.json, or a directory of baselines")
        return [baseline.load(file) for file in files]
    try:
        text = path.read_text(encoding="utf-8")
        plain = json.loads(text)
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ResultsError(f"{path}: not JSON: {error}", hint="give a results.json, or baselines") from error
    if isinstance(plain, dict) and "figures" in plain:
        return [baseline.parse(text, str(path))]
    return [snapshot(run) for run in results_json.from_plain(plain, str(path)).runs]
