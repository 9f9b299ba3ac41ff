"""The window of a convolution or pooling operator: where it lies, and its parameters as C."""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.model.codegen.layer import number, unsupported
from mcu_harness.model.graph import Layer, Tensor
from mcu_harness.model.operation import padding_before

_LARGEST = 65535


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension of a window: sizes in elements. `padding` is what lies before the first input element."""

    size: int
    out: int
    kernel: int
    stride: int
    dilation: int
    padding: int

    @property
    def inside(self) -> bool:
        """Whether no window reaches beyond the input."""
        last = (self.out - 1) * self.stride - self.padding + (self.kernel - 1) * self.dilation
        return self.padding == 0 and last < self.size


@dataclass(frozen=True, slots=True)
class Window:
    batches: int
    channels: int
    height: Axis
    width: Axis

    @property
    def taps(self) -> int:
        """Positions in the window."""
        return self.height.kernel * self.width.kernel

    @property
    def unbroken(self) -> bool:
        """Whether what the window sees is always one run of bytes in the image, never cut by a border."""
        whole_rows = self.width.kernel == self.width.size and self.height.dilation == 1
        one_row = self.height.kernel == 1
        dense = self.width.dilation == 1 or self.width.kernel == 1
        return self.height.inside and self.width.inside and dense and (one_row or whole_rows)

    def c_initializer(self) -> str:
        """A `struct mcu_window` of firmware/include/mcu_window.h."""
        h, w = self.height, self.width
        members = {
            "batches": self.batches,
            "in_height": h.size,
            "in_width": w.size,
            "in_channels": self.channels,
            "out_height": h.out,
            "out_width": w.out,
            "kernel_height": h.kernel,
            "kernel_width": w.kernel,
            "stride_height": h.stride,
            "stride_width": w.stride,
            "dilation_height": h.dilation,
            "dilation_width": w.dilation,
            "pad_top": h.padding,
            "pad_left": w.padding,
        }
        return "{" + ", ".join(f".{name} = {value}" for name, value in members.items()) + "}"


def window_of(layer: Layer, source: Tensor, result: Tensor, kernel: tuple[int, int]) -> Window:
    """The window of `layer` with `kernel` (height, width); pads as TFLite does (kernels/padding.h, ComputePadding).

    Raises ModelError for sizes beyond 65535 and tensors that are not four-dimensional.
    """
    if len(source.shape) != 4 or len(result.shape) != 4:
        raise unsupported(layer, f"shapes {source.shape} and {result.shape} must have four dimensions")
    height = _axis(layer, source.shape[1], result.shape[1], kernel[0], "h")
    width = _axis(layer, source.shape[2], result.shape[2], kernel[1], "w")
    sizes = (*source.shape, *result.shape, *kernel, height.stride, width.stride, height.dilation, width.dilation)
    if max(sizes) > _LARGEST:
        raise unsupported(layer, f"a size of {max(sizes)}; {_LARGEST} is the largest")
    return Window(source.shape[0], source.shape[3], height, width)


def _axis(layer: Layer, size: int, out: int, kernel: int, letter: str) -> Axis:
    stride = int(number(layer, f"stride_{letter}", 1))
    dilation = int(number(layer, f"dilation_{letter}_factor", 1))
    total = (out - 1) * stride + (kernel - 1) * dilation + 1 - size
    return Axis(size, out, kernel, stride, dilation, padding_before(layer.attributes, letter, total))
