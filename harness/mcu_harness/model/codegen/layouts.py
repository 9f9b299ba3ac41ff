"""How filters are laid out for the kernels that read them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]


def as_stored(values: Array) -> Array:
    """The layout of the model file."""
    return values


def groups_of_four(rows: Array) -> Array:
    """[n, k] -> flat: rows in groups of four with their elements interleaved ([n // 4][k][4]), then the rest as it is.

    For kernels that compute four outputs for every input they read.
    """
    count, length = rows.shape
    grouped = count - count % 4
    interleaved = rows[:grouped].reshape(-1, 4, length).transpose(0, 2, 1)
    return np.concatenate([interleaved.reshape(-1), rows[grouped:].reshape(-1)])
