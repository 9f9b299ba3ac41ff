"""Named arrays kept between runs in the cache's directory, by a digest of all that they follow from."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any
from zipfile import BadZipFile

import numpy as np

from mcu_harness.base.cache import BuildCache, default_root
from mcu_harness.base.errors import HarnessError


def load_arrays(kind: str, key: str) -> dict[str, Any] | None:
    """The arrays of the entry of that kind, one of `cache.KINDS`; None where there is none, or none that can be read."""
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError, BadZipFile, HarnessError):
        store = BuildCache(default_root())
        path = store.entry(kind, key)
        if store.has(path):
            with np.load(path, allow_pickle=False) as found:
                return {name: found[name] for name in found.files}
    return None


def save_arrays(kind: str, key: str, arrays: Mapping[str, Any]) -> None:
    """Keep `arrays`; where that is not possible, the next run makes them again."""
    with contextlib.suppress(OSError, HarnessError):
        store = BuildCache(default_root())
        with store.scratch() as scratch:
            made = scratch / f"{kind}.npz"
            with made.open("wb") as file:
                np.savez(file, **arrays)
            store.publish(made, store.entry(kind, key))
