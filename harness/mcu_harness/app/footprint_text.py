"""The footprint of an image for a terminal, for a pull request, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mcu_harness.analysis.image_footprint import ImageFootprint, SymbolChange
from mcu_harness.base import units
from mcu_harness.base.text import for_markdown, for_terminal
from mcu_harness.results.records import Finding
from mcu_harness.results.report import text
from mcu_harness.results.report.terminal_table import terminal_table

FORMAT_VERSION = 1
_NO_FILE = "(no source file known)"
_NAMES = 4  # of copies, in a row


def terminal_text(image: ImageFootprint, findings: Sequence[Finding], most: int) -> str:
    """Tables of regions, symbols, files and copies, then what is over its limit."""
    blocks = [_regions(image, "simple"), _symbols(image, most, "simple"), _files(image, most, "simple")]
    if image.copies:
        wasted = sum(each.wasted_bytes for each in image.copies)
        blocks.append(f"in flash more than once: {units.format_bytes(wasted)}\n{_copies(image, most, 'simple')}")
    blocks.append(_rest(image))
    blocks += ["\n".join(text.finding_lines(finding)) for finding in findings]
    return for_terminal("\n\n".join(blocks))


def markdown_text(
    image: ImageFootprint,
    findings: Sequence[Finding],
    before: ImageFootprint | None,
    changes: Sequence[SymbolChange],
    most: int,
) -> str:
    """A comment for a pull request: regions with their difference, what grew, what shrank."""
    lines = ["### Footprint", "", _regions(image, "pipe", before), ""]
    if before is not None:
        lines += ["No symbol changed its size." if not changes else _changes(changes, most, "pipe"), ""]
    lines += [f"- **{for_markdown(finding.message)}**. {for_markdown(finding.advice)}." for finding in findings]
    return "\n".join(lines).rstrip() + "\n"


def difference_text(changes: Sequence[SymbolChange], before: ImageFootprint, after: ImageFootprint, most: int) -> str:
    """What changed between two images, for a terminal."""
    flash = units.format_signed(after.flash_bytes - before.flash_bytes)
    ram = units.format_signed(after.ram_bytes - before.ram_bytes)
    head = f"against the other image: flash {flash} B, RAM {ram} B"
    return f"{head}\n{_changes(changes, most, 'simple')}" if changes else head


def json_text(image: ImageFootprint, changes: Sequence[SymbolChange]) -> str:
    """All of it, for programs."""
    plain = {
        "format_version": FORMAT_VERSION,
        "flash_bytes": image.flash_bytes,
        "ram_bytes": image.ram_bytes,
        "regions": [
            {"name": r.region, "kind": r.kind, "used_bytes": r.used, "size_bytes": r.capacity} for r in image.regions
        ],
        "symbols": [
            {
                "name": row.name,
                "file": row.file,
                "section": row.section,
                "region": row.region,
                "flash_bytes": row.flash_bytes,
                "ram_bytes": row.ram_bytes,
            }
            for row in image.symbols
        ],
        "copies": [{"names": list(each.names), "size_bytes": each.size} for each in image.copies],
        "padding_bytes": image.padding_bytes,
        "unattributed_bytes": image.unattributed_bytes,
        "outside": list(image.outside),
        "changes": [
            {"name": c.name, "file": c.file, "before_bytes": c.before, "after_bytes": c.after} for c in changes
        ],
    }
    return json.dumps(plain, indent=1, sort_keys=True) + "\n"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], form: str, numbers: Sequence[int]) -> str:
    shown = [[for_markdown(cell) for cell in row] for row in rows] if form == "pipe" else rows
    align = ["right" if column in numbers else "left" for column in range(len(titles))]
    return terminal_table(titles, shown, align, form=form)


def _regions(image: ImageFootprint, form: str, before: ImageFootprint | None = None) -> str:
    old = {region.region: region.used for region in before.regions} if before else {}
    rows = []
    for region in image.regions:
        share = f"{region.used / region.capacity * 100:.1f} %"
        row = [region.region, region.kind, units.format_bytes(region.used), units.format_bytes(region.capacity), share]
        if before is not None:
            row.append(f"{units.format_signed(region.used - old.get(region.region, 0))} B")
        rows.append(row)
    titles = ["region", "kind", "used", "size", "share", *(["difference"] if before is not None else [])]
    return _table(titles, rows, form, range(2, 6))


def _symbols(image: ImageFootprint, most: int, form: str) -> str:
    rows = [
        [row.name, row.file or _NO_FILE, row.region, _bytes(row.flash_bytes), _bytes(row.ram_bytes)]
        for row in image.symbols[:most]
    ]
    return _table(["symbol", "source file", "region", "flash", "RAM"], rows, form, (3, 4))


def _files(image: ImageFootprint, most: int, form: str) -> str:
    rows = [[file or _NO_FILE, _bytes(flash), _bytes(ram)] for file, flash, ram in image.by_file()[:most]]
    return _table(["source file", "flash", "RAM"], rows, form, (1, 2))


def _copies(image: ImageFootprint, most: int, form: str) -> str:
    rows = []
    for each in image.copies[:most]:
        more = f" and {len(each.names) - _NAMES} more" if len(each.names) > _NAMES else ""
        rows.append([", ".join(each.names[:_NAMES]) + more, str(len(each.names)), _bytes(each.size)])
    return _table(["the same bytes", "times", "size"], rows, form, (1, 2))


def _changes(changes: Sequence[SymbolChange], most: int, form: str) -> str:
    rows = [
        [c.name, c.file or _NO_FILE, _bytes(c.before), _bytes(c.after), f"{units.format_signed(c.delta)} B"]
        for c in changes[:most]
    ]
    return _table(["symbol", "source file", "before", "after", "difference"], rows, form, (2, 3, 4))


def _rest(image: ImageFootprint) -> str:
    said = f"alignment between sections: {image.padding_bytes} B; of no symbol (alignment, literals, vectors): "
    said += f"{image.unattributed_bytes} B"
    return f"{said}\nin no region: {', '.join(image.outside)}" if image.outside else said


def _bytes(value: int) -> str:
    return units.format_count(value) if value else ""
