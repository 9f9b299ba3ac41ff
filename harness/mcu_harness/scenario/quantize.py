"""[quantize] of a scenario: how a float model becomes int8."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base import toml_reader
from mcu_harness.base.files import why_no_file

METHODS = ("minmax", "percentile")
SCHEMES = ("int8", "16x8", "int4")


@dataclass(frozen=True, slots=True)
class QuantizeSpec:
    """How activations get their ranges, and filters their scales.

    `calibration` is an .npy or .npz file of float samples in the layout of the model as the user has it, `count` how
    many of them are taken (None = all). `method` "minmax" takes the range that was seen, "percentile" leaves out the
    outermost values. With `per_channel` each output channel of a filter has a scale of its own. With `made_up` in place of a
    file, samples are random: what the model then computes means nothing, and what it costs is the same.
    `scheme` "16x8" is activations of 16 bits with weights of 8, "int4" weights of 4 bits; both are made of int8 models, too.
    """

    calibration: Path | None = None
    count: int | None = None
    method: str = "minmax"
    per_channel: bool = True
    made_up: bool = False
    scheme: str = "int8"


NOT_GIVEN = QuantizeSpec()


def read_quantize(top: toml_reader.Table, directory: Path) -> QuantizeSpec:
    """[quantize], or the defaults without it; raises ScenarioError with file, line and key."""
    table = top.table("quantize")
    if table is None:
        return NOT_GIVEN
    scheme = table.text("scheme", "int8", choices=SCHEMES)
    path = None
    if scheme != "int4" or "calibration" in table:  # weights of an int8 model become narrower without
        path = directory / table.text("calibration")
        if problem := why_no_file(path):
            raise table.fail("calibration", f"{problem}: {path}", hint="paths are relative to the scenario file")
    count = table.whole("count") if "count" in table else None
    if count == 0:
        raise table.fail("count", "must be 1 or more")
    spec = QuantizeSpec(
        calibration=path,
        count=count,
        method=table.text("method", "minmax", choices=METHODS),
        per_channel=table.flag("per_channel", True),
        scheme=scheme,
    )
    table.done()
    return spec
