"""An int8 .tflite with other numbers: 16x8, or weights of 4 bits.

Request: that of `litert_calibrate`, `scheme`, and `original`: the float model that the int8 model was made of, as `float` names
it, or what the int8 model computes in float, which is written there.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mcu_harness.model.convert.dequantised import dequantised
from mcu_harness.model.convert.int4_weights import with_int4_weights
from mcu_harness.model.convert.workers.answering import answer
from mcu_harness.model.convert.workers.litert_calibrate import described, quantised

_WIDE = "That takes twice the RAM, and more cycles: what it buys is accuracy"
_UNPACKED = "Only the file is smaller: firmware stores each weight in a byte, and computes as with int8"


def convert(request: dict[str, Any]) -> dict[str, Any]:
    model = Path(request["model"]).read_bytes()
    told: dict[str, Any] = {"inputs": [], "outputs": [], "tensors": {}, "original_is": ""}
    if request["float"]:
        shutil.copyfile(request["float"], request["original"])
        content = Path(request["float"]).read_bytes()
        real = content if content[4:8] == b"TFL3" else b""
    else:
        real = dequantised(model)
        Path(request["original"]).write_bytes(real)
        told |= {**described(real), "original_is": "the int8 model, computed in float"}
    made, notes = _STEPS[request["scheme"]](model, real, request)
    Path(request["output"]).write_bytes(made)
    return told | {"notes": notes}


def _wide(model: bytes, real: bytes, request: dict[str, Any]) -> tuple[bytes, list[str]]:
    made, notes = quantised(real or dequantised(model), request, "16x8")
    return made, [f"16x8: activations of int16, weights of int8, biases of int64. {_WIDE}", *notes]


def _int4(model: bytes, real: bytes, request: dict[str, Any]) -> tuple[bytes, list[str]]:
    made, layers, weights = with_int4_weights(model)
    sizes = f"the file has {len(made):,} bytes in place of {len(model):,}"
    return made, [f"int4: {weights:,} weights of {layers} layers have 4 bits, {sizes}. {_UNPACKED}"]


_STEPS = {"16x8": _wide, "int4": _int4}


if __name__ == "__main__":
    answer(convert)
