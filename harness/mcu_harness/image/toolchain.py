"""Compilers for the target: where they are, what they are called, and which flags a board's core needs."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from mcu_harness.base import process
from mcu_harness.base.errors import HarnessError, ToolchainError
from mcu_harness.base.text import one_line
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.core import CORES, Core

NAMES = ("gnu", "zig")
_GET = {
    "gnu": "install it (Debian, Ubuntu: `apt install gcc-arm-none-eabi`; macOS: `brew install arm-none-eabi-gcc`; "
    "others: the Arm GNU Toolchain from developer.arm.com) and put arm-none-eabi-gcc on PATH",
    "zig": "`pip install ziglang` (or `pip install 'pytest-mcu-harness[compiler]'`)",
}

# Common to both compilers, and why:
#   -ffreestanding       headers come from the compiler alone; start-up and memcpy are ours
#   -ffp-contract=off    float results do not depend on whether the core has a fused multiply-add
#   -fno-common, -f*-sections   each object has an address of its own, and unused ones are dropped
_COMMON_FLAGS = (
    "-std=c99",
    "-O2",
    "-g",
    "-ffreestanding",
    "-ffp-contract=off",
    "-fno-common",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-fno-stack-protector",
    "-Wall",
    "-Wextra",
)

# Folding identical functions would give two layers, or both ends of the measured window, one address.
_OWN_FLAGS = {"gnu": ("-fno-ipa-icf",), "zig": ("-fno-sanitize=undefined", "-fno-pic", "-fomit-frame-pointer")}

# For the kernels of one set (a folder of firmware/kernels), on top of all others but the user's. GCC's scheduling before registers
# are assigned spills the many sums of these kernels: without it they take 4 % less cycles on a Cortex-M4. To zig, -O2 is -O3: it
# unrolls and splits loops that are written as wide as registers allow, for twice the code and up to 4 % more cycles.
_KERNEL_FLAGS = {
    ("gnu", "dsp"): ("-fno-schedule-insns",),
    ("zig", "dsp"): ("-Os",),
}
# CMSIS-NN's own switch, for the files in which it turns the sums of dense layers into outputs: LiteRT rounds those once.
_ROUNDED_ONCE = ("arm_nn_vec_mat_mult_t_s8.c", "arm_nn_vec_mat_mult_t_per_ch_s8.c")
_ROUNDED_ONCE_FLAGS = ("-DCMSIS_NN_USE_SINGLE_ROUNDING",)
# The same for cores that start two instructions at once, which no macro of a compiler's tells: firmware/include/mcu_loops.h.
_STARTS_TWO_FLAGS = {"dsp": ("-DMCU_SINGLE_LOADS",)}

# Our script and start-up, nothing of the compiler's own, whatever is unused left out. The sections check would refuse an
# image that outgrows its memory into the next one; the footprint says so instead.
_LINK_FLAGS = ("--gc-sections", "--no-check-sections", "-z", "max-page-size=4", "--build-id=none")

_HELPER_FLAGS = ("-O", "ReleaseFast", "-fstrip", "-fcompiler-rt", "--name", "helpers")

# Board FPU names, which are GNU's -mfpu names, to LLVM's feature names. Zig's core names bring no FPU by themselves.
_LLVM_FPU = {"fpv4-sp-d16": "vfp4d16sp", "fpv5-sp-d16": "fp_armv8d16sp", "fpv5-d16": "fp_armv8d16"}


def core_flags(board: Board, kernel_set: str) -> tuple[str, ...]:
    """What any compiler is to be given for the kernels of a set (its folder) on the core of `board`."""
    return _STARTS_TWO_FLAGS.get(kernel_set, ()) if board.core.starts_two else ()


def library_flags(source: str) -> tuple[str, ...]:
    """What any compiler is to be given for a single C file of kernels that come from elsewhere."""
    return _ROUNDED_ONCE_FLAGS if source.endswith(_ROUNDED_ONCE) else ()


class ToolchainMissing(ToolchainError):
    """A compiler is not installed; others may be."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A compiler that is installed. `command` starts it as a C compiler driver; `options` are the user's own flags."""

    name: str  # "gnu" or "zig"
    version: str
    command: tuple[str, ...]
    options: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """As the user asked for it: "gnu", or with options "gnu:-O3,-funroll-loops"."""
        return f"{self.name}:{','.join(self.options)}" if self.options else self.name

    def target_flags(self, board: Board) -> tuple[str, ...]:
        """Flags that say which instructions the compiler may use: the board's core with its DSP and FPU options."""
        core = board.core
        if self.name == "gnu":
            no_dsp = "+nodsp" if core.dsp == "optional" and not board.dsp else ""
            fpu = ("-mfloat-abi=soft",) if board.fpu == "none" else ("-mfloat-abi=hard", f"-mfpu={board.fpu}")
            return (f"-mcpu={core.gcc_cpu}{no_dsp}", "-mthumb", *fpu)
        return _zig_target(board, core)

    def compile_flags(self, board: Board) -> tuple[str, ...]:
        """Everything that decides what a source file becomes, except include paths."""
        return (*self.target_flags(board), *_COMMON_FLAGS, *_OWN_FLAGS[self.name], *self.options)

    def file_flags(self, source: str, board: Board) -> tuple[str, ...]:
        """`compile_flags` for one C file: those of its kernel set are over the common ones, and the user's over both."""
        return (*self.compile_flags(board), *self.kernel_flags(source, board), *self.options)

    def kernel_flags(self, source: str, board: Board) -> tuple[str, ...]:
        """What the C file `source` ("kernels/<set>/<file>") takes besides; () for others."""
        room, _, name = source.partition("/")
        if room != "kernels":
            return ()
        kernel_set = name.partition("/")[0]
        return (*library_flags(source), *_KERNEL_FLAGS.get((self.name, kernel_set), ()), *core_flags(board, kernel_set))

    def link_command(self, board: Board, script: Path, objects: Sequence[Path], helpers: Path | None) -> list[str]:
        """The command that links `objects` by `script`; `-o` and the output are for the caller to add.

        `helpers` is an archive of the compiler's own functions (see `helper_command`).
        """
        archive = [str(helpers)] if helpers else []
        if self.name == "gnu":
            passed = [f"-Wl,{','.join((*_LINK_FLAGS, '-T', str(script)))}"]
            inputs = [*map(str, objects), "-lgcc", *archive]
            return [*self.command, *self.target_flags(board), "-nostdlib", *passed, *inputs]
        # Not through `zig cc`, which knows only some of the linker's options.
        return [self.command[0], "ld.lld", *_LINK_FLAGS, "-T", str(script), *map(str, objects), *archive]

    def helper_command(self, board: Board) -> tuple[str, ...] | None:
        """The command that makes the archive of functions that compiled code may call (soft float, long division).

        The C file that it wants (an empty one) and `-femit-bin=ARCHIVE` are for the caller to add. None where the
        compiler finds its own. Zig compiles its for each target anew, which takes seconds, so the archive is for
        images that do not link without it, and cores of one architecture share it.
        """
        if self.name == "gnu":
            return None
        core = next(core for core in CORES.values() if core.architecture == board.core.architecture)
        target = _zig_target(board, core)
        return (self.command[0], "build-lib", "-static", *target, *_HELPER_FLAGS)

    def environment(self, lasting: Path, passing: Path) -> dict[str, str]:
        """Variables to add when it is started, so that what it caches by itself stays in directories of ours.

        `lasting` gets what is worth keeping (parsed standard library), `passing` what is cached here anyway.
        """
        if self.name == "gnu":
            return {}
        return {"ZIG_GLOBAL_CACHE_DIR": str(lasting), "ZIG_LOCAL_CACHE_DIR": str(passing)}


def _zig_target(board: Board, core: Core) -> tuple[str, ...]:
    features = "+dsp" if core.dsp == "optional" and board.dsp else ""
    if board.fpu != "none":
        features += f"+{_LLVM_FPU[board.fpu]}"
    abi = "eabi" if board.fpu == "none" else "eabihf"
    return ("-target", f"thumb-freestanding-{abi}", f"-mcpu={core.zig_cpu}{features}")


def available_toolchains() -> list[Toolchain]:
    """The compilers that are installed, in the order in which "auto" prefers them."""
    found = (_find(name) for name in NAMES)
    return [toolchain for toolchain in found if toolchain is not None]


def toolchain_parts(name: str) -> tuple[str, tuple[str, ...]]:
    """The name of a compiler, installed or not, and the flags after it; raises ToolchainError for what there is not."""
    name, colon, listed = name.partition(":")
    options = tuple(listed.split(",")) if colon else ()
    for option in options:
        if not re.fullmatch(r"-[fmOW][\w=+.-]*", option):
            raise ToolchainError(
                f"{option!r} is not a compiler flag that can be chosen here",
                hint="write for example gnu:-Os or gnu:-O3,-funroll-loops",
            )
    if name not in ("auto", *NAMES):
        raise ToolchainError(f"no toolchain is called {name!r}", hint="known here: auto, " + ", ".join(NAMES))
    return name, options


def find_toolchain(name: str = "auto") -> Toolchain:
    """The compiler called `name`; "auto" is the first of `available_toolchains`.

    "gnu:-O3,-funroll-loops" adds flags, which win over the usual ones. Raises ToolchainError that says how to get one.
    """
    name, options = toolchain_parts(name)
    if options:
        return replace(find_toolchain(name), options=options)
    if name == "auto":
        found = available_toolchains()
        if found:
            return found[0]
        ways = "; or ".join(f"{each}: {_GET[each]}" for each in reversed(NAMES))
        raise ToolchainError("no compiler for Arm Cortex-M found", hint=ways)
    toolchain = _find(name)
    if toolchain is None:
        raise ToolchainMissing(f"toolchain {name!r} was asked for and is not installed", hint=_GET[name])
    return toolchain


def _find(name: str) -> Toolchain | None:
    command = _gnu_command() if name == "gnu" else _zig_command()
    if command is None:
        return None
    return Toolchain(name, _version(name, command[0]), command)


def _gnu_command() -> tuple[str, ...] | None:
    found = shutil.which("arm-none-eabi-gcc")
    return (found,) if found else None


def _zig_command() -> tuple[str, ...] | None:
    """The ziglang wheel of this Python environment, else zig on PATH."""
    spec = importlib.util.find_spec("ziglang")
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).parent / ("zig.exe" if os.name == "nt" else "zig")
        if binary.is_file():
            return (str(binary), "cc")
    found = shutil.which("zig")
    return (found, "cc") if found else None


@cache
def _version(name: str, program: str) -> str:
    """The compiler's own version, with the distributor's mark where it has one."""
    argv = (program, "--version") if name == "gnu" else (program, "version")
    other = next(each for each in NAMES if each != name)
    hint = f"install it anew, take it off PATH, or choose the other compiler ({other})"
    try:
        done = process.run(argv, timeout_s=30)
    except HarnessError as error:
        raise ToolchainError(f"compiler {name} does not work: {error.message}", hint=hint) from error
    line = next(iter(done.stdout.splitlines()), "").removeprefix("arm-none-eabi-gcc ").strip()
    if done.exit_code != 0 or not line.isprintable() or not re.search(r"\d", line):
        said = one_line(" ".join(done.output.split()))[:200] or "nothing"
        raise ToolchainError(f"compiler {name} does not work: {' '.join(argv)} says {said}", hint=hint)
    return line
