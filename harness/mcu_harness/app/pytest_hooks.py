"""Hooks that the pytest plugin calls in a user's `conftest.py` or plugins. Implement any of them there.

Under pytest-xdist all but `pytest_mcu_session` are called in the workers, where the runs are made.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcu_harness.results.records import Finding, Results, RunResult
    from mcu_harness.scenario.scenario import Scenario


@pytest.hookspec(firstresult=True)
def pytest_mcu_boards(config: pytest.Config, scenario: Scenario) -> Sequence[str] | None:
    """The boards to run `scenario` on, instead of those it names: board names, or paths of board files.

    For example two boards for every pull request and all of them at night. None leaves it as it is; the first
    implementation that answers wins; `--mcu-board` wins over all of them.
    """


@pytest.hookspec
def pytest_mcu_findings(config: pytest.Config, result: RunResult) -> Sequence[Finding] | None:
    """Rules of your own: findings about `result`, which are added to it before it is judged.

    A finding with verdict FAIL fails the test, and every report shows it.
    """


@pytest.hookspec
def pytest_mcu_result(config: pytest.Config, result: RunResult) -> None:
    """A run is complete and judged. For looking, printing, keeping; `result` cannot be changed."""


@pytest.hookspec
def pytest_mcu_session(config: pytest.Config, results: Results) -> None:
    """All runs of the session are in. Called once, in the process that the user started, before the summary."""


@contextmanager
def one_error(hook: str) -> Iterator[None]:
    """What the implementations of `hook` raise is one HarnessError that says where; what pytest itself raises stays as it is."""
    from mcu_harness.base.errors import HarnessError

    try:
        yield
    except HarnessError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
        raise HarnessError(
            f"the hook {hook} raised {type(error).__name__}: {error}{place}", hint="correct it where it is implemented"
        ) from error
