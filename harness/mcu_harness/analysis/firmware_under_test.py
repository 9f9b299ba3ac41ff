"""What a run is about: firmware ready to run, and what is known of it before it does.

Generated inference firmware (`app.prepare_model`) and the user's own (`app.prepare_firmware`) are both brought into this
form; from there on the stages are the same (`app.pipeline`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from mcu_harness.analysis.profile.costs import Contexts
from mcu_harness.analysis.profile.profile import Profile
from mcu_harness.emulator.contract import Execution, RunPlan
from mcu_harness.image.footprint import Footprint
from mcu_harness.image.program import Program
from mcu_harness.results.cost_records import Spared
from mcu_harness.results.memory_records import ArenaBlock, StackArea
from mcu_harness.results.records import Contributor, Finding, Measurement, OutputCheck, Provenance, Tool


@dataclass(frozen=True, slots=True)
class CodeRegion:
    """A layer of a model, or a named region of other firmware.

    What runs in the functions at `entries`, and in whatever they call, belongs to it. `flash_bytes` None = not known.
    With `each_call`, every call of them becomes a region of its own after the run (`calls_as_layers.split`); the calls of
    `kernel`s, which interpreters run in turn, are numbered together. `computed_by`, `refused`,
    `sqnr_db`, `spared` and `bound_cycles` as LayerResult.kernel, kernel_refused, sqnr_db, spared and bound_cycles.
    """

    name: str
    operator: str
    entries: Collection[int] | Contexts
    macs: int = 0
    flash_bytes: int | None = None
    arena_bytes: int | None = None
    each_call: bool = False
    kernel: bool = False
    computed_by: str = ""
    refused: str = ""
    sqnr_db: float | None = None
    spared: Spared | None = None
    bound_cycles: float | None = None


@dataclass(frozen=True, slots=True)
class FirmwareUnderTest:
    """Firmware to run by `plan`.

    `generated` says that it was generated from a model, and not given. `figures` are measurements that the run does not yield, `contributors` what they and others consist of, by
    measurement name; `notes` are findings from before the run. `times[i]` is how often window i does what figures are
    given for (an inference), () means once each. `check` judges the outputs of a run that ended well;
    `provenance` completes the record of what figures depend on.
    """

    model: str
    program: Program
    footprint: Footprint
    plan: RunPlan
    toolchain: Tool
    code_regions: tuple[CodeRegion, ...]
    check: Callable[[Execution], tuple[OutputCheck, list[Finding]]]
    provenance: Callable[[Profile | None], Provenance]
    generated: bool = False
    times: tuple[int, ...] = ()
    figures: tuple[Measurement, ...] = ()
    contributors: Mapping[str, tuple[Contributor, ...]] = field(default_factory=dict)
    arena: tuple[ArenaBlock, ...] = ()
    stack_area: StackArea | None = None
    notes: tuple[Finding, ...] = ()
