"""Signals while native code runs: what their handlers raise would be raised inside a callback, printed and lost.

Ctrl-C is one, the alarm by which pytest-timeout ends a test another; a server that stops its workers has its own.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object]

_NUMBERS = tuple(map(int, signal.valid_signals()))
# As signal.getsignal, which makes an enum of each answer: all of them together would take longer than a short run.
_handler_of: Callable[[int], object] = _signal.getsignal


@contextmanager
def held_exceptions() -> Iterator[Callable[[], bool]]:
    """Keep what handlers of signals raise within the block; yields a function that says whether one did.

    Handlers run when their signal comes, as before; the first exception of any is raised when the block is left. Outside the
    main thread, which alone gets signals, nothing is held.
    """
    raised: list[BaseException] = []

    def keeping(handler: Handler) -> Handler:
        def handle(number: int, frame: FrameType | None) -> None:
            try:
                handler(number, frame)
            except BaseException as error:
                raised.append(error)

        return handle

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    with ExitStack() as restored:
        for number in _NUMBERS:
            handler = _handler_of(number)
            if callable(handler):  # and neither the system's own, nor ignored, nor a C library's
                signal.signal(number, keeping(handler))
                restored.callback(signal.signal, number, handler)
        yield lambda: bool(raised)
    if raised:
        raise raised[0]
