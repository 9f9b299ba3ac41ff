"""Frame sizes read from machine code, against what the compiler says with -fstack-usage."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mcu_harness.analysis.stack.frames import Frame, Frames
from mcu_harness.analysis.stack.static_stack import CallGraph
from mcu_harness.image.build import FIRMWARE
from mcu_harness.image.program import read_program
from sweeps import pairs

pytestmark = pytest.mark.gnu
CORES = {
    "m0+": ["-mcpu=cortex-m0plus"],
    "m3": ["-mcpu=cortex-m3"],
    "m4f": ["-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"],
    "m7": ["-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard"],
    "m33": ["-mcpu=cortex-m33"],
}
LEVELS = ("-O0", "-O1", "-O2", "-O3", "-Os")
# The programs below are compiled for every core at every level, the kernels, which take longest, for each core at one of them.
WITH_KERNELS = pairs(tuple(CORES), LEVELS)

PROGRAMS = """
#include <stdarg.h>
#include <stdint.h>
int ext(int); int ext2(void *, int); extern int (*pointer)(int); void die(void) __attribute__((noreturn));
int leaf(int x) { return x * 3 + 1; }
int large(int n) { char b[5000]; ext2(b, n); return b[n]; }
int huge(int n) { char b[70000]; ext2(b, n); return b[n]; }
int variable(int n) { char b[n]; ext2(b, n); return b[n / 2]; }
int reserved(int n) { return ext2(__builtin_alloca(n), n); }
int choice(int n) { char b[40]; ext2(b, 1); switch (n) { case 0: return ext(1); case 1: return ext(55);
    case 2: return ext(9) + 1; case 3: { char c[100]; return ext2(c, 2); } case 4: return ext(17) * 3;
    case 5: return ext(6) - n; case 6: return ext(77); case 7: return b[2]; default: return 9; } }
int many(int a, int b, int c, int d, int e, int f, int g) { return ext(a + b) + ext(c + d) + ext(e + f + g); }
int calls_many(int a) { return many(a, ext(a), 3, ext(4), 5, 6, ext(7)); }
double real(double a, double b) { return a * b + ext(1) / b; }
float reals(float a, float b, float c) { float s = 0; for (int i = 0; i < ext(2); i++) s += a * b * c + ext(i); return s; }
int early(int n) { if (n < 3) return 7; char b[64]; ext2(b, n); if (b[3]) die(); return b[1] + ext(n); }
int tail(int n) { return ext(n + 1); }
int indirect(int n) { return pointer(n) + pointer(n + 1); }
int recursive(int n) { return n ? recursive(n - 1) + ext(n) : 0; }
struct S { int a[20]; }; struct S make(int);
int structs(int n) { struct S s = make(n), t = make(n + 1); return s.a[n] + t.a[2]; }
uint64_t wide(uint64_t a, uint64_t b) { return a / b + a % b + ext(3); }
int aligned(int n) { _Alignas(32) char b[64]; ext2(b, n); return b[n]; }
int loops(int n) { int s = 0; while (n--) { if (n % 3 == 0) continue;
    if (n % 7 == 5) { char q[16]; ext2(q, n); s += q[2]; } s += ext(n); } return s; }
int labels(int n) { static void *t[] = {&&a, &&b, &&c}; char x[24]; ext2(x, n); goto *t[n];
    a: return ext(1); b: return ext(2) + x[1]; c: return 5 + x[0]; }
// What the compiler leaves out of its figure: the four registers that a variadic function saves for its arguments.
int variadic(const char *f, ...) { va_list l; va_start(l, f); int s = va_arg(l, int) + va_arg(l, int); va_end(l);
    return s + ext(s); }
"""


def compiled(folder: Path, sources: list[Path], flags: list[str]) -> tuple[Path, dict[str, set[tuple[int, bool]]]]:
    """A linked image, and by function the compiler's figures: bytes, and whether they are all."""
    compiler = shutil.which("arm-none-eabi-gcc")
    assert compiler is not None
    objects, said = [], {}
    includes = [f"-I{FIRMWARE / name}" for name in ("include", "runtime")]
    for source in sources:
        made = folder / f"{source.parent.name}_{source.stem}.o"
        command = [compiler, *flags, "-mthumb", "-ffreestanding", "-fstack-usage", *includes, "-c", source, "-o", made]
        subprocess.run(command, check=True, capture_output=True)
        objects.append(made)
        for line in made.with_suffix(".su").read_text().splitlines():
            place, nbytes, kind = line.split("\t")
            said.setdefault(place.split(":")[-1], set()).add((int(nbytes), kind == "static"))
    image = folder / "image.elf"
    options = "-Wl,--unresolved-symbols=ignore-all,--allow-multiple-definition,-e,0,-Ttext=0x08000000"
    subprocess.run([compiler, *flags, "-mthumb", "-nostdlib", options, *objects, "-o", image], check=True)
    return image, said


def frames_of(image: Path) -> dict[str, Frame]:
    program = read_program(image)
    frames = Frames(program)
    return {symbol.name: frames.at(symbol.address) for symbol in program.symbols if symbol.kind == "function"}


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("level", LEVELS)
def test_frames_are_what_the_compiler_says(tmp_path: Path, core: str, level: str) -> None:
    programs = tmp_path / "programs.c"
    programs.write_text(PROGRAMS)
    kernels = sorted((FIRMWARE / "kernels" / "portable").glob("*.c")) if (core, level) in WITH_KERNELS else []
    image, said = compiled(tmp_path, [programs, *kernels, FIRMWARE / "runtime/startup.c"], [*CORES[core], level])
    found = {name: frame for name, frame in frames_of(image).items() if name in said}
    assert len(found) > (40 if kernels else 20)
    assert len(found) > len(kernels)
    assert found.pop("variadic").deepest in {nbytes + 16 for nbytes, _ in said["variadic"]}
    wrong = {
        name: (frame.deepest, frame.unknown, said[name])
        for name, frame in found.items()
        if (frame.deepest, not frame.unknown) not in said[name]
        and not (frame.unknown and (0, False) not in said[name] and not all(whole for _, whole in said[name]))
    }
    assert wrong == {}
    assert found["variable"].unknown and found["reserved"].unknown and not found["choice"].unknown


def test_calls_are_seen_at_their_depth(tmp_path: Path) -> None:
    code = tmp_path / "calls.c"
    code.write_text(
        "int b(int); int (*p)(int);\n"
        "__attribute__((noinline)) int c(int x) { volatile char t[24]; t[1] = x; return t[1]; }\n"
        "__attribute__((noinline)) int tail(int x) { return c(x + 1); }\n"
        "int a(int x) { volatile char t[40]; t[2] = x; return tail(x) + p(x) + t[2]; }\n"
        "int b(int x) { return x ? a(x) + b(x - 1) * b(x - 2) : 0; }\n"
    )
    image, said = compiled(tmp_path, [code], [*CORES["m4f"], "-O1", "-fno-ipa-icf", "-foptimize-sibling-calls"])
    program = read_program(image)
    frames = Frames(program)
    graph = CallGraph(program, frames)
    tail = frames.at(program.symbol("tail").address)
    assert [(site.target, site.depth, site.tail) for site in tail.calls] == [(program.symbol("c").address, 0, True)]
    size = {name: next(iter(figures))[0] for name, figures in said.items()}
    worst = graph.worst(program.symbol("a").address)
    assert worst.nbytes == size["a"] + size["c"]
    assert [step.function for step in worst.path] == ["a", "tail", "c"]
    assert sum(step.nbytes for step in worst.path) == worst.nbytes
    assert worst.open_ends == ("a calls through a pointer",)
    recursive = graph.worst(program.symbol("b").address)
    assert recursive.nbytes == size["b"] + worst.nbytes
    assert set(recursive.open_ends) == {"a calls through a pointer", "b is recursive"}
