"""Handlers of ONNX operators, by subject. Importing this package fills `importer.HANDLERS`."""

from mcu_harness.model.convert.qdq.operators import (
    activations,
    arithmetic,
    convolution,
    dense,
    moving,
    pooling,
    reductions,
    resizing,
)

__all__ = ["activations", "arithmetic", "convolution", "dense", "moving", "pooling", "reductions", "resizing"]
