"""What a conversion says of itself: kept as JSON beside the int8 file, and handed on with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcu_harness.model.layout import Layout


@dataclass(frozen=True, slots=True)
class Conversion:
    """A model in canonical form: `model` is an int8 .tflite file.

    `original` is the float model that it is compared with (None: there is none), `original_is` names it for people.
    `tensors` pairs names of the int8 model's tensors with where their values are in the original. `notes` say what the
    conversion changed. A model that was int8 from the start has only `model`, and `source` "".
    """

    model: Path
    source: str = ""
    notes: tuple[str, ...] = ()
    inputs: tuple[Layout, ...] = ()
    outputs: tuple[Layout, ...] = ()
    tensors: tuple[tuple[str, Layout], ...] = ()
    original: Path | None = None
    original_is: str = ""
    tools: tuple[str, ...] = ()  # "onnxruntime 1.32.0", in the order of use


def to_json(facts: dict[str, Any]) -> str:
    """One line; the inverse of `from_json` but for the paths, which are not in it."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def from_json(text: str, model: Path, original: Path | None) -> Conversion:
    """The conversion that a worker, or the cache, tells of; raises ValueError, KeyError, TypeError for anything else."""
    facts = json.loads(text)
    return Conversion(
        model=model,
        source=str(facts["source"]),
        notes=tuple(map(str, facts["notes"])),
        inputs=tuple(map(_layout, facts["inputs"])),
        outputs=tuple(map(_layout, facts["outputs"])),
        tensors=tuple((name, _layout(layout)) for name, layout in facts["tensors"].items()),
        original=original,
        original_is=str(facts["original_is"]),
        tools=tuple(map(str, facts["tools"])),
    )


def _layout(entry: list[Any]) -> Layout:
    name, shape, order = entry
    return Layout(str(name), tuple(map(int, shape)), tuple(map(int, order)))
