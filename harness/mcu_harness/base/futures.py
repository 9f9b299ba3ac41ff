"""Waiting for work in threads and processes so that Ctrl-C is heard."""

from __future__ import annotations

from concurrent.futures import Future, wait
from typing import TypeVar

from mcu_harness.base.process import SLICE_S

T = TypeVar("T")


def result_of(future: Future[T]) -> T:
    """What `future` comes to, or raises; KeyboardInterrupt within `SLICE_S` of the signal."""
    while wait([future], SLICE_S).not_done:
        pass
    return future.result()
