"""Filters as words of four taps for dual multiplications: firmware/kernels/dsp/conv_2d_s8.c says why."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.steps import FACTOR, words_of_halves

_ODD_EXCESS = 127  # of a prepared input byte with an odd number


def pack(filters: npt.NDArray[np.int8], group: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """[n, taps] as [n / group, words, group] with zeros for what is missing, and [n] by how much 256-fold sums get too large.

    Raises Unsuited for weights that do not fit.
    """
    count, taps = filters.shape
    padded = np.zeros((-(-count // group) * group, -(-taps // 4) * 4), np.int64)
    padded[:count, :taps] = filters
    even, odd = padded[:, 0::2], padded[:, 1::2]
    halves = odd + FACTOR * even
    words = words_of_halves(halves[:, 0::2], halves[:, 1::2])
    return words.reshape(-1, group, words.shape[1]).transpose(0, 2, 1), _ODD_EXCESS * odd.sum(axis=1)


def grouped_bias(bias: npt.NDArray[np.int64], excess: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """What the 256-fold sums begin with; `bias` [n] may be shorter than `excess`, which has the filters that were added."""
    padded = np.zeros(len(excess), np.int64)
    padded[: len(bias)] = bias
    return FACTOR * padded - excess
