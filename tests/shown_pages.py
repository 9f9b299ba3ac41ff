"""What pages show of runs: the module of docs/ that renews it, and whether their figures are of the compiler that is here."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

from mcu_harness.base.errors import ToolchainError
from mcu_harness.image.toolchain import find_toolchain

DOCS = Path(__file__).parent.parent / "docs"
RENEW = "run `python docs/generate.py --outputs` and commit what it writes"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_page_outputs", DOCS / "page_outputs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


OUTPUTS = _load()


def reason_not_to_compare() -> str:
    """Why figures here cannot be those of the pages, which are of one compiler; "" where they can."""
    told = re.search(r"^compiler: (.+)$", (DOCS / "tutorial.md").read_text("utf-8"), re.MULTILINE)
    assert told, "the tutorial names the compiler of the pages' figures"
    try:
        here = f"gnu {find_toolchain('gnu').version}"
    except ToolchainError as error:
        return error.message
    return "" if told[1] == here else f"the pages have figures of {told[1]}, and here is {here}"
