"""Runs a worker of `workers/` in a process of its own and reads its answer: one line of JSON."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mcu_harness
from mcu_harness.base.errors import ModelError, ToolFailure
from mcu_harness.base.process import CompletedText, run
from mcu_harness.base.text import one_line

_MODULES = "mcu_harness.model.convert.workers"
_QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "PYTHONUTF8": "1",
    "HF_HUB_OFFLINE": "1",
}


@dataclass(frozen=True, slots=True)
class Worker:
    """A module of `workers/`: the extra that installs what it needs, and those packages by import and package name."""

    module: str
    extra: str
    needs: tuple[tuple[str, str], ...]
    timeout_s: float

    def versions(self, source: Path) -> tuple[str, ...]:
        """ "onnx 1.23.2", ... of all that it needs for `source`; ModelError with the install line where one is missing."""
        found = []
        for module, package in self.needs:
            if importlib.util.find_spec(module) is None:
                raise ModelError(
                    f"{source}: {package} is needed to convert it and is not installed",
                    hint=f'pip install "pytest-mcu-harness[{self.extra}]"',
                )
            found.append(f"{package} {_version(package)}")
        return tuple(found)


def _version(package: str) -> str:
    for name in (package, package.removesuffix("-cpu")):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "of unknown version"


def ask(worker: Worker, source: Path, request: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What `worker` answers to `request`, a JSON object that is written into `folder`. `source` is for messages.

    Raises ModelError: for the error that the worker names, for one that ended otherwise, and at the deadline.
    """
    worker.versions(source)
    asked = folder / f"{worker.module}.json"
    asked.write_text(json.dumps(request), encoding="utf-8")
    package_root = str(Path(mcu_harness.__file__).parents[1])
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # -P: modules in the working directory that are named like packages stay off the child's path
    command = [sys.executable, "-P", "-m", f"{_MODULES}.{worker.module}", str(asked)]
    try:
        ended = run(command, worker.timeout_s, env={**_QUIET, "PYTHONPATH": os.pathsep.join(paths)})
    except ToolFailure as failure:
        raise ModelError(
            f"{source}: {_named(worker)} did not finish within {worker.timeout_s:g} s",
            hint="use fewer calibration samples (`count`), or convert the model yourself",
        ) from failure
    answer = _answer(ended)
    if answer is None:
        raise _ended(source, worker, ended)
    if "error" in answer:
        raise ModelError(f"{source}: {one_line(str(answer['error']))[:600]}", hint=str(answer.get("hint", "")))
    return answer


def _answer(ended: CompletedText) -> dict[str, Any] | None:
    """The JSON object in the last line of stdout, None without one; a worker that failed has no say."""
    if ended.exit_code != 0:
        return None
    try:
        answer = json.loads(ended.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


def _named(worker: Worker) -> str:
    return worker.needs[0][1] if worker.needs else "Python"


def _ended(source: Path, worker: Worker, ended: CompletedText) -> ModelError:
    lines = [line for line in ended.stderr.strip().splitlines() if line.strip()]
    detail = one_line(lines[-1])[:300] if lines else "it said nothing"
    how = f"was killed by signal {-ended.exit_code}" if ended.exit_code < 0 else f"ended with {ended.exit_code}"
    return ModelError(
        f"{source}: {_named(worker)}, which reads the model, {how}: {detail}",
        hint="the file may be damaged, or hold what that version cannot read",
    )
