"""The zoo runs by name only: `pytest scenarios` is the main job, `pytest scenarios/zoo` the other."""

from __future__ import annotations

from pathlib import Path

import pytest

ZOO = Path(__file__).parent / "zoo"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]
    if collection_path == ZOO and not any(path.is_relative_to(ZOO) for path in named):
        return True
    return None
