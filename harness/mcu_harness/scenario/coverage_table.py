"""[coverage] of a scenario: which source files coverage is of. That the table is there asks for coverage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from mcu_harness.base.toml_reader import Table


@dataclass(frozen=True, slots=True)
class CoverageSpec:
    """Patterns of paths as the compiler was given them; a folder stands for all that is in it. No `sources` are all."""

    sources: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        """Whether the file is to be covered."""
        wanted = not self.sources or any(_matches(path, pattern) for pattern in self.sources)
        return wanted and not any(_matches(path, pattern) for pattern in self.exclude)

    def __str__(self) -> str:
        parts = (("sources", self.sources), ("exclude", self.exclude))
        return ", ".join(f"{key} = {list(patterns)}" for key, patterns in parts if patterns)


def read_coverage(top: Table) -> CoverageSpec | None:
    """None where the scenario has no such table."""
    table = top.table("coverage")
    if table is None:
        return None
    spec = CoverageSpec(table.texts("sources", ()), table.texts("exclude", ()))
    for key, patterns in (("sources", spec.sources), ("exclude", spec.exclude)):
        if "" in patterns:
            raise table.fail(
                key, "an empty pattern matches no file", hint='name files or folders: "src/*.c", "drivers"'
            )
    table.done()
    return spec


def _matches(path: str, pattern: str) -> bool:
    folder = pattern.rstrip("/") + "/"
    return path.startswith(folder) or f"/{folder}" in path or PurePosixPath(path).match(pattern)
