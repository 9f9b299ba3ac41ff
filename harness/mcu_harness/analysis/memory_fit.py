"""Does the image fit the board? Judged before anything runs, from the ELF and the board file alone.

Firmware is linked with room to spare, so that "does not fit" comes with the bytes that are missing and the symbols
that take most, in place of a linker's complaint.
"""

from __future__ import annotations

from mcu_harness.base import units
from mcu_harness.hardware.board import Board
from mcu_harness.image.footprint import Footprint, RegionUse
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Contributor, Finding, Verdict

# Below this the interrupt frame and main's own frame alone would run into the data.
LEAST_STACK_BYTES = 256


def check_fit(footprint: Footprint, board: Board) -> list[Finding]:
    """A finding for every memory that is too small and for sections that lie in no memory of the board."""
    findings = [_too_small(footprint, region, 0) for region in footprint.regions if region.used > region.capacity]
    for region in footprint.regions:
        free = region.capacity - region.used
        if region.region == board.data and 0 <= free < LEAST_STACK_BYTES:
            findings.append(_too_small(footprint, region, LEAST_STACK_BYTES))
    # What overflows a memory also ends outside of it: say so once, as the overflow.
    if footprint.outside and not findings:
        findings.append(
            Finding(
                code=Code.FIT_OUTSIDE,
                verdict=Verdict.FAIL,
                message=f"sections lie in no memory of {board.name}: {', '.join(footprint.outside)}",
                advice="check the linker script against the board's memories, or add the memory to the board file",
            )
        )
    return findings


def _too_small(footprint: Footprint, region: RegionUse, stack: int) -> Finding:
    over = region.used + stack - region.capacity
    needed = f"{units.format_count(region.used)} B" + (f" and {stack} B for the least stack" if stack else "")
    return Finding(
        code=Code.FIT_FLASH if region.kind == "flash" else Code.FIT_RAM,
        verdict=Verdict.FAIL,
        message=f"does not fit: {region.region} needs {needed}, {units.format_count(over)} B more than its "
        f"{units.format_count(region.capacity)} B",
        advice="use a smaller model or a board with more " + ("flash" if region.kind == "flash" else "RAM"),
        limit=region.capacity,
        measured=region.used,
        unit="B",
        contributors=largest_symbols(footprint, region.kind),
    )


def largest_symbols(footprint: Footprint, kind: str, most: int = 50) -> tuple[Contributor, ...]:
    """The symbols that take most "flash" or "ram", largest first."""
    sizes = [(s.flash_bytes if kind == "flash" else s.ram_bytes, s.name) for s in footprint.symbols]
    return tuple(
        Contributor(name, size) for size, name in sorted(sizes, key=lambda item: (-item[0], item[1]))[:most] if size
    )
