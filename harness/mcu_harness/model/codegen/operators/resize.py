"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR: which input rows and columns each output row and column is made of is settled here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, unsupported
from mcu_harness.model.graph import DTYPE_BYTES, Layer, Tensor

_LARGEST_SIDE = 2**15

_NEAREST = Kernel(
    "mcu_resize_nearest", "portable/resize_nearest.c", "mcu_resize_nearest.h", helpers=("portable/copy.c",)
)
_BILINEAR = {
    dtype: Kernel(f"mcu_resize_bilinear_{name}", f"portable/resize_bilinear_{name}.c", "mcu_resize_bilinear.h")
    for dtype, name in (("int8", "s8"), ("int16", "s16"))
}

_REAL_BILINEAR = Kernel("mcu_resize_bilinear_real_s8", "portable/resize_bilinear_real_s8.c", "mcu_resize_bilinear.h")


def nearest(
    input_size: int, output_size: int, *, align_corners: bool, half_pixel_centers: bool
) -> npt.NDArray[np.int16]:
    """int16 [output_size]: the input index of each output index, in float32 as TFLite's `GetNearestNeighbor` does."""
    if align_corners and output_size > 1:
        scale = np.float32(input_size - 1) / np.float32(output_size - 1)
    else:
        scale = np.float32(input_size) / np.float32(output_size)
    offset = np.float32(0.5 if half_pixel_centers else 0.0)
    places = (np.arange(output_size, dtype=np.float32) + offset) * scale
    # The float32 `floor(x + 0.5)` could round up just below a half; in float64 the sum is exact.
    rounded = np.floor(places.astype(np.float64) + 0.5) if align_corners else np.floor(places)
    return np.minimum(rounded, input_size - 1).astype(np.int16)


def between(
    input_size: int, output_size: int, *, align_corners: bool, half_pixel_centers: bool
) -> npt.NDArray[np.int16]:
    """int16 [output_size, 3]: lower and upper input index of each output index, and how far it is from the lower one in
    1/1024, in integers as TFLite's `ComputeInterpolationValuesInteger` does (reference/resize_bilinear.h)."""
    if align_corners and output_size > 1:
        scale = (1024 * (input_size - 1) + (output_size - 1) // 2) // (output_size - 1)
    else:
        scale = (1024 * input_size + output_size // 2) // output_size
    places = np.arange(output_size, dtype=np.int64) * scale + (scale // 2 - 512 if half_pixel_centers else 0)
    lower = np.maximum(np.sign(places) * (np.abs(places) // 1024), 0)
    ceiling = places + 1023
    upper = np.minimum(np.sign(ceiling) * (np.abs(ceiling) // 1024), input_size - 1)
    # LiteRT does not keep the lower index inside; scales that are rounded up can lead it to the end.
    return np.stack([np.minimum(lower, input_size - 1), upper, places - 1024 * lower], axis=1).astype(np.int16)


def _modes(layer: Layer) -> dict[str, bool]:
    return {mode: bool(layer.attributes.get(mode, False)) for mode in ("align_corners", "half_pixel_centers")}


def _sizes(source: Tensor, result: Tensor) -> list[tuple[str, str]]:
    """The members that the parameters of both kinds of RESIZE_BILINEAR begin with."""
    images, height, width, channels = source.shape
    numbers = {
        "images": images,
        "input_height": height,
        "input_width": width,
        "channels": channels,
        "output_height": result.shape[1],
        "output_width": result.shape[2],
    }
    return [(member, f"{value}u") for member, value in numbers.items()]


def emit_bilinear(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    _, height, width, _ = source.shape
    if max(source.shape[1:3]) >= _LARGEST_SIDE or max(source.shape[1:3]) * 1024 * 4 >= 2**31:
        raise unsupported(layer, f"a side of {max(source.shape[1:3])}; {_LARGEST_SIDE} at most")
    rows = Constant("rows", between(height, result.shape[1], **_modes(layer)))
    columns = Constant("columns", between(width, result.shape[2], **_modes(layer)))
    fields = (
        *_sizes(source, result),
        ("rows", context.name(rows.suffix)),
        ("columns", context.name(columns.suffix)),
    )
    kernel, parameters = _BILINEAR[source.dtype], Struct("struct mcu_resize_bilinear", "parameters", fields)
    pointer, constants = context.operand(source.index, "input")
    call = f"{kernel.function}({context.write(result.index)}, {pointer}, &{context.name(parameters.suffix)});"
    return LayerCode((call,), (kernel,), (*constants, rows, columns), (parameters,))


def emit(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    images, height, width, channels = source.shape
    if max(source.shape[1:3]) > _LARGEST_SIDE:
        raise unsupported(layer, f"a side of {max(source.shape[1:3])}; {_LARGEST_SIDE} at most")
    rows = Constant("rows", nearest(height, result.shape[1], **_modes(layer)))
    columns = Constant("columns", nearest(width, result.shape[2], **_modes(layer)))
    pixel_bytes = channels * DTYPE_BYTES[source.dtype]
    numbers = {
        "images": images,
        "input_image_bytes": height * width * pixel_bytes,
        "input_row_bytes": width * pixel_bytes,
        "pixel_bytes": pixel_bytes,
        "output_height": result.shape[1],
        "output_width": result.shape[2],
    }
    kernel = _NEAREST
    fields = (
        *((member, f"{value}u") for member, value in numbers.items()),
        ("rows", context.name(rows.suffix)),
        ("columns", context.name(columns.suffix)),
    )
    parameters = Struct("struct mcu_resize_nearest", "parameters", fields)
    pointer, constants = context.operand(source.index, "input")
    call = f"{kernel.function}({context.write(result.index)}, {pointer}, &{context.name(parameters.suffix)});"
    return LayerCode((call,), (kernel,), (*constants, rows, columns), (parameters,))


def real_places(
    input_size: int, output_size: int, *, align_corners: bool, half_pixel_centers: bool
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.float32]]:
    """Lower and upper input index of each output index, [output_size, 2], and how far it is from the lower one, in float32
    (`ComputeInterpolationValues` of reference/resize_bilinear.h)."""
    one = np.float32(1)
    scale = np.float32(input_size) / np.float32(output_size)
    if align_corners and output_size > 1:
        scale = np.float32(input_size - 1) / np.float32(output_size - 1)
    places = np.arange(output_size, dtype=np.float32)
    half = one / np.float32(2)
    places = (places + half) * scale - half if half_pixel_centers else places * scale
    lower = np.maximum(np.floor(places).astype(np.int64), 0)
    upper = np.minimum(np.ceil(places).astype(np.int64), input_size - 1)
    parts = places - lower.astype(np.float32)
    return np.stack([np.minimum(lower, input_size - 1), upper], axis=1).astype(np.int16), parts.astype(np.float32)


def emit_real_bilinear(layer: Layer, context: Context) -> LayerCode:
    """RESIZE_BILINEAR of models that were uint8, which LiteRT computes in float32."""
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    _, height, width, _ = source.shape
    if max(source.shape[1:3]) > _LARGEST_SIDE:
        raise unsupported(layer, f"a side of {max(source.shape[1:3])}; {_LARGEST_SIDE} at most")
    rows, row_parts = real_places(height, result.shape[1], **_modes(layer))
    columns, column_parts = real_places(width, result.shape[2], **_modes(layer))
    constants = (
        Constant("rows", rows),
        Constant("columns", columns),
        Constant("row_parts", row_parts),
        Constant("column_parts", column_parts),
    )
    fields = (
        *_sizes(source, result),
        *((constant.suffix, context.name(constant.suffix)) for constant in constants),
    )
    pointer, more = context.operand(source.index, "input")
    call = f"{_REAL_BILINEAR.function}({context.write(result.index)}, {pointer}, &{context.name('parameters')});"
    structs = (Struct("struct mcu_resize_bilinear_real", "parameters", fields),)
    return LayerCode((call,), (_REAL_BILINEAR,), (*more, *constants), structs)


LEGACY_EMITTERS = {"RESIZE_BILINEAR": emit_real_bilinear}

EMITTERS = {
    "RESIZE_NEAREST_NEIGHBOR": emit,
    "RESIZE_BILINEAR": emit_bilinear,
}
