"""A board file to fill in: every key that is usually needed, with what it means and where one finds it."""

from __future__ import annotations

from mcu_harness.base import units
from mcu_harness.base.errors import BoardError
from mcu_harness.base.text import is_plain_name
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.hardware.core import CORES

_TEXT = """\
# A board of your own. Say where each figure is from under [sources]: a figure is worth what its document is.
# All keys: docs/reference/board.md of mcu-harness. Try it: mcu-harness run MODEL --board {name}.toml
name = "{name}"  # as the file is called
title = "{name}"
vendor = "us"
part = "the chip's order number"

[core]
name = "{core}"  # {cores}
{fpu}

[clock]
frequency = "{clock}"  # what the firmware sets up; latency follows from it

[[memory]]
name = "flash"
kind = "flash"
origin = 0x08000000  # 0 on many parts that are not ST's
size = "{flash}"  # less what a boot loader takes
# At the frequency above: reference manual, flash interface. Cycles have no stated error until this line is filled in; 0 is a figure too.
# wait_states = 4
# fetch = "8 B"  # how much one read of the flash gives
# cache = "art"  # what stands between flash and core, if anything: {caches}
# cache_size = "1 KiB"
# cache_line = "32 B"

[[memory]]
name = "sram"
kind = "ram"
origin = 0x20000000
size = "{ram}"

# What the maker keeps in the chip and firmware may read (unique ID, calibration, option bytes):
# [[memory]]
# name = "system"
# kind = "info"
# origin = 0x1FFF0000
# size = "32 KiB"

# Memory beside the chip (SDRAM, serial flash):
# [[memory]]
# name = "sdram"
# kind = "ram"
# origin = 0xC0000000
# size = "8 MiB"
# external = true
# wait_states = 6

[layout]
code = "flash"
data = "sram"

# Where the generated firmware prints. Without a UART, "semihosting" and base 0 do.
[console]
driver = "semihosting"  # {drivers}
base = 0  # address of the UART's registers
# enable = [[0x40021058, 0x00000001]]  # clock gates, pins, baud rate: [address, set] or [address, set, clear]

# For energy; leave it out where no figure is known.
# [power]
# current_ua_per_mhz = 100
# supply_volts = 3.3

# To run it in Renode: a platform that Renode comes with.
# [renode]
# platform = "platforms/cpus/stm32l4.repl"
# uart = "sysbus.usart2"

[sources]
core = "not looked up"  # data sheet, features
clock = "not looked up"  # schematic, start-up code
memory = "not looked up"  # reference manual, memory map
wait_states = "not looked up"  # reference manual, flash interface
current = "not looked up"  # data sheet, supply current
console = "not looked up"  # schematic
"""


def board_template(name: str, core: str, clock: str, flash: str, ram: str) -> str:
    """The text of a board file `name`.toml that can be read as it is; raises BoardError and UnitError.

    `clock` is a frequency, `flash` and `ram` are sizes, as people write them. Wait states of the flash are left out: until
    they are stated, cycles on the board have no error that could be quoted.
    """
    from mcu_harness.hardware.board import CACHES
    from mcu_harness.image.build import console_drivers

    if not is_plain_name(name):
        raise BoardError(f"{name!r} is not a plain name", hint="use letters, digits, '_', '-', '+' and '.'")
    if not core:
        raise BoardError("a board has a core", hint="give --core, one of " + ", ".join(CORES))
    if core not in CORES:
        raise BoardError(f"no core named {core!r}", hint=did_you_mean(core, tuple(CORES)))
    for size in (flash, ram):
        units.parse_whole(size, "bytes")
    units.parse_whole(clock, "hertz")
    fpus = CORES[core].fpus
    return _TEXT.format(
        name=name,
        core=core,
        cores=", ".join(CORES),
        fpu=f'# fpu = "{fpus[0]}"  # if the part has one: {", ".join(fpus)}' if fpus else "# this core has no FPU",
        clock=clock.strip(),
        flash=flash.strip(),
        ram=ram.strip(),
        caches=", ".join(cache for cache in CACHES if cache != "none"),
        drivers=", ".join(console_drivers()),
    )
