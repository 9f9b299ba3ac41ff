"""Every operator that can be turned into C, and the function that does it. One family of operators a module."""

from __future__ import annotations

from harness.codegen.layer import Emitter
from harness.codegen.operators import reshape

EMITTERS: dict[str, Emitter] = {
    "RESHAPE": reshape.emit,
    "SQUEEZE": reshape.emit,
    "EXPAND_DIMS": reshape.emit,
}
