"""Functions of one float32 as LiteRT's kernels compute them, each step rounded to float32.

Functions of the C library (expf, tanhf, erfcf, logf) are rounded correctly here, which a C library does in nearly all cases.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

RealFunction = Callable[[np.float32], np.float32]


def exp(x: np.float32) -> np.float32:
    with np.errstate(over="ignore"):
        return np.float32(np.exp(np.float64(x)))


def sigmoid(x: np.float32) -> np.float32:
    with np.errstate(over="ignore"):
        return np.float32(1) / (np.float32(1) + np.float32(np.exp(-np.float64(x))))


def tanh(x: np.float32) -> np.float32:
    return np.float32(np.tanh(np.float64(x)))


def gelu(x: np.float32) -> np.float32:
    """x / 2 * (1 + erf(x / sqrt(2))), as x / 2 * erfc(-x / sqrt(2))."""
    return np.float32(0.5) * x * np.float32(math.erfc(float(x * np.float32(-math.sqrt(0.5)))))


def gelu_by_tanh(x: np.float32) -> np.float32:
    """GELU's approximation: x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))."""
    with np.errstate(over="ignore"):
        cube = np.float32(0.044715) * (x * x * x)
        return np.float32(0.5) * x * (np.float32(1) + tanh(np.float32(math.sqrt(2 / math.pi)) * (x + cube)))


def clamp(low: float, high: float) -> RealFunction:
    return lambda x: np.float32(min(max(x, np.float32(low)), np.float32(high)))


def leaky_relu(alpha: float) -> RealFunction:
    return lambda x: x if x > 0 else np.float32(x * np.float32(alpha))


def hard_swish(x: np.float32) -> np.float32:
    """x * clamp(x + 3, 0, 6) / 6."""
    return np.float32(x * clamp(0.0, 6.0)(x + np.float32(3)) / np.float32(6))


def square_root(x: np.float32) -> np.float32:
    """What has no root is no number, as in the C library."""
    with np.errstate(invalid="ignore"):
        return np.float32(np.sqrt(x))
