"""How a worker answers: one line of JSON on the stdout that it was given, whatever libraries print meanwhile."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mcu_harness.model.convert.refusal import Refusal


def answer(work: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Do `work` on the request named on the command line and answer with what it returns, or with its Refusal.

    Any other exception ends the process with a traceback on stderr: the parent then reports its last line.
    """
    out = os.dup(1)
    os.dup2(2, 1)  # libraries print: to stderr, then
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        found = work(request)
    except Refusal as refusal:
        found = {"error": refusal.message, "hint": refusal.hint}
    sys.stdout.flush()
    with os.fdopen(out, "w", encoding="utf-8") as stream:
        stream.write("\n" + json.dumps(found) + "\n")
