"""The option `--what-if` of commands that run something."""

from __future__ import annotations

import argparse


def add_what_if(parser: argparse.ArgumentParser) -> None:
    """Add the option; its values are read once the board is known (`mcu_harness.analysis.what_if.questions`)."""
    parser.add_argument(
        "--what-if",
        action="append",
        default=[],
        metavar="KEY=VALUE,...",
        help="price the same run for something else, too: clock=80MHz, flash_wait_states=3, flash_cache=none, "
        "flash_cache_size=8KiB, or what lies in a memory, as in itcm=layer_04 or sram=weights* (repeatable)",
    )
