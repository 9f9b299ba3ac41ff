"""What the options of a session add up to, wherever they were given: pytest's options, ini, or the command line."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mcu_harness.app.options import BY_NAME, Options
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.files import check_folder
from mcu_harness.scenario.kernels import KERNEL_CHOICES
from mcu_harness.scenario.placement import PLACEMENTS

if TYPE_CHECKING:
    from mcu_harness.results.regression_gate import Gate

_YES, _NO = ("on", "true", "yes", "1"), ("off", "false", "no", "0")


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
    notes: bool = True

    def check_places(self) -> None:
        """Raise HarnessError where reports are to be written and cannot be: before the work, not after it."""
        if self.report_dir is not None:
            check_folder(self.report_dir)
        if self.gate.update and self.gate.directory is not None:
            check_folder(self.gate.directory)
        if self.github:
            from mcu_harness.results.report import github

            github.check_summary()


@dataclass(frozen=True, slots=True)
class Source:
    """Where choices are looked up: options by flag (None or [] when not given), ini values by key.

    Relative paths are seen from `here` when given as options and from `root` when they come from ini.
    """

    option: Callable[[str], object]
    ini: Callable[[str], object]
    here: Path
    root: Path
    is_pytest: bool = True

    def flag(self, name: str) -> str:
        """The option as people write it here."""
        return BY_NAME[name].flag if self.is_pytest else BY_NAME[name].command_flag

    def is_given(self, name: str) -> bool:
        """Whether the option is on the command line."""
        return bool(self.option(self.flag(name)))

    def text(self, name: str) -> str:
        option = BY_NAME[name]
        return str(self.option(self.flag(name)) if self.is_given(name) else self.ini(option.key)) or option.default

    def given(self, name: str) -> tuple[str, ...]:
        """All values of a repeatable option."""
        return _texts(self.option(self.flag(name)), BY_NAME[name].commas)

    def texts(self, name: str) -> tuple[str, ...]:
        return self.given(name) or _texts(self.ini(BY_NAME[name].key), BY_NAME[name].commas)

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        return (self.here if self.is_given(name) else self.root) / value if value else None


def command_source(arguments: Namespace, without: tuple[str, ...] = ()) -> Source:
    """The options of a command but those of `without`, which mean something else there; a command has no ini."""
    here = Path()  # paths stay as they were written
    given = {f"--{name.replace('_', '-')}": value for name, value in vars(arguments).items() if name not in without}
    return Source(given.get, lambda _: "", here, here, is_pytest=False)


def _texts(values: object, commas: bool) -> tuple[str, ...]:
    texts = tuple(map(str, values)) if isinstance(values, list) else ()
    return tuple(part.strip() for text in texts for part in text.split(",") if part.strip()) if commas else texts


def kernel_choice(text: str) -> str:
    """What was given for `kernels`, "" for nothing; raises HarnessError for what there is not."""
    if text and text not in KERNEL_CHOICES:
        raise HarnessError(f"no kernels are called {text!r}", hint="one of " + ", ".join(KERNEL_CHOICES))
    return text


def _placement(text: str) -> str:
    if text and text not in PLACEMENTS:
        raise HarnessError(f"no placement is called {text!r}", hint="one of " + ", ".join(PLACEMENTS))
    return text


def _is_on(name: str, text: str) -> bool:
    if text not in _YES + _NO:
        raise HarnessError(f"{name}: {text!r} is neither on nor off", hint="on or off")
    return text in _YES


def _check_names(emulator: str, toolchains: tuple[str, ...]) -> None:
    """Raise HarnessError for an emulator or compiler that there is not: every case would end in the same error."""
    if emulator != "auto":
        from mcu_harness.emulator.emulators import emulator_entry

        emulator_entry(emulator)
    if toolchains:
        from mcu_harness.image.toolchain import toolchain_parts

        for toolchain in toolchains:
            toolchain_parts(toolchain)


def settings(source: Source) -> Settings:
    """What was chosen; raises HarnessError for a tolerance, column or switch that cannot be read."""
    from mcu_harness.results.regression_gate import Gate
    from mcu_harness.results.report import columns
    from mcu_harness.scenario.tolerance import parse_tolerance

    toolchains = source.texts("toolchain")
    _check_names(source.text("emulator"), toolchains)
    # What a command must repeat to meet the same cases and baselines again; `Gate` adds the board to commands.
    repeated = ("board", "toolchain") if source.is_pytest else ("toolchain",)
    again = [f"{source.flag(name)}={value}" for name in repeated for value in source.given(name)]
    if source.is_given("baseline-dir"):
        again.append(f"{source.flag('baseline-dir')}={source.text('baseline-dir')}")
    gate = Gate(
        tolerances=tuple(map(parse_tolerance, source.given("compare-fail"))),
        defaults=tuple(map(parse_tolerance, _texts(source.ini("mcu_compare_fail"), commas=False))),
        update=source.is_given("update-baseline"),
        directory=source.path("baseline-dir"),
        per_toolchain=len(toolchains) > 1,
        is_pytest=source.is_pytest,
        options=tuple(again),
    )
    trace = source.is_given("memory-trace") or source.text("memory-trace") in _YES
    wish = "on" if source.is_given("github") else str(source.ini("mcu_github"))
    return Settings(
        options=Options(
            emulator=source.text("emulator"),
            toolchain=toolchains[0] if toolchains else "auto",
            memory_trace=trace,
            heap_trace=source.is_given("heap-trace") or source.text("heap-trace") in _YES,
            coverage=source.is_given("coverage") or source.text("coverage") in _YES,
            kernels=kernel_choice(source.text("kernels")),
            cmsis_nn=source.path("cmsis-nn"),
            placement=_placement(source.text("placement")),
            what_if=source.texts("what-if"),
        ),
        boards=source.texts("board"),
        toolchains=toolchains if len(toolchains) > 1 else (),
        gate=gate,
        columns=columns.parse(source.text("columns")),
        report_dir=source.path("report-dir"),
        github=wish == "on" or (wish == "auto" and os.environ.get("GITHUB_ACTIONS") == "true"),
        notes=_is_on("notes", source.text("notes")),
    )
