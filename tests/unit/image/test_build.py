from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from mcu_harness.base import process
from mcu_harness.base.cache import KINDS, BuildCache, default_root, digest
from mcu_harness.base.errors import BoardError, BuildError, HarnessError
from mcu_harness.hardware.board import Board, RegisterStep
from mcu_harness.image.build import Image, build
from mcu_harness.image.footprint import read_footprint
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import Toolchain
from sample_boards import FLASH, SRAM, board, memory
from sample_firmware import firmware

COUNTING = firmware("count++;", declarations="volatile uint32_t count = 3;")


def count(cache: Path, kind: str) -> int:
    return len(list(cache.glob(f"{kind}/*/*")))


def test_the_second_build_comes_from_the_cache_and_starts_no_compiler(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    real = process.run
    monkeypatch.setattr(process, "run", lambda argv, *rest, **more: started.append(argv) or real(argv, *rest, **more))
    first = build(COUNTING, board(), toolchain, tmp_path)
    assert started
    started.clear()
    made = first.elf.stat().st_ino
    second = build(COUNTING, board(), toolchain, tmp_path)
    assert first == second and first.elf.stat().st_ino == made
    assert not started
    assert not list((tmp_path / "tmp").iterdir())


def test_the_image_says_what_made_it(toolchain: Toolchain, tmp_path: Path) -> None:
    image = build(COUNTING, board("cortex-m4", "fpv4-sp-d16"), toolchain, tmp_path)
    assert (image.toolchain.name, image.toolchain.version) == (toolchain.name, toolchain.version)
    assert "-O2" in image.toolchain.flags
    assert not any("/" in flag for flag in image.toolchain.flags), "flags are compared between machines"


def test_boards_with_one_target_share_objects(toolchain: Toolchain, tmp_path: Path) -> None:
    build(COUNTING, board(), toolchain, tmp_path)
    objects = count(tmp_path, "o")
    smaller = board(
        memories=(memory("flash", "flash", 0, 1 << 15), memory("sram", "ram", 0x1000_0000, 1 << 13)),
        base=0x4000_1000,
        enable=(RegisterStep(0x4002_0000, 1),),
    )
    build(COUNTING, smaller, toolchain, tmp_path)
    assert (count(tmp_path, "o"), count(tmp_path, "elf")) == (objects, 2)
    build(COUNTING, board("cortex-m3"), toolchain, tmp_path)
    assert count(tmp_path, "o") == 2 * objects


def test_a_changed_header_compiles_everything_anew(toolchain: Toolchain, tmp_path: Path) -> None:
    declarations = '#include "size.h"\nvolatile uint32_t table[SIZE];'
    for size in (4, 8):
        sources = firmware("table[0]++;", declarations=declarations, **{"size.h": f"#define SIZE {size}\n"})
        image = build(sources, board(), toolchain, tmp_path)
        assert read_program(image.elf).symbol("table").size == 4 * size


def test_a_compile_error_names_file_line_compiler_and_command(toolchain: Toolchain, tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        build(firmware("return unknown_thing;"), board(), toolchain, tmp_path)
    message = caught.value.message
    assert message.startswith("generated/model.c:4: does not compile: " + toolchain.command[0])
    assert "unknown_thing" in message and "-mcpu=cortex" in message
    assert count(tmp_path, "elf") == 0 and not list((tmp_path / "tmp").iterdir())


def test_a_link_error_names_what_is_missing(toolchain: Toolchain, tmp_path: Path) -> None:
    sources = firmware("missing_function();", declarations="void missing_function(void);")
    with pytest.raises(BuildError, match="the firmware does not link") as caught:
        build(sources, board(), toolchain, tmp_path)
    assert "missing_function" in caught.value.message


def test_an_unknown_console_driver_is_an_error_with_the_known_ones(toolchain: Toolchain, tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"sample\.toml: console\.driver: no driver is called 'telegraph'") as caught:
        build(COUNTING, board(driver="telegraph"), toolchain, tmp_path)
    assert "semihosting" in caught.value.hint


def test_the_same_sources_give_the_same_bytes_anywhere(toolchain: Toolchain, tmp_path: Path) -> None:
    images = [build(COUNTING, board(), toolchain, tmp_path / name) for name in ("here", "some where, else/é")]
    assert images[0].build_id == images[1].build_id
    assert images[0].elf.read_bytes() == images[1].elf.read_bytes()
    assert str(tmp_path).encode() not in images[0].elf.read_bytes()


def test_debug_information_names_sources_by_their_place_in_the_project(toolchain: Toolchain, tmp_path: Path) -> None:
    content = build(COUNTING, board(), toolchain, tmp_path).elf.read_bytes()
    assert b"model.c" in content and b"startup.c" in content


def test_firmware_that_does_not_fit_still_links_and_says_by_how_much(toolchain: Toolchain, tmp_path: Path) -> None:
    declarations = "const uint8_t weights[100000] = {1}; uint8_t arena[20000]; volatile uint32_t at;"
    sources = firmware("arena[at] = weights[at];", declarations=declarations)
    image = build(sources, board(), toolchain, tmp_path)
    program = read_program(image.elf)
    footprint = read_footprint(program, board())
    over = {region.region: region.used - region.capacity for region in footprint.regions}
    assert over["flash"] == footprint.flash_bytes - (64 << 10) > 34_000
    assert over["sram"] == footprint.ram_bytes - (16 << 10) > 3_600
    assert footprint.outside == ()
    assert program.symbol("__stack_top").address == SRAM + (16 << 10), "the stack begins at the board's real end"


def adjoining_memories() -> Board:
    return board(
        memories=(memory("rom", "ram", SRAM - 0x1000, 0x1000), memory("sram", "ram", SRAM, 0x4000)), code="rom"
    )


def test_code_that_outgrows_into_the_data_still_links(toolchain: Toolchain, tmp_path: Path) -> None:
    sources = firmware("at = weights[at];", declarations="const uint8_t weights[9000] = {1}; volatile uint32_t at;")
    assert build(sources, adjoining_memories(), toolchain, tmp_path).elf.is_file()


def test_code_and_data_can_share_one_memory(toolchain: Toolchain, tmp_path: Path) -> None:
    one = board(memories=(memory("sram", "ram", SRAM, 0x4000),), code="sram")
    program = read_program(build(COUNTING, one, toolchain, tmp_path).elf)
    assert all(section.load_address == section.address for section in program.sections)
    footprint = read_footprint(program, one)
    assert footprint.regions[0].used == footprint.ram_bytes < 0x1000


def test_the_image_begins_where_the_board_says(toolchain: Toolchain, tmp_path: Path) -> None:
    program = read_program(build(COUNTING, board(vector_offset=0x2000), toolchain, tmp_path).elf)
    assert program.symbol("mcu_vectors").address == program.segments[0].address == FLASH + 0x2000


def test_helpers_of_the_compiler_are_found(toolchain: Toolchain) -> None:
    sources = firmware("f = f * f / 3.0f; d = d / f; n = n / (int64_t)d; m = m % 7u;", declarations=(
        "volatile float f = 1.5f; volatile double d = 2.5; volatile int64_t n = 9; volatile uint64_t m = 9;"
    ))  # fmt: skip
    image = build(sources, board("cortex-m0"), toolchain)  # in the user's cache: zig takes seconds to make them
    assert read_footprint(read_program(image.elf), board()).outside == ()


def _build_in_process(arguments: tuple[Toolchain, Path]) -> bytes:
    toolchain, cache = arguments
    return build(COUNTING, board(), toolchain, cache).elf.read_bytes()


def test_many_processes_may_build_the_same_thing_at_once(toolchain: Toolchain, tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        results = pool.map(_build_in_process, [(toolchain, tmp_path)] * 6, chunksize=1)
    assert len(set(results)) == 1
    assert count(tmp_path, "elf") == 1 and not list((tmp_path / "tmp").iterdir())


def test_a_cache_that_cannot_be_written_is_an_error_with_the_way_out(toolchain: Toolchain, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HarnessError, match="cannot be written") as caught:
        build(COUNTING, board(), toolchain, tmp_path / "file" / "cache")
    assert "MCU_HARNESS_CACHE" in caught.value.hint


def test_the_cache_lies_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "mine"))
    assert default_root() == tmp_path / "mine"
    monkeypatch.delenv("MCU_HARNESS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root() == tmp_path / "xdg" / "mcu-harness"


def published(cache: BuildCache, kind: str, key: str, content: bytes) -> Path:
    path = cache.entry(kind, digest([key]))
    with cache.scratch() as scratch:
        (scratch / "made").write_bytes(content)
        cache.publish(scratch / "made", path)
    return path


def filled_cache(root: Path, limit_bytes: int, kind: str = "elf") -> tuple[BuildCache, list[Path]]:
    cache = BuildCache(root, limit_bytes)
    paths = [published(cache, kind, str(nth), bytes(100)) for nth in range(4)]
    for nth, path in enumerate(paths):
        os.utime(path, (nth, nth))
    return cache, paths


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_not_used_for_longest_goes_first(tmp_path: Path, kind: str) -> None:
    cache, paths = filled_cache(tmp_path, 200, kind)
    assert cache.has(paths[0]), "which makes it the newest"
    cache.prune()
    assert [path.is_file() for path in paths] == [True, False, False, True]


def test_what_another_process_has_begun_to_use_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, paths = filled_cache(tmp_path, 200)
    entries = cache._entries

    def and_used(kind: str) -> list[tuple[os.stat_result, Path]]:
        found = list(entries(kind))
        if kind == "elf":
            assert cache.has(paths[0])  # as a build does that goes on to link it
        return found

    monkeypatch.setattr(BuildCache, "_entries", lambda _self, kind: and_used(kind))
    cache.prune()
    assert [path.is_file() for path in paths] == [True, False, False, True]


def test_within_its_limit_nothing_goes(tmp_path: Path) -> None:
    cache, paths = filled_cache(tmp_path, 400)
    cache.prune()
    assert all(path.is_file() for path in paths)


def test_scratch_of_killed_processes_goes_after_a_day(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    with cache.scratch() as killed:
        pass
    with cache.scratch() as fresh:
        (killed / "source").mkdir(parents=True)
        (killed / "source" / "x.c").write_text("")
        os.utime(killed, (0, 0))
        cache.prune()
        assert fresh.is_dir() and not killed.exists()


def test_files_of_others_stay_whatever_their_age_and_links_lead_nowhere(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    cache = BuildCache(tmp_path / "cache", limit_bytes=0)
    entry = published(cache, "elf", "x", b"content")
    with cache.scratch() as scratch:
        name = scratch.name
    theirs = [
        mine / "thesis" / "chapter.tex",
        mine / "aa" / entry.name,
        cache.root / "tmp" / "my-work" / "notes.txt",
        cache.root / "elf" / "zz" / "firmware.elf",
        cache.root / "elf" / "zz" / f"{entry.stem}.elf.bak",
        cache.root / "notes.elf",
    ]
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("somebody's work")
        for old in (path, path.parent):
            os.utime(old, (0, 0))
    links = [
        (cache.root / "tmp" / f"{name}x", mine / "thesis"),
        (cache.root / "o", mine),
        (cache.root / "a" / "aa", mine / "aa"),
    ]
    for link, target in links:
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(target)
        os.utime(link, (0, 0), follow_symlinks=False)
    cache.prune()
    assert not entry.exists(), "it was over the limit"
    assert all(path.read_text() == "somebody's work" for path in theirs)
    assert all(link.is_symlink() for link, _ in links)


def test_a_cache_whose_folder_of_scratch_is_a_link_removes_nothing_there(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "cache")
    with cache.scratch() as scratch:
        pass
    elsewhere = tmp_path / "elsewhere" / scratch.name
    elsewhere.mkdir(parents=True)
    os.utime(elsewhere, (0, 0))
    (cache.root / "tmp").rmdir()
    (cache.root / "tmp").symlink_to(elsewhere.parent)
    cache.prune()
    assert elsewhere.is_dir()


def test_an_image_is_a_value(toolchain: Toolchain, tmp_path: Path) -> None:
    image = build(COUNTING, board(), toolchain, tmp_path)
    assert isinstance(image, Image) and image.elf.parent.parent.parent == tmp_path
    assert len(image.build_id) == 64


def fake_compiler(folder: Path, body: str) -> Toolchain:
    program = folder / "cc"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return Toolchain("gnu", "1", (str(program),))


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("exit 0", "not written, although nothing was reported"),
        ('while [ $# -gt 1 ]; do [ "$1" = -o ] && : > "$2"; shift; done', "not written"),
        ("kill -SEGV $$", "was killed by signal 11"),
        ("head -c 300000 /dev/zero | tr '\\0' x; exit 1", "does not compile"),
    ],
)
def test_a_compiler_that_misbehaves_is_one_short_error_and_nothing_is_kept(
    tmp_path: Path, body: str, said: str
) -> None:
    with pytest.raises(BuildError, match=said) as caught:
        build(COUNTING, board(), fake_compiler(tmp_path, body), tmp_path / "cache")
    assert len(str(caught.value)) < 10_000
    assert not count(tmp_path / "cache", "o") and not list((tmp_path / "cache" / "tmp").iterdir())


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_an_interrupt_ends_compilers_that_hang(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    toolchain = fake_compiler(tmp_path, f"echo $$ >> {note}; sleep 60; touch {tmp_path}/ended")

    def interrupt() -> None:
        while not (note.is_file() and note.read_text()):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        build(COUNTING, board(), toolchain, tmp_path / "cache")
    assert not (tmp_path / "ended").exists()
    for pid in note.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
    assert not list((tmp_path / "cache" / "tmp").iterdir())


def test_a_full_disk_is_an_error_that_names_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(HarnessError, match="No space left") as caught:
        build(COUNTING, board(), Toolchain("gnu", "1", ("cc",)), tmp_path / "cache")
    assert str(tmp_path / "cache") in caught.value.message and "MCU_HARNESS_CACHE" in caught.value.hint


def test_an_entry_that_was_damaged_or_never_finished_is_none(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    entry = published(cache, "elf", "x", bytes(1000))
    assert cache.has(entry)
    damaged = bytearray(1000)
    damaged[500] ^= 1
    for content in (b"", bytes(999), bytes(damaged)):
        entry.write_bytes(content)
        assert not cache.has(entry)
    entry.write_bytes(bytes(1000))
    assert cache.has(entry)
    entry.unlink()
    assert not cache.has(entry)


@pytest.mark.parametrize("kind", ["elf", "o"])
def test_a_flipped_bit_in_the_cache_is_built_anew(toolchain: Toolchain, tmp_path: Path, kind: str) -> None:
    right = build(COUNTING, board(), toolchain, tmp_path).elf.read_bytes()
    paths = sorted(tmp_path.glob(f"{kind}/*/*"))
    for path in paths:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0x10
        path.write_bytes(content)
    if kind == "o":
        (elf,) = tmp_path.glob("elf/*/*")
        elf.unlink()
    again = build(COUNTING, board(), toolchain, tmp_path)
    assert paths and again.elf.read_bytes() == right


def test_a_warm_cache_on_a_disk_that_cannot_be_written_is_used(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(COUNTING, board(), toolchain, tmp_path)

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("utime", "mkdir", "rename", "replace"):
        monkeypatch.setattr(os, name, read_only)
    assert build(COUNTING, board(), toolchain, tmp_path) == first


def test_without_a_home_the_error_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("MCU_HARNESS_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(HarnessError, match="no home directory") as caught:
        default_root()
    assert "MCU_HARNESS_CACHE" in caught.value.hint
