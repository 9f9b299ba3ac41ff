"""The options as one table: those of pytest, each with its ini twin, and those of the commands that run something."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mcu_harness.scenario.kernels import KERNEL_CHOICES
from mcu_harness.scenario.placement import PLACEMENTS


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line or pytest's options choose for all cases: names, or "auto"; and whether to trace memory."""

    emulator: str = "auto"
    toolchain: str = "auto"
    memory_trace: bool = False
    heap_trace: bool = False
    coverage: bool = False
    kernels: str = ""  # "" leaves it to the scenario
    cmsis_nn: Path | None = None  # None leaves it to the scenario
    placement: str = ""  # "" leaves it to the scenario
    what_if: tuple[str, ...] = ()  # see `mcu_harness.analysis.what_if`


# The commands that run something, and share options.
RUN, FIT, PROFILE, BUILD, VARIANTS, SEARCH, SHRINK = "run", "fit", "profile", "build", "variants", "search", "shrink"
VERSUS = "versus"


@dataclass(frozen=True, slots=True)
class Option:
    """`--mcu-<name>` and, unless `ini` is False, `mcu_<name>` in ini, which holds when the option is not given.

    `commands` have it as `--<name>`, and as `short` where that is given; with `pytest` False, only they. Without `values`
    it is a flag on the command line. A repeatable one with `commas` also takes several values at once.
    """

    name: str
    about: str
    values: str = ""
    repeatable: bool = False
    commas: bool = False
    ini: bool = True
    default: str = ""
    commands: tuple[str, ...] = ()
    pytest: bool = True
    short: str = ""

    @property
    def flag(self) -> str:
        return f"--mcu-{self.name}"

    @property
    def command_flag(self) -> str:
        return f"--{self.name}"

    @property
    def key(self) -> str:
        return f"mcu_{self.name.replace('-', '_')}"

    @property
    def arguments(self) -> dict[str, Any]:
        """What pytest's `addoption` takes besides the flag."""
        return self._arguments(f"{self.about} (ini: {self.key})" if self.ini else self.about)

    @property
    def command_arguments(self) -> dict[str, Any]:
        """What argparse's `add_argument` takes besides the flags."""
        return self._arguments(self.about)

    def _arguments(self, about: str) -> dict[str, Any]:
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


_EVERY: tuple[Option, ...] = (
    Option(
        "board",
        "a board, by name or as a .toml, instead of those that scenarios name (repeatable, or separated by commas)",
        "BOARD",
        repeatable=True,
        commas=True,
        commands=(RUN, FIT, PROFILE, BUILD, VARIANTS, VERSUS, SEARCH, SHRINK),
    ),
    Option(
        "emulator",
        "which emulator runs the firmware",
        "auto|unicorn|renode",
        default="auto",
        commands=(RUN, FIT, PROFILE, VARIANTS, VERSUS, SEARCH, SHRINK),
    ),
    Option(
        "toolchain",
        "which compiler builds the firmware, with flags if you like, as in gnu:-Os (repeatable: every case with each)",
        "auto|gnu|zig",
        repeatable=True,
        commands=(RUN, FIT, BUILD, VARIANTS, VERSUS, SEARCH, SHRINK),
    ),
    Option(
        "kernels",
        "which kernels compute models, instead of what scenarios say",
        "|".join(KERNEL_CHOICES),
        commands=(RUN, FIT, BUILD, VARIANTS, SEARCH, SHRINK),
    ),
    Option(
        "placement",
        "where generated code, constants and the arena lie: auto takes faster memories where there is room and it gives something",
        "|".join(PLACEMENTS),
        commands=(RUN, FIT, BUILD, VARIANTS),
    ),
    Option(
        "cmsis-nn",
        "where CMSIS-NN is, for the kernels of that name: a checkout, or the folder of its pack (else CMSIS_NN_PATH says it)",
        "DIR",
        commands=(RUN, FIT, BUILD, VARIANTS, VERSUS, SHRINK),
    ),
    Option(
        "coverage",
        "say which lines, branches and functions of the firmware's source ran",
        commands=(RUN, PROFILE),
    ),
    Option(
        "memory-trace",
        "trace memory, at a fifth of the speed: what reads and writes what, and reads of what was never written",
        commands=(RUN, PROFILE),
    ),
    Option(
        "heap-trace",
        "say what is on the heap over time, by the calls of malloc, calloc, realloc and free (newlib's, FreeRTOS's, others of these names)",
        commands=(RUN, PROFILE),
    ),
    Option("gdb", "when a test with mcu_board fails, wait for GDB to look at the board where it stands", ini=False),
    Option(
        "what-if",
        "price every run for something else, too: clock=80MHz, flash_wait_states=3, flash_cache=none, "
        "flash_cache_size=8KiB, or what lies in a memory, as in itcm=layer_04 or sram=weights* (repeatable)",
        "KEY=VALUE,...",
        repeatable=True,
        commands=(RUN, PROFILE),
    ),
    Option(
        "budget",
        "a limit, over those of scenarios, as in flash=64KiB or latency=20ms (repeatable)",
        "KEY=LIMIT",
        repeatable=True,
        commands=(RUN, FIT, VARIANTS, SEARCH),
        pytest=False,
    ),
    Option(
        "json",
        "write results.json there (fit: the ranking; variants, versus: the comparison; search: the trials); - is standard output, where nothing else is written then",
        "FILE",
        commands=(RUN, FIT, PROFILE, VARIANTS, VERSUS, SEARCH),
        pytest=False,
    ),
    Option("report-dir", "write results.json and a Markdown report per board there", "DIR", commands=(RUN, PROFILE)),
    Option(
        "notes",
        "print under the table what its figures depend on: outputs compared, emulator, compiler, how cycles are estimated",
        "on|off",
        default="on",
        commands=(RUN, PROFILE),
    ),
    Option("columns", "columns of the summary table, separated by commas", "NAMES", commands=(RUN, PROFILE)),
    Option(
        "compare-fail",
        "fail when a figure gets worse than its baseline by more, as in cycles:2% or flash:+256 (repeatable)",
        "FIGURE:AMOUNT",
        repeatable=True,
        commands=(RUN,),
    ),
    Option("baseline-dir", "where baselines lie, in place of a directory beside the scenarios", "DIR", commands=(RUN,)),
    Option("update-baseline", "accept the present figures as baselines", ini=False, commands=(RUN,)),
    Option(
        "github",
        "write GitHub annotations and a step summary; in ini: auto (inside GitHub Actions), on, off",
        default="auto",
        commands=(RUN,),
    ),
    Option("quiet", "print what failed and the table, nothing else", commands=(RUN, PROFILE), pytest=False, short="-q"),
)
OPTIONS = tuple(option for option in _EVERY if option.pytest)
BY_NAME = {option.name: option for option in _EVERY}


def options_of(command: str) -> tuple[Option, ...]:
    """The options that `command` shares with others, or with pytest."""
    return tuple(option for option in _EVERY if command in option.commands)


@dataclass(frozen=True, slots=True)
class IniPatterns:
    """Patterns that ini alone has: `key`, and what holds without it."""

    key: str
    about: str
    default: tuple[str, ...]


SCENARIOS = IniPatterns(
    "mcu_scenarios",
    "which .toml files are scenarios, by name or, with a slash, by path from the root folder. By default those that name boards "
    "and a model, models or firmware; with patterns of your own every file that matches, so that none is passed over",
    ("*.toml",),
)

MARKERS = (
    "mcu_budget(flash=..., ram=..., arena=..., stack=..., instructions=..., cycles=..., latency=..., accuracy=..., ...): "
    "limits for what the mcu_profile fixture measures in this test, in units such as '64 KiB' or '20 ms'",
    "mcu: a scenario on a board",
)
