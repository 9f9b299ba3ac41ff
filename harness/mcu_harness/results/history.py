"""How figures moved over time: from results files in order, or from the git history of the baselines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base import process
from mcu_harness.base.errors import HarnessError, ResultsError
from mcu_harness.results import baseline
from mcu_harness.results import results_file as results_json
from mcu_harness.results.baseline import Snapshot, snapshot
from mcu_harness.results.records import case_key

_TIMEOUT_S = 60.0
_BLOBS_AT_ONCE = 200
_MOST_OUTPUT_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Point:
    """The figures of a case at one time: `label` is a short commit or a file name, `when` a date or ""."""

    label: str
    when: str
    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One case over time, oldest point first. `case` is "scenario" or "scenario/model"."""

    case: str
    board: str
    toolchain: str
    points: tuple[Point, ...]

    def values(self, figure: str) -> list[float]:
        """The figure at every point that has it."""
        return [point.figures[figure] for point in self.points if figure in point.figures]


def from_files(paths: Sequence[Path]) -> list[Series]:
    """Series over results files, oldest first as given; raises ResultsError."""
    found: list[tuple[Point, Snapshot]] = []
    for path in paths:
        # A case that is there several times counts with its last run, as when a test was run again.
        for run in {case_key(run): run for run in results_json.load(path).runs}.values():
            case = snapshot(run)
            label = run.provenance.commit[:9] or path.stem
            found.append((Point(label, "", case.figures), case))
    return _series(found)


def from_git(directory: Path, commits: int) -> list[Series]:
    """Series over the last `commits` commits that changed baselines in `directory`; raises HarnessError.

    A commit is a point of those cases whose baseline it changed. Baselines that cannot be read are passed over: they
    may come from another version.
    """
    if not directory.is_dir():
        raise HarnessError(f"{directory}: no such directory", hint="give the directory with the baselines")
    log = _git(
        directory,
        "log",
        f"--max-count={commits}",
        "--raw",
        "--no-abbrev",
        "--no-renames",
        "--relative",
        "--format=commit %H %cs",
        "--",
        ".",
    )
    changes: list[tuple[str, str, str]] = []  # (commit, date, blob), newest first
    commit = when = ""
    for line in log.splitlines():
        if line.startswith("commit "):
            _, commit, when = line.split(" ", 2)
        elif line.startswith(":"):
            about, _, path = line.partition("\t")
            blob = about.split(" ")[3]
            if "@" in Path(path).name and path.endswith(".json") and blob.strip("0"):
                changes.append((commit, when, blob))
    texts = _blobs(directory, [blob for _, _, blob in changes])
    found = []
    for commit, when, blob in reversed(changes):
        try:
            case = baseline.parse(texts.get(blob, ""), blob)
        except ResultsError:
            continue
        found.append((Point(commit[:9], when, case.figures), case))
    return _series(found)


def _blobs(directory: Path, blobs: Sequence[str]) -> dict[str, str]:
    """The text of each blob, as canonical JSON; those that are not JSON are left out."""
    wanted = list(dict.fromkeys(blobs))
    texts: dict[str, str] = {}
    for start in range(0, len(wanted), _BLOBS_AT_ONCE):
        some = wanted[start : start + _BLOBS_AT_ONCE]
        try:
            documents = _documents(_git(directory, "show", *some))
        except (ValueError, RecursionError):  # one of them is no JSON: ask for each
            documents = []
        if len(documents) == len(some):
            texts |= {blob: json.dumps(document) for blob, document in zip(some, documents, strict=True)}
        else:
            texts |= {blob: _git(directory, "show", blob) for blob in some}
    return texts


def _documents(text: str) -> list[object]:
    """JSON documents that follow each other; raises ValueError for anything else."""
    decoder, position, found = json.JSONDecoder(), 0, []
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        document, position = decoder.raw_decode(text, position)
        found.append(document)
    return found


# What a repository's own configuration may make git start: programs that check signatures, watch files, convert or compare
# contents, or fetch what a partial clone lacks. History is read in repositories of others: none of it is run.
_SAFE = ("-c", "log.showSignature=false", "-c", "core.fsmonitor=false", "-c", "gpg.program=false", "-c", "gpg.ssh.program=false",
         "-c", "gpg.x509.program=false", "--no-pager")  # fmt: skip
_SAFE_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


def _git(directory: Path, command: str, *arguments: str) -> str:
    words = ["git", "-C", str(directory), *_SAFE, command, "--no-ext-diff", "--no-textconv", *arguments]
    done = process.run(words, _TIMEOUT_S, env=_SAFE_ENVIRONMENT, max_output_bytes=_MOST_OUTPUT_BYTES)
    if done.exit_code != 0:
        raise HarnessError(
            f"{directory}: git {command} failed: {done.stderr.strip()[:300]}",
            hint="give results files, or a directory inside a git checkout",
        )
    return done.stdout


def _series(found: Iterable[tuple[Point, Snapshot]]) -> list[Series]:
    points: dict[tuple[str, str, str], list[Point]] = {}
    for point, case in found:
        name = case.scenario if case.model in ("", case.scenario) else f"{case.scenario}/{case.model}"
        if test := case.source.partition("::")[2]:
            name += f" ({test})"
        points.setdefault((name, case.board, case.toolchain), []).append(point)
    return [Series(*key, tuple(points[key])) for key in sorted(points)]
