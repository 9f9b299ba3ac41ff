"""The directory that keeps compiled objects, images, memory traces and converted models between runs.

An entry is named by a digest of all that went into it and appears by atomic rename, so any number of processes may
share the directory without locks, and all of it may be deleted at any time. Entries that were not used for longest
go when the directory grows beyond its limit. Beside each lies the digest of its content, so that one that a disk has
damaged is made again. Somebody else's files may lie in the directory: what does not carry a name of ours is left alone,
and nothing is reached through a link.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base.errors import HarnessError

# Objects, archives, images, memory traces, answers of the oracle; compiled hooks of the emulator; int8 models with the conversion's record and the float model
# it began with.
KINDS = ("o", "a", "elf", "trace", "answer", "tflite", "conversion", "original", "hook")
_LIMIT_BYTES = 1 << 30
_ABANDONED_S = 24 * 3600.0  # scratch directories older than this belong to processes that were killed
_SCRATCH = "mcu-harness-scratch-"


@dataclass(frozen=True, slots=True)
class BuildCache:
    """Objects and images under `root`, which need not exist yet."""

    root: Path
    limit_bytes: int = _LIMIT_BYTES

    def entry(self, kind: str, key: str) -> Path:
        """Where the entry of that kind, one of `KINDS`, with digest `key` is, whether or not it exists."""
        return self.root / kind / key[:2] / f"{key}.{kind}"

    def has(self, path: Path) -> bool:
        """Whether the entry exists as it was published; marks it as used."""
        try:
            if path.stat().st_size == 0 or _content_digest(path) != self._sum(path).read_text(encoding="ascii"):
                return False
        except (OSError, ValueError):
            return False
        with contextlib.suppress(OSError):  # a cache that is shared read-only is fine
            os.utime(path)
        return True

    def publish(self, made: Path, target: Path) -> None:
        """Move `made`, from this cache's scratch, to its place: readers see all of it or nothing."""
        total = self._sum(target)
        written = made.with_name(f"{made.name}.sum")
        written.write_text(_content_digest(made), encoding="ascii")
        for folder in (target.parent, total.parent):
            folder.mkdir(parents=True, exist_ok=True)
        written.replace(total)
        try:
            made.replace(target)
        except PermissionError:  # Windows: another process made the same entry and has it open
            if not target.is_file():
                raise

    def _sum(self, entry: Path) -> Path:
        """Where the digest of an entry's content lies."""
        return self.root / "sum" / entry.parent.name / entry.name

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A directory of one's own, on the cache's file system, removed afterwards.

        Whatever the file system refuses while it is used (no space left) is a HarnessError that names the cache.
        """
        try:
            (self.root / "tmp").mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(
                dir=self.root / "tmp", prefix=_SCRATCH, ignore_cleanup_errors=True
            ) as name:
                yield Path(name).resolve()
        except OSError as cause:
            raise HarnessError(
                f"the build cache {self.root} cannot be written: {cause.strerror}",
                hint="set MCU_HARNESS_CACHE to a directory that can be written and has room",
            ) from cause

    def prune(self) -> None:
        """Remove what was not used for longest until `limit_bytes` are kept, and scratch that was left behind."""
        entries = [found for kind in KINDS for found in self._entries(kind)]
        kept = sum(status.st_size for status, _ in entries)
        for status, path in sorted(entries, key=lambda entry: entry[0].st_mtime):
            if kept <= self.limit_bytes:
                break
            with contextlib.suppress(OSError):
                if (
                    path.stat().st_mtime != status.st_mtime
                ):  # another process has begun to use it since it was looked at
                    continue
                path.unlink()
                kept -= status.st_size
                self._sum(path).unlink()
        for entry in _real_folders(self.root / "tmp"):
            with contextlib.suppress(OSError):
                age = time.time() - entry.stat(follow_symlinks=False).st_mtime
                if entry.name.startswith(_SCRATCH) and age > _ABANDONED_S:
                    shutil.rmtree(entry.path)

    def _entries(self, kind: str) -> Iterator[tuple[os.stat_result, Path]]:
        """Everything of one kind that this cache has put there: by its name, and not through links."""
        ours = re.compile(rf"[0-9a-f]{{64}}\.{kind}")
        for folder in _real_folders(self.root / kind):
            with contextlib.suppress(OSError), os.scandir(folder.path) as found:  # another process removed it
                for entry in found:
                    if ours.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                        yield entry.stat(follow_symlinks=False), Path(entry.path)


def _real_folders(path: Path) -> list[os.DirEntry[str]]:
    """The folders in `path` that are no links; [] where `path` is one, or is not there."""
    if path.is_symlink():
        return []
    try:
        with os.scandir(path) as found:
            return [entry for entry in found if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def default_root() -> Path:
    """MCU_HARNESS_CACHE, else `mcu-harness` in the user's cache directory; raises HarnessError without either."""
    chosen = os.environ.get("MCU_HARNESS_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        return (Path(base) if base else Path.home() / ".cache") / "mcu-harness"
    except RuntimeError as cause:  # a user id without a name, as containers have it
        raise HarnessError(
            "there is no home directory to keep the build cache in", hint="set HOME or MCU_HARNESS_CACHE"
        ) from cause


def digest(parts: Iterable[str | bytes]) -> str:
    """sha256 over length-prefixed parts, so that no two lists share a digest by being cut differently."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.hexdigest()


def _content_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
