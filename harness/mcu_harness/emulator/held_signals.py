"""Ctrl-C while native code runs: Python would raise it inside a callback, where it is printed and lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_interrupts() -> Iterator[Callable[[], bool]]:
    """Hold back SIGINT within the block; yields a function that says whether it came.

    It takes effect when the block is left, as it would have before. Outside the main thread, which alone gets
    signals, nothing is held.
    """
    came = False

    def handler(_number: int, _frame: FrameType | None) -> None:
        nonlocal came
        came = True

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield lambda: came
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)
