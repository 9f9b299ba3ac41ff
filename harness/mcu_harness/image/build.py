"""From C sources to an ELF image for one board, cached by content (see build_cache).

Object files are shared by all boards with the same target: whatever else the firmware must know of its board
(memories, stack, console) reaches it through the linker script.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base import process
from mcu_harness.base.cache import BuildCache, default_root, digest
from mcu_harness.base.errors import BoardError, BuildError, HarnessError
from mcu_harness.base.futures import result_of
from mcu_harness.hardware.board import Board
from mcu_harness.image import linker_script
from mcu_harness.image.placed import Placement
from mcu_harness.image.toolchain import Toolchain
from mcu_harness.model.codegen.sources import Sources
from mcu_harness.results.records import Tool

_PACKAGE = Path(__file__).resolve().parents[1]
# Inside the package in a wheel, beside it in a checkout.
FIRMWARE = next(place for place in (_PACKAGE / "firmware", _PACKAGE.parents[1] / "firmware") if place.is_dir())
_STARTUP = "runtime/startup.c"
_RUNTIME = ("runtime/console.c", "runtime/main.c", "runtime/memory.c", _STARTUP)
_INCLUDE = ("generated", "include", "runtime")
_FORMAT = "1"  # part of every key: to be changed when the same inputs give other outputs
_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Image:
    """A linked firmware image. `build_id` is a digest of everything it was made from, compiler included.

    `sources` has a digest for each part of the sources by themselves: "generated code", "kernels", "runtime".
    """

    elf: Path
    build_id: str
    toolchain: Tool
    sources: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Unit:
    """A C file to compile. `name` is its path in the scratch tree and in debug information."""

    name: str
    text: bytes


def console_drivers() -> list[str]:
    """What a board file may name as its console's driver."""
    return sorted(path.stem for path in (FIRMWARE / "runtime/console").glob("*.c"))


def build(
    sources: Sources, board: Board, toolchain: Toolchain, cache_dir: Path | None = None, placement: Placement = ()
) -> Image:
    """Compile and link `sources` with the runtime for `board`, with `placement` elsewhere than usual.

    Raises BuildError with file, line and command when the compiler or linker refuses. An image that is larger than
    the board's memories is no error here: it links, and its footprint says by how much it is too large.
    """
    cache = BuildCache(cache_dir.absolute() if cache_dir else default_root())
    flags = toolchain.compile_flags(board)
    headers = _headers(sources)
    units = _units(sources, board, bool(placement))
    template = _firmware_file("runtime/board.ld")
    script = linker_script.render(template.text.decode(), board, placement)
    tool = Tool(toolchain.label, toolchain.version, flags)
    context = digest(
        [_FORMAT, toolchain.name, toolchain.version, *flags, *(x for h in headers for x in (h.name, h.text))]
    )
    flags_of = {unit.name: toolchain.file_flags(unit.name, board) for unit in units}
    keys = [digest([context, *flags_of[unit.name], unit.name, unit.text]) for unit in units]
    link = toolchain.link_command(board, Path("board.ld"), (), None)[len(toolchain.command) :]
    build_id = digest([context, script, *link, *keys])
    elf = cache.entry("elf", build_id)
    parts = _parts([*headers, *units, template])
    if cache.has(elf):
        return Image(elf, build_id, tool, parts)
    with cache.scratch() as scratch:
        job = _Job(toolchain, board, cache, scratch, (*_INCLUDE, *includes_of_kernels(sources)), flags_of)
        objects = job.compile(headers, dict(zip(keys, units, strict=True)))
        job.link(objects, script, elf)
    cache.prune()
    return Image(elf, build_id, tool, parts)


def source_files(sources: Sources, board: Board, placement: Placement = ()) -> dict[str, bytes]:
    """Everything that `build` compiles and links for `board`, by path: C files, headers, and the linker script `board.ld`."""
    script = linker_script.render(_firmware_file("runtime/board.ld").text.decode(), board, placement)
    files = {unit.name: unit.text for unit in (*_units(sources, board, bool(placement)), *_headers(sources))}
    console = {name for name in files if name.startswith("runtime/console/")} - {
        f"runtime/console/{board.console.driver}.c"
    }
    return {"board.ld": script.encode(), **{name: text for name, text in files.items() if name not in console}}


def includes_of_kernels(sources: Sources) -> tuple[str, ...]:
    """The folders among those of `source_files` in which kernels look for headers, besides `include`."""
    library = sources.library
    return ("kernels", *([f"kernels/{library.name}/{library.include}"] if library else []))


def _library_files(sources: Sources, suffix: str) -> list[_Unit]:
    """What is compiled from elsewhere, as a folder of kernels."""
    library = sources.library
    files = library.files.items() if library else ()
    return [_Unit(f"kernels/{library.name}/{name}", text) for name, text in files if library and name.endswith(suffix)]


def _parts(units: Sequence[_Unit]) -> dict[str, str]:
    """A digest for each part of the sources, so that one can say which part changed."""
    titles = {"generated": "generated code", "include": "kernels", "kernels": "kernels", "runtime": "runtime"}
    texts: dict[str, list[str | bytes]] = {}
    for unit in units:
        texts.setdefault(titles[unit.name.partition("/")[0]], []).extend((unit.name, unit.text))
    return {title: digest(parts) for title, parts in texts.items()}


def _units(sources: Sources, board: Board, placed: bool) -> list[_Unit]:
    units = [_Unit(f"generated/{name}", text.encode()) for name, text in sources.files.items() if name.endswith(".c")]
    runtime = [_firmware_file(name) for name in _RUNTIME]
    units += [_that_copies(unit) if placed and unit.name == _STARTUP else unit for unit in runtime]
    units += [_firmware_file(f"kernels/{kernel}") for kernel in sources.kernels]
    units += _library_files(sources, ".c")
    drivers = console_drivers()
    if board.console.driver not in drivers:
        raise BoardError(
            f"{board.path}: console.driver: no driver is called {board.console.driver!r}",
            hint="known here: " + ", ".join(drivers),
        )
    units.append(_firmware_file(f"runtime/console/{board.console.driver}.c"))
    return sorted(set(units), key=lambda unit: unit.name)


def _that_copies(startup: _Unit) -> _Unit:
    """The start-up code for what is placed; its text says so, and no flag, so that whoever compiles it gets the same."""
    return _Unit(startup.name, b"#define MCU_PLACED\n#line 1\n" + startup.text)


def _headers(sources: Sources) -> list[_Unit]:
    """Every header there is: any change compiles everything anew, which is cheap and cannot miss an include."""
    shared = [_firmware_file(path.relative_to(FIRMWARE).as_posix()) for path in sorted(FIRMWARE.rglob("*.h"))]
    own = [_Unit(f"generated/{name}", text.encode()) for name, text in sources.files.items() if name.endswith(".h")]
    return [*shared, *_library_files(sources, ".h"), *sorted(own, key=lambda unit: unit.name)]


def _firmware_file(name: str) -> _Unit:
    try:
        return _Unit(name, (FIRMWARE / name).read_bytes())
    except OSError as cause:
        raise HarnessError(
            f"firmware source {FIRMWARE / name} cannot be read: {cause.strerror}", hint="reinstall pytest-mcu-harness"
        ) from cause


class _Job:
    """The steps of one build, in one scratch directory whose name no output depends on."""

    def __init__(
        self,
        toolchain: Toolchain,
        board: Board,
        cache: BuildCache,
        scratch: Path,
        include: Sequence[str],
        flags_of: Mapping[str, Sequence[str]],
    ) -> None:
        self._flags_of = flags_of
        self._include = include
        self._toolchain = toolchain
        self._board = board
        self._cache = cache
        self._scratch = scratch
        self._source = scratch / "source"
        self._running = process.Running()
        self._environment = {"LC_ALL": "C", **toolchain.environment(cache.root / toolchain.name, scratch / "compiler")}

    def compile(self, headers: Sequence[_Unit], units: dict[str, _Unit]) -> list[Path]:
        """Object files for `units` (by key), in their order; those that are missing are compiled side by side."""
        objects = {key: self._cache.entry("o", key) for key in units}
        missing = [key for key, path in objects.items() if not self._cache.has(path)]
        for unit in [*headers, *(units[key] for key in missing)] if missing else []:
            path = self._source / unit.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(unit.text)
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            try:  # around the submissions too: the first compiler may hang before the last one is asked for
                steps = [pool.submit(self._compile_one, key, units[key].name, objects[key]) for key in missing]
                for step in steps:
                    result_of(step)
            except BaseException:  # Ctrl-C too: nobody waits for a compiler that hangs
                self._running.end()
                pool.shutdown(cancel_futures=True)
                raise
        return list(objects.values())

    def _compile_one(self, key: str, name: str, target: Path) -> None:
        made = self._scratch / f"{key}.o"
        command = [
            *self._toolchain.command,
            *self._flags_of[name],
            f"-ffile-prefix-map={self._source}=.",
            *(f"-I{directory}" for directory in self._include),
            "-c",
            name,
            "-o",
            str(made),
        ]
        done = self._run(command, self._source)
        if done.exit_code != 0:
            raise _failure(f"{_place(done.output, name)}: does not compile", done)
        self._publish(made, target, done)

    def link(self, objects: Sequence[Path], script: str, target: Path) -> None:
        """Link `objects` by `script` to `target`; the compiler's helper archive is made only when it is missed."""
        (self._scratch / "board.ld").write_text(script, encoding="utf-8")
        done = self._link_one(objects, None)
        if done.exit_code != 0:
            helpers = self._helpers()
            done = self._link_one(objects, helpers) if helpers else done
        if done.exit_code != 0:
            raise _failure("the firmware does not link", done)
        self._publish(self._scratch / "image.elf", target, done)

    def _link_one(self, objects: Sequence[Path], helpers: Path | None) -> process.CompletedText:
        command = self._toolchain.link_command(self._board, Path("board.ld"), objects, helpers)
        return self._run([*command, "-o", "image.elf"], self._scratch)

    def _helpers(self) -> Path | None:
        command = self._toolchain.helper_command(self._board)
        if command is None:
            return None
        archive = self._cache.entry("a", digest([_FORMAT, self._toolchain.version, *command[1:]]))
        if not self._cache.has(archive):
            made, source = self._scratch / "helpers.a", self._scratch / "empty.c"
            source.write_text("typedef int mcu_empty;\n", encoding="utf-8")
            done = self._run([*command, str(source), f"-femit-bin={made}"], self._scratch)
            if done.exit_code != 0:
                raise _failure("the compiler's helper functions cannot be built", done)
            self._publish(made, archive, done)
        return archive

    def _publish(self, made: Path, target: Path, done: process.CompletedText) -> None:
        if not made.is_file() or not made.stat().st_size:
            raise _failure(f"{made.name}: not written, although nothing was reported", done)
        self._cache.publish(made, target)

    def _run(self, command: list[str], cwd: Path) -> process.CompletedText:
        return process.run(command, _TIMEOUT_S, cwd=cwd, env=self._environment, among=self._running)


def _failure(what: str, done: process.CompletedText) -> BuildError:
    return BuildError(what, command=done.argv, exit_code=done.exit_code, output=done.output)


def _place(output: str, name: str) -> str:
    """`file:line` of the first error, as both compilers write it (`file:line:column: error: ...`)."""
    found = re.search(r"^([^:\n]+:\d+)(?::\d+)?: (?:fatal )?error: ", output, re.MULTILINE)
    return found[1] if found else name
