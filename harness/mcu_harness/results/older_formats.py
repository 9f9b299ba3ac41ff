"""Results files of earlier versions, brought to the present one."""

from __future__ import annotations

from typing import Any

from mcu_harness.results.origin import kind_of
from mcu_harness.results.records import FORMAT_VERSION

READ_VERSIONS = (1, FORMAT_VERSION)


def from_version_1(plain: Any) -> Any:
    """Parsed JSON of version 1 as of version 2: measurements say their kind, what-ifs what is their own.

    What is not as version 1 has it is left alone, for the reader to name.
    """
    runs = plain.get("runs")
    if not isinstance(runs, list):
        return plain
    return {**plain, "format_version": FORMAT_VERSION, "runs": [_run(run) for run in runs]}


def _run(run: Any) -> Any:
    if not isinstance(run, dict) or not isinstance(run.get("measurements"), dict):
        return run
    measurements = {name: _measurement(measurement) for name, measurement in run["measurements"].items()}
    cycles = measurements.get("cycles")
    own = cycles.get("origin") if isinstance(cycles, dict) else None
    found = {**run, "measurements": measurements}
    if isinstance(run.get("what_ifs"), list):
        found["what_ifs"] = [_what_if(each, f"{own}; ") for each in run["what_ifs"]]
    return found


def _measurement(measurement: Any) -> Any:
    if not isinstance(measurement, dict) or not isinstance(measurement.get("origin"), str):
        return measurement
    kind = kind_of(measurement["origin"], measurement.get("value") is not None)
    return {**measurement, "kind": str(kind)}


def _what_if(one: Any, own: str) -> Any:
    if not isinstance(one, dict) or not str(one.get("origin", "")).startswith(own):
        return one
    return {**one, "notes": [one["origin"].removeprefix(own)]}
