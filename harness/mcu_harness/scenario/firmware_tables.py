"""The part of a scenario about firmware of the user's own: [firmware], [profile] and [console]."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base import units
from mcu_harness.base.errors import ScenarioError
from mcu_harness.base.toml_reader import Table

DEFAULT_BUILD_TIMEOUT_S = 600.0
BOARD_PLACEHOLDER = "{board}"
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{1,8}$")


@dataclass(frozen=True, slots=True)
class Region:
    """Functions that are shown as one layer: symbols as shell patterns, or addresses as "0x..."."""

    name: str
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DialogueStep:
    """`send` this to the console, then wait for `wait`; a `measure`d step is a window in which the firmware makes `inferences`."""

    send: str
    wait: str
    measure: bool = False
    inferences: int = 1


@dataclass(frozen=True, slots=True)
class Conflict:
    """What does not go together with the rest: its key, what is wrong, and a way out."""

    key: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class FirmwareSpec:
    """Firmware that is not generated here. Places in it (`begin`, `end`, `stop`) are symbols or "0x..." addresses.

    `image` may hold "{board}", and so may the words of `build`, which is run in the scenario's directory. "" and ()
    mean not given. With `each_call` every call of a region's functions is a layer; `layers` names a known runtime whose
    operators are layers (`runtimes`). `load_address` None is the start of the board's code memory; it is for images without addresses.
    """

    image: str
    build: tuple[str, ...] = ()
    build_timeout_s: float = DEFAULT_BUILD_TIMEOUT_S
    load_address: int | None = None
    begin: str = ""
    end: str = ""
    stop: str = ""
    stop_after: int | None = None
    regions: tuple[Region, ...] = ()
    each_call: bool = False
    layers: str = ""
    dialogue: tuple[DialogueStep, ...] = ()

    def image_for(self, board: str, directory: Path) -> Path:
        """Where the image for `board` is."""
        return directory / self.image.replace(BOARD_PLACEHOLDER, board)

    def check(self) -> None:
        """Raises ScenarioError where parts do not go together; the message names the key."""
        conflict = self.conflict()
        if conflict is not None:
            raise ScenarioError(f"{conflict.key}: {conflict.message}", hint=conflict.hint)

    def conflict(self) -> Conflict | None:
        """The first part that does not go together with the others, None without one."""
        if self.end and not self.begin:
            return Conflict("end", "an end without a beginning", "give `begin` as well")
        if self.each_call and not self.regions:
            return Conflict("each_call", "calls of what?", "name functions in [profile] regions")
        if self.begin and any(step.measure for step in self.dialogue):
            return Conflict(
                "begin", "the dialogue already says what is measured", "leave out `begin`, or `measure = true`"
            )
        if self.begin and self.begin == self.end:
            return Conflict("end", "measurement would begin and end at the same place", "choose two symbols")
        if self.begin and self.begin == self.stop:
            return Conflict("stop", "the program would be over where measuring begins", "choose two symbols")
        names = [region.name for region in self.regions]
        if len(set(names)) != len(names):
            return Conflict("regions", "two regions have the same name", "")
        return None


def is_address(place: str) -> bool:
    """Whether `place` is an address rather than a symbol."""
    return _ADDRESS.match(place) is not None


def read_firmware(top: Table) -> FirmwareSpec | None:
    """The firmware of a scenario, None where it has none; raises ScenarioError with file, line and key."""
    table = top.table("firmware")
    profile, console = top.table("profile"), top.table("console")
    if table is None:
        for name, unexpected in (("profile", profile), ("console", console)):
            if unexpected is not None:
                raise top.fail(name, "is about the user's own firmware", hint="add a [firmware] table, or remove it")
        return None
    key = "image" if "image" in table else "elf"
    if "image" in table and "elf" in table:
        raise table.fail("elf", "give either `elf` or `image`, not both")
    timeout_s = table.quantity("build_timeout", "seconds", DEFAULT_BUILD_TIMEOUT_S)
    if not 0 < timeout_s <= units.most("seconds"):
        raise table.fail(
            "build_timeout", f"{timeout_s:g} s is no time to build in", hint='such as "10000 s"; a week at most'
        )
    spec = FirmwareSpec(
        image=table.text(key),
        build=table.texts("build", ()),
        build_timeout_s=timeout_s,
        load_address=table.whole("load_address") if "load_address" in table else None,
        begin=table.text("begin", ""),
        end=table.text("end", ""),
        stop=table.text("stop", ""),
        stop_after=table.whole_quantity("stop_after", "count") if "stop_after" in table else None,
        regions=_regions(profile),
        each_call=profile.flag("each_call", False) if profile else False,
        layers=profile.text("layers", "") if profile else "",
        dialogue=_dialogue(console),
    )
    table.done()
    if profile is not None:
        profile.done()
    conflict = spec.conflict()
    if conflict is not None:
        where = profile if conflict.key in ("regions", "each_call") and profile is not None else table
        raise where.fail(conflict.key, conflict.message, hint=conflict.hint)
    return spec


def _regions(profile: Table | None) -> tuple[Region, ...]:
    """[profile] regions: names to lists of symbols."""
    if profile is None:
        return ()
    table = profile.table("regions")
    regions = tuple(Region(name, table.texts(name)) for name in table.names()) if table else ()
    for region in regions:
        if not region.symbols:
            assert table is not None
            raise table.fail(region.name, "no symbols", hint='name functions, as in ["conv_*", "fully_connected"]')
    return regions


def _dialogue(console: Table | None) -> tuple[DialogueStep, ...]:
    """[console] dialogue: tables with `send`, `wait`, `measure` and `inferences`."""
    if console is None:
        return ()
    steps = []
    for table in console.tables("dialogue"):
        if "times" in table.names():  # what it was called, and was taken for a count of repetitions
            raise table.fail(
                "times",
                "is called `inferences`: how many the firmware makes in this step, which figures are divided by",
                hint="a step is sent once; to send it again, write it again",
            )
        step = DialogueStep(
            table.text("send", ""), table.text("wait", ""), table.flag("measure", False), table.whole("inferences", 1)
        )
        if not step.send and not step.wait:
            raise table.fail("", "a step that neither sends nor waits", hint='write { send = "...", wait = "..." }')
        if step.inferences < 1:
            raise table.fail("inferences", "must be 1 or more")
        if step.inferences > 1 and not step.measure:
            raise table.fail("inferences", "only a measured step has inferences", hint="add `measure = true`")
        table.done()
        steps.append(step)
    console.done()
    return tuple(steps)
