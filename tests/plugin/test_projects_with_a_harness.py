"""Many test repositories have a package called `harness` themselves: it and the plugin must not meet."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    (pytester.path / "harness").mkdir()
    (pytester.path / "harness" / "__init__.py").write_text("ANSWER = 42\n")
    (pytester.path / "harness" / "errors.py").write_text("class TheirError(Exception): ...\n")
    pytester.makepyfile(
        """
        from harness import ANSWER
        from harness.errors import TheirError

        def test_their_package_is_theirs(mcu_profile):
            assert ANSWER == 42 and issubclass(TheirError, Exception)
        """
    )
    return pytester


@pytest.mark.parametrize("start", [("-m", "pytest"), ("-c", "import pytest, sys; sys.exit(pytest.main())")])
def test_a_project_with_a_package_called_harness_runs(project: pytest.Pytester, start: tuple[str, ...]) -> None:
    result = project.run(sys.executable, *start)
    result.assert_outcomes(passed=1)
