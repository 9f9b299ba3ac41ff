"""Pages that an earlier run left where a run writes its own: they say nothing of this one, and stay where they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from mcu_harness.results.report.variants_text import PAGE_TITLE

_HEAD_LINES = 5  # a board's page: title, core, table


def earlier_pages(directory: Path, written: Iterable[Path]) -> list[Path]:
    """Pages of boards and variants in `directory` that are not among the `written` ones; told by what stands in them."""
    now = set(written)
    return [path for path in sorted(directory.glob("*.md")) if path not in now and _is_page(path)]


def _is_page(path: Path) -> bool:
    with contextlib.suppress(OSError, UnicodeDecodeError), path.open(encoding="utf-8") as stream:
        head = [line.strip() for line in islice(stream, _HEAD_LINES)]
        if path.name == "variants.md":
            return head[:1] == [PAGE_TITLE]
        return head[:1] == [f"# {path.stem}"] and head[-1].startswith("| scenario ") and "| verdict " in head[-1]
    return False
