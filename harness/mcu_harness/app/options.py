"""The pytest options as one table, each with its ini twin, and what a session's choices add up to."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mcu_harness.base.errors import HarnessError
from mcu_harness.scenario.kernels import KERNEL_CHOICES

if TYPE_CHECKING:
    from mcu_harness.results.regression_gate import Gate


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line or pytest's options choose for all cases: names, or "auto"; and whether to trace memory."""

    emulator: str = "auto"
    toolchain: str = "auto"
    memory_trace: bool = False
    coverage: bool = False
    kernels: str = ""  # "" leaves it to the scenario
    what_if: tuple[str, ...] = ()  # see `mcu_harness.analysis.what_if`


@dataclass(frozen=True, slots=True)
class Option:
    """`--mcu-<name>` and, unless `ini` is False, `mcu_<name>` in ini, which holds when the option is not given.

    Without `values` it is a flag on the command line.
    """

    name: str
    about: str
    values: str = ""
    repeatable: bool = False
    ini: bool = True
    default: str = ""

    @property
    def flag(self) -> str:
        return f"--mcu-{self.name}"

    @property
    def key(self) -> str:
        return f"mcu_{self.name.replace('-', '_')}"

    @property
    def arguments(self) -> dict[str, Any]:
        """What pytest's `addoption` takes besides the flag."""
        about = f"{self.about} (ini: {self.key})" if self.ini else self.about
        about = about.replace("%", "%%")
        if not self.values:
            return {"action": "store_true", "help": about}
        repeated = {"action": "append", "default": []} if self.repeatable else {"default": None}
        return {"metavar": self.values, "help": about, **repeated}

    @property
    def ini_type(self) -> Literal["linelist", "string"]:
        """The type as pytest's `addini` names it."""
        return "linelist" if self.repeatable else "string"

    @property
    def ini_default(self) -> list[str] | str:
        return [] if self.repeatable else self.default


OPTIONS = (
    Option("board", "run scenarios on this board instead of the ones they name (repeatable)", "BOARD", repeatable=True),
    Option("emulator", "which emulator runs the firmware", "auto|unicorn|renode", default="auto"),
    Option(
        "toolchain",
        "which compiler builds the firmware, with flags if you like, as in gnu:-Os (repeatable: every case with each)",
        "auto|gnu|zig",
        repeatable=True,
    ),
    Option("kernels", "which kernels compute models, instead of what scenarios say", "|".join(KERNEL_CHOICES)),
    Option("coverage", "say which lines, branches and functions of the firmware's source ran"),
    Option("memory-trace", "trace memory: what reads and writes what, and reads of what was never written"),
    Option(
        "what-if",
        "price every run for something else as well, as in flash_wait_states=3 or itcm=layer_04; in reports (repeatable)",
        "KEY=VALUE,...",
        repeatable=True,
    ),
    Option("report-dir", "write results.json and a Markdown report per board there", "DIR"),
    Option("columns", "columns of the summary table, separated by commas", "NAMES"),
    Option(
        "compare-fail",
        "fail when a figure grows over its baseline by more, as in cycles:2% or flash:+256 (repeatable)",
        "FIGURE:AMOUNT",
        repeatable=True,
    ),
    Option("baseline-dir", "where baselines lie, in place of a directory beside the scenarios", "DIR"),
    Option("update-baseline", "accept the present figures as baselines", ini=False),
    Option(
        "github",
        "write GitHub annotations and a step summary; in ini: auto (inside GitHub Actions), on, off",
        default="auto",
    ),
)
MARKERS = (
    "mcu_budget(flash=..., ram=..., arena=..., stack=..., instructions=..., cycles=..., latency=..., accuracy=..., ...): "
    "limits for what the mcu_profile fixture measures in this test, in units such as '64 KiB' or '20 ms'",
    "mcu: a scenario on a board",
)
_YES = ("on", "true", "yes", "1")
_BY_NAME = {option.name: option for option in OPTIONS}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options of a session mean. `toolchains` () stands for the one in `options`."""

    options: Options
    boards: tuple[str, ...]
    toolchains: tuple[str, ...]
    gate: Gate
    columns: tuple[str, ...]
    report_dir: Path | None
    github: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Where choices are looked up: options by flag (None or [] when not given), ini values by key.

    Relative paths are seen from `here` when given as options and from `root` when they come from ini.
    """

    option: Callable[[str], object]
    ini: Callable[[str], object]
    here: Path
    root: Path

    def is_given(self, name: str) -> bool:
        """Whether the option is on the command line."""
        return bool(self.option(_BY_NAME[name].flag))

    def text(self, name: str) -> str:
        option = _BY_NAME[name]
        return str(self.option(option.flag) if self.is_given(name) else self.ini(option.key))

    def given(self, name: str) -> tuple[str, ...]:
        """All values of a repeatable option."""
        return _texts(self.option(_BY_NAME[name].flag))

    def texts(self, name: str) -> tuple[str, ...]:
        return self.given(name) or _texts(self.ini(_BY_NAME[name].key))

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        return (self.here if self.is_given(name) else self.root) / value if value else None


def _texts(values: object) -> tuple[str, ...]:
    return tuple(map(str, values)) if isinstance(values, list) else ()


def kernel_choice(text: str) -> str:
    """What was given for `kernels`, "" for nothing; raises HarnessError for what there is not."""
    if text and text not in KERNEL_CHOICES:
        raise HarnessError(f"no kernels are called {text!r}", hint="one of " + ", ".join(KERNEL_CHOICES))
    return text


def settings(source: Source) -> Settings:
    """What was chosen; raises HarnessError for a tolerance or column that cannot be read."""
    from mcu_harness.results.regression_gate import Gate
    from mcu_harness.results.report import columns
    from mcu_harness.scenario.tolerance import parse_tolerance

    toolchains = source.texts("toolchain")
    # What a command must repeat to meet the same cases and baselines again.
    again = [f"{_BY_NAME[name].flag}={value}" for name in ("board", "toolchain") for value in source.given(name)]
    if source.is_given("baseline-dir"):
        again.append(f"--mcu-baseline-dir={source.text('baseline-dir')}")
    gate = Gate(
        tolerances=tuple(map(parse_tolerance, source.given("compare-fail"))),
        defaults=tuple(map(parse_tolerance, _texts(source.ini("mcu_compare_fail")))),
        update=source.is_given("update-baseline"),
        directory=source.path("baseline-dir"),
        per_toolchain=len(toolchains) > 1,
        options=tuple(again),
    )
    trace = source.is_given("memory-trace") or source.text("memory-trace") in _YES
    wish = "on" if source.is_given("github") else source.text("github")
    return Settings(
        options=Options(
            emulator=source.text("emulator"),
            toolchain=toolchains[0] if toolchains else "auto",
            memory_trace=trace,
            coverage=source.is_given("coverage") or source.text("coverage") in _YES,
            kernels=kernel_choice(source.text("kernels")),
            what_if=source.texts("what-if"),
        ),
        boards=source.texts("board"),
        toolchains=toolchains if len(toolchains) > 1 else (),
        gate=gate,
        columns=columns.parse(source.text("columns")),
        report_dir=source.path("report-dir"),
        github=wish == "on" or (wish == "auto" and os.environ.get("GITHUB_ACTIONS") == "true"),
    )
