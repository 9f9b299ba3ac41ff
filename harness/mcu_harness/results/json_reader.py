"""JSON that somebody else may have written, read into records: one clear error for everything that is not what it should be.

Python's own reader takes NaN and infinity, which compare with nothing and so open every gate; and cattrs turns text into
numbers. Neither is taken here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from mcu_harness.base.errors import ResultsError
from mcu_harness.base.files import read_bounded

T = TypeVar("T")

# Larger than any count in any record by far, and small enough for every format and every float.
_LARGEST = 1 << 63
_MOST_BYTES = 128 << 20  # of a thousand runs and more
_CONFLICT = "\n<<<<<<< "


def parse(text: str, origin: str, hint: str = "") -> Any:
    """What `text` stands for, with finite numbers and whole characters alone; raises ResultsError naming `origin`."""
    try:
        plain = json.loads(text, parse_constant=_no_number, parse_float=_float, parse_int=_int)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        if _CONFLICT in "\n" + text:
            hint = "it holds a merge conflict: resolve it" + (f", or {hint}" if hint else "")
        raise ResultsError(f"{origin}: not JSON: {why}", hint=hint) from error
    for found in _texts(plain):
        if any("\ud800" <= character <= "\udfff" for character in found):
            raise ResultsError(f"{origin}: not JSON: {found[:40]!a} has half a character", hint=hint)
    return plain


def structure(plain: object, kind: type[T], origin: str, what: str, hint: str = "") -> T:
    """Parsed JSON as a record of `kind`, which errors call `what`; raises ResultsError naming `origin` and the place.

    Numbers are not read out of texts, nor truth values out of anything; keys that the record does not have are refused.
    """
    # Not at the top: only commands that read results need it.
    from cattrs import BaseValidationError, transform_error
    from cattrs.preconf.json import make_converter

    converter = make_converter(forbid_extra_keys=True)
    for number in (float, int, bool):
        converter.register_structure_hook(number, _exactly)
    try:
        return converter.structure(plain, kind)
    except BaseValidationError as error:
        raise ResultsError(f"{origin}: not {what}: {transform_error(error)[0]}", hint=hint) from error


def _exactly(value: object, kind: type) -> object:
    if kind is float and type(value) is int:
        return value  # whole numbers are written without a point
    if type(value) is not kind:
        raise ValueError(
            f"expected {'a number' if kind in (int, float) else 'a text' if kind is str else kind.__name__}"
        )
    return value


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is no number that can be kept")
    return value


def _int(text: str) -> int:
    if len(text) > 20 or abs(value := int(text)) > _LARGEST:
        raise ValueError(f"{text[:40]} is larger than any figure")
    return value


def _texts(plain: object) -> Iterator[str]:
    """Every text in `plain`, keys included."""
    waiting = [plain]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def read_text(path: Path, hint: str = "") -> str:
    """The text of the file `path`; raises ResultsError where it cannot be read, is too large, or not UTF-8."""
    try:
        return read_bounded(path, _MOST_BYTES).decode("utf-8")
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror}", hint=hint) from error
    except UnicodeDecodeError as error:
        raise ResultsError(f"{path}: not UTF-8 text", hint=hint) from error
