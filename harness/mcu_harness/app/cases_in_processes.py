"""Cases run by several processes at a time, with results in the order of the cases, as one process has them.

Each process keeps its own emulator from case to case. It measures; what needs all results, the gate and its baselines, stays
with the process that asked.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from mcu_harness.app.session import Session
from mcu_harness.base.errors import EmulatorError, UnitError
from mcu_harness.base.futures import result_of

if TYPE_CHECKING:
    from mcu_harness.app.options import Options
    from mcu_harness.results.records import Finding, RunResult
    from mcu_harness.scenario.cases import Case

_AUTO = "auto"
_MOST_JOBS = 256


Measured = tuple["RunResult", tuple["Finding", ...]]  # what `Session.measure` gives
Measure = Callable[[], Measured]


def parse_jobs(text: str) -> int:
    """How many processes `--jobs` asks for. Raises UnitError."""
    if text == _AUTO:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_JOBS:
        return int(text)
    raise UnitError(
        f"--jobs: {text!r} is not a number of processes", hint=f"a whole number from 1 to {_MOST_JOBS}, or {_AUTO}"
    )


@contextlib.contextmanager
def measured(cases: Sequence[Case], options: Options, jobs: int) -> Iterator[Measure]:
    """Measure cases in `jobs` processes; what is given gives or raises what `Session.measure` would, case by case in order.

    At the end of the context the processes end too.
    """
    # Processes that are started anew: threads of libraries do not survive a fork.
    context = multiprocessing.get_context("spawn")
    before = set(multiprocessing.active_children())
    with ProcessPoolExecutor(min(jobs, len(cases)), context, _begin) as pool:
        found = [_submit(pool, case, options) for case in cases]
        try:
            following = iter(found)
            yield lambda: _result(next(following))
        finally:
            for one in found:
                one.cancel()
            if not all(one.done() for one in found):
                for process in set(multiprocessing.active_children()) - before:
                    process.terminate()


def _submit(pool: ProcessPoolExecutor, case: Case, options: Options) -> Future[Measured]:
    try:
        return pool.submit(_measure, case, options)
    except BrokenProcessPool as error:  # as early as that
        failed: Future[Measured] = Future()
        failed.set_exception(error)
        return failed


def _result(found: Future[Measured]) -> Measured:
    try:
        return result_of(found)
    except BrokenProcessPool as error:
        raise EmulatorError("a process that ran cases died", hint="--jobs 1 shows at which case") from error


_session: Session | None = None  # of a process that measures


def _begin() -> None:
    """In a new process: an interrupt is for the process that asked, which ends this one."""
    global _session
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _session = Session()
    Finalize(_session, _session.close, exitpriority=1)


def _measure(case: Case, options: Options) -> Measured:
    assert _session is not None
    return _session.measure(case, options)
