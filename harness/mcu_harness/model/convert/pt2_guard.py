"""A .pt2 file looked at before PyTorch loads it: `torch.export.load` unpickles, evaluates and looks names up, so that a
file could run code. What an exported network needs is let through: ATen operators, tensors, arithmetic on sizes.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcu_harness.model.convert.refusal import Refusal

_MOST_JSON_BYTES = 1 << 26
_MOST_BYTES = 1 << 30
_TARGET = re.compile(
    r"torch\.ops\.(aten|prims|quantized_decomposed|higher_order)\.\w+(\.\w+)?|_operator\.\w+|math\.\w+|torch\.sym_\w+"
)
# Sizes: numbers, symbols such as s0, and functions of sympy and PyTorch on them.
_EXPRESSION = re.compile(
    r"(?:[-+*/%(),.<>=! ]|\b\d+\b|\b[su]\d+\b|\b(?:Max|Min|Mod|FloorDiv|CeilDiv|Eq|Ne|PythonMod)\b)*"
)


def check(path: Path) -> None:
    """Raise Refusal for a file that is no .pt2, or that names more than an exported network needs."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise Refusal(f"more than {_MOST_BYTES} bytes when unpacked")
            texts = [entry for entry in entries if entry.filename.endswith(".json")]
            if not any(entry.filename.endswith("models/model.json") for entry in texts):
                raise Refusal("not a .pt2 file that torch.export.save wrote", _HOW)
            if sum(entry.file_size for entry in texts) > _MOST_JSON_BYTES:
                raise Refusal("its description is too large")
            for entry in texts:
                for key, value in _strings(json.loads(archive.read(entry))):
                    _check(key, value)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise Refusal(f"not a .pt2 file, or a damaged one: {error}", _HOW) from error
    except (ValueError, RecursionError) as error:
        raise Refusal(f"a damaged .pt2 file: {error}", _HOW) from error


_HOW = "write it with torch.export.save(torch.export.export(model.eval(), (example,)), 'model.pt2')"


def _check(key: str, value: Any) -> None:
    if key == "target" and isinstance(value, str) and not _TARGET.fullmatch(value):
        raise Refusal(
            f"it calls {value[:80]!r}, which is no operator of ATen", "export the network without custom operators"
        )
    if key == "expr_str" and not _EXPRESSION.fullmatch(str(value)):
        raise Refusal(f"a size that is no arithmetic: {str(value)[:80]!r}", "export with static shapes")
    if key == "use_pickle" and value:
        raise Refusal("it holds pickled objects, which run whatever code is in them", "export plain tensors alone")


def _strings(value: Any) -> Iterator[tuple[str, Any]]:
    """Every (key, value) of the JSON objects in `value`, however deep."""
    ahead = [value]
    while ahead:
        item = ahead.pop()
        if isinstance(item, dict):
            yield from item.items()
            ahead += item.values()
        elif isinstance(item, list):
            ahead += item
