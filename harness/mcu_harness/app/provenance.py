"""What the numbers of a run depend on."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from mcu_harness import __version__
from mcu_harness.analysis.profile.profile import Profile
from mcu_harness.base.files import read_bounded
from mcu_harness.base.text import one_line
from mcu_harness.image.build import Image
from mcu_harness.image.program import Program
from mcu_harness.model.codegen.sources import Sources
from mcu_harness.model.convert.record import Conversion
from mcu_harness.model.graph import Graph
from mcu_harness.results.records import Provenance
from mcu_harness.scenario.cases import Case
from mcu_harness.scenario.scenario import InputSpec

_MOST_GIT_BYTES = 64 << 20  # packed references of the largest checkouts


def of_model(
    case: Case,
    conversion: Conversion,
    graph: Graph,
    notes: Iterable[str],
    image: Image,
    sources: Sources,
    profiled: Profile | None,
) -> Provenance:
    """The provenance of a run of a model: `conversion` made it, `graph` is what is computed, `notes` say what both changed."""
    return Provenance(
        harness_version=__version__,
        commit=commit_of(case.scenario.directory),
        model_digest=graph.digest,
        model_bytes=graph.file_bytes,
        board_digest=case.board.digest,
        build_id=image.build_id,
        kernel_set=sources.kernel_set,
        cycle_model=profiled.cycle_model if profiled else "",
        scenario_digest=case.scenario.digest,
        inputs_digest=_inputs_digest(case.scenario.inputs),
        sources=image.sources,
        converted_from=one_line(conversion.source),
        converters=tuple(map(one_line, conversion.tools)),
        import_notes=tuple(map(one_line, notes)),
    )


def of_firmware(case: Case, program: Program, profiled: Profile | None) -> Provenance:
    """The provenance of a run of firmware that was not generated here: its image stands for all it was made from."""
    return Provenance(
        harness_version=__version__,
        commit=commit_of(case.scenario.directory),
        model_digest="",
        model_bytes=0,
        board_digest=case.board.digest,
        build_id=program.digest,
        kernel_set="",
        cycle_model=profiled.cycle_model if profiled else "",
        scenario_digest=case.scenario.digest,
    )


def _inputs_digest(inputs: InputSpec) -> str:
    """What the inputs of a run are made from: a file and how much of it, or a seed and a count."""
    content = inputs.file.read_bytes() if inputs.file else str(inputs.seed).encode()
    return hashlib.sha256(content + f"|{inputs.count}".encode()).hexdigest()


def commit_of(directory: Path) -> str:
    """The commit checked out around `directory`, "" outside a git checkout. CI's own variable wins.

    Nothing but the digits of a commit is ever taken: a checkout of somebody else's may name any file as its head.
    """
    found = _commit_in(directory)
    return found if re.fullmatch(r"[0-9a-fA-F]{7,64}", found) else ""


def _commit_in(directory: Path) -> str:
    """What stands where the commit should, "" outside a git checkout.

    Read from .git by hand: a process for forty characters would cost more than the rest of a cached run.
    """
    for variable in ("GITHUB_SHA", "CI_COMMIT_SHA"):
        if os.environ.get(variable):
            return os.environ[variable]
    for folder in (directory, *directory.parents):
        git = folder / ".git"
        if not git.exists():
            continue
        try:
            if git.is_file():  # a worktree or submodule: "gitdir: <path>"
                git = (folder / _text(git).partition("gitdir:")[2].strip()).resolve()
            common = git
            if (git / "commondir").is_file():
                common = (git / _text(git / "commondir").strip()).resolve()
            head = _text(git / "HEAD").strip()
            if not head.startswith("ref:"):
                return head
            name = head.partition("ref:")[2].strip()
            for base in (git, common):
                if (base / name).is_file():
                    return _text(base / name).strip()
            packed = common / "packed-refs"
            for line in _text(packed).splitlines():
                if line.endswith(" " + name):
                    return line.split()[0]
        except (OSError, ValueError, RuntimeError):  # a path with a zero byte, a loop of links
            return ""
        return ""
    return ""


def _text(path: Path) -> str:
    """The text of a file of a checkout, "" where it is no plain file; OSError where it is larger than any of git's."""
    return read_bounded(path, _MOST_GIT_BYTES).decode("utf-8", errors="replace") if path.is_file() else ""
