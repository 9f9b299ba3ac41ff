"""What the `mcu_profile` fixture runs: a model or firmware that a test names, with samples that the test makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mcu_harness.base.errors import HarnessError, ScenarioError
from mcu_harness.base.text import is_plain_name
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.results.report.terminal import failure_text
from mcu_harness.scenario.cases import Case, cases_of
from mcu_harness.scenario.figure_catalogue import budgeted
from mcu_harness.scenario.firmware_tables import FirmwareSpec, Region
from mcu_harness.scenario.limits import parse_limit
from mcu_harness.scenario.scenario import (
    DEFAULT_COUNT,
    DEFAULT_SEED,
    InputSpec,
    OutputSpec,
    Scenario,
    scenario_for_firmware,
    scenario_for_model,
)

if TYPE_CHECKING:
    from mcu_harness.results.records import RunResult

# Firmware; everything else is a model.
_IMAGES = (".elf", ".axf", ".out", ".hex", ".bin")
# Baselines of tests lie apart from those of scenarios, whose folders are looked through for such that nothing needs.
_BASELINES = "baselines/tests"


@dataclass(frozen=True, slots=True)
class Profiler:
    """Runs what one test asks for. `measure(case, gated)` runs a case and keeps its result."""

    node: pytest.Item
    folder: Callable[[], Path]
    measure: Callable[[Case, bool], RunResult]
    verbosity: int

    def __call__(
        self,
        model: str | Path,
        board: str,
        *,
        inputs: Any = None,
        labels: Any = None,
        targets: Any = None,
        outputs: Any = None,
        threshold: float | None = None,
        seed: int = DEFAULT_SEED,
        count: int | None = None,
        toolchain: str = "",
        kernels: str = "",
        baseline: bool = False,
        check: bool = True,
        **firmware: Any,
    ) -> RunResult:
        problem = ""
        try:
            if Path(model).suffix.lower() in _IMAGES:
                named = {
                    "inputs": inputs,
                    "labels": labels,
                    "targets": targets,
                    "outputs": outputs,
                    "threshold": threshold,
                    "count": count,
                    "kernels": kernels or None,
                }
                scenario = self._firmware(model, board, firmware, named)
            else:
                if firmware:
                    raise ScenarioError(f"mcu_profile: {', '.join(firmware)}: belong to firmware, and {model} is none")
                scenario = self._model(model, board)
                samples = self._samples(inputs, labels, targets, seed, count)
                expected = self._expected(outputs, threshold)
                scenario = replace(scenario, inputs=samples, outputs=expected, kernels=kernels or scenario.kernels)
            case = self._case(scenario, toolchain, baseline)
            result = self.measure(case, baseline)
        except HarnessError as error:
            problem = f"set-up error: {error}"
        if problem:  # outside of the handler, so that pytest shows no chain of exceptions
            pytest.fail(problem, pytrace=False)
        if check and result.verdict != "pass":
            pytest.fail(failure_text(result, self.verbosity), pytrace=False)
        return result

    def _model(self, model: str | Path, board: str) -> Scenario:
        return scenario_for_model(self.node.path.parent / model, (board,))

    def _firmware(
        self, image: str | Path, board: str, options: Mapping[str, Any], model_only: Mapping[str, Any]
    ) -> Scenario:
        if wrong := [name for name, value in model_only.items() if value is not None]:
            raise ScenarioError(
                f"mcu_profile: {', '.join(wrong)}: belong to a model, and {image} is firmware",
                hint="give begin, end, stop, stop_after, regions, each_call, layers or load_address",
            )
        known = ("begin", "end", "stop", "stop_after", "regions", "each_call", "layers", "load_address")
        for name in options:
            if name not in known:
                raise ScenarioError(f"mcu_profile: unknown option {name!r}", hint=did_you_mean(name, known))
        regions = tuple(Region(name, tuple(symbols)) for name, symbols in dict(options.get("regions", {})).items())
        spec = FirmwareSpec(image=str(image), **{**options, "regions": regions})
        return scenario_for_firmware(self.node.path.parent / image, (board,), spec)

    def _case(self, scenario: Scenario, toolchain: str, baseline: bool) -> Case:
        budgets = {}
        for key, value in self._limits().items():
            if key not in budgeted():
                raise ScenarioError(f"mcu_budget: unknown limit {key!r}", hint=did_you_mean(key, tuple(budgeted())))
            budgets[key] = parse_limit(key, value, "in the mark mcu_budget")
        scenario = replace(scenario, budgets=budgets)
        if baseline:  # told by the test, since two tests may run one model
            name = re.sub(r"[^\w.-]+", "-", f"{self.node.path.stem}.{self.node.name}").strip("-")
            scenario = replace(
                scenario,
                name=name if is_plain_name(name) else "test",
                directory=self.node.path.parent,
                baseline_directory=_BASELINES,
            )
        case = cases_of(scenario, toolchains=(toolchain,) if toolchain else ())[0]
        return replace(case, accepted_by=self.node.nodeid) if baseline else case

    def _limits(self) -> dict[str, object]:
        return {
            key: value
            for marker in reversed(list(self.node.iter_markers("mcu_budget")))
            for key, value in marker.kwargs.items()
        }

    def _samples(self, inputs: Any, labels: Any, targets: Any, seed: int, count: int | None) -> InputSpec:
        if inputs is None:
            if labels is not None or targets is not None:
                raise ScenarioError("mcu_profile: labels and targets are of samples", hint="give `inputs` as well")
            return InputSpec(seed=seed, count=DEFAULT_COUNT if count is None else count)
        if isinstance(inputs, (str, Path)):
            if labels is not None or targets is not None:
                raise ScenarioError(
                    "mcu_profile: `inputs` is a file, and has its labels and targets in it", hint='name them "labels"'
                )
            return InputSpec(file=self._file(inputs), count=count)
        arrays = dict(inputs) if isinstance(inputs, Mapping) else {"inputs": inputs}
        more = {"labels": labels, "targets": targets}
        return InputSpec(file=self._saved("samples", {**arrays, **more}), count=count)

    def _expected(self, outputs: Any, threshold: float | None) -> OutputSpec:
        if outputs is None:
            return OutputSpec(threshold=threshold)
        if isinstance(outputs, (str, Path)):
            return OutputSpec("file", self._file(outputs), threshold)
        arrays = dict(outputs) if isinstance(outputs, Mapping) else {"outputs": outputs}
        return OutputSpec("file", self._saved("outputs", arrays), threshold)

    def _file(self, name: str | Path) -> Path:
        path = self.node.path.parent / name
        if not path.is_file():
            raise ScenarioError(f"mcu_profile: no such file: {path}", hint="paths are relative to the test's file")
        return path

    def _saved(self, name: str, arrays: Mapping[str, Any]) -> Path:
        """Arrays of the test as a file, which is how samples come in everywhere."""
        import numpy as np

        given = {key: np.asarray(value) for key, value in arrays.items() if value is not None}
        if wrong := [key for key, value in given.items() if value.dtype.kind not in "biuf"]:
            raise ScenarioError(f"mcu_profile: {', '.join(wrong)}: no array of numbers")
        path = self.folder() / f"{name}.npz"
        np.savez(path, **given)  # type: ignore[arg-type]  # what its stub says of names
        return path
