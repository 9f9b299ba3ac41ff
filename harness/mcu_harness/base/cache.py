"""The directory that keeps compiled objects, images, memory traces and converted models between runs.

An entry is named by a digest of all that went into it and appears by atomic rename, so any number of processes may
share the directory without locks, and all of it may be deleted at any time. Entries that were not used for longest
go when the directory grows beyond its limit.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base.errors import HarnessError

# Objects, archives, images, memory traces; int8 models with the conversion's record and the float model it began with.
KINDS = ("o", "a", "elf", "trace", "tflite", "conversion", "original")
_LIMIT_BYTES = 1 << 30
_ABANDONED_S = 24 * 3600.0  # scratch directories older than this belong to processes that were killed


@dataclass(frozen=True, slots=True)
class BuildCache:
    """Objects and images under `root`, which need not exist yet."""

    root: Path
    limit_bytes: int = _LIMIT_BYTES

    def entry(self, kind: str, key: str) -> Path:
        """Where the entry of that kind, one of `KINDS`, with digest `key` is, whether or not it exists."""
        return self.root / kind / key[:2] / f"{key}.{kind}"

    def has(self, path: Path) -> bool:
        """Whether the entry exists and is not empty, as a power failure leaves it; marks it as used."""
        try:
            with contextlib.suppress(PermissionError):  # a cache that is shared read-only is fine
                os.utime(path)
            return path.stat().st_size > 0
        except OSError:
            return False

    def publish(self, made: Path, target: Path) -> None:
        """Move `made`, from this cache's scratch, to its place: readers see all of it or nothing."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            made.replace(target)
        except PermissionError:  # Windows: another process made the same entry and has it open
            if not target.is_file():
                raise

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A directory of one's own, on the cache's file system, removed afterwards.

        Whatever the file system refuses while it is used (no space left) is a HarnessError that names the cache.
        """
        try:
            (self.root / "tmp").mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.root / "tmp", ignore_cleanup_errors=True) as name:
                yield Path(name).resolve()
        except OSError as cause:
            raise HarnessError(
                f"the build cache {self.root} cannot be written: {cause.strerror}",
                hint="set MCU_HARNESS_CACHE to a directory that can be written and has room",
            ) from cause

    def prune(self) -> None:
        """Remove what was not used for longest until `limit_bytes` are kept, and scratch that was left behind."""
        entries = []
        for kind in KINDS:
            for path in self.root.glob(f"{kind}/*/*"):
                with contextlib.suppress(OSError):  # another process removed it
                    status = path.stat()
                    entries.append((status.st_mtime, status.st_size, path))
        kept = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries, key=lambda entry: entry[0]):
            if kept <= self.limit_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                kept -= size
        for path in self.root.glob("tmp/*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _ABANDONED_S:
                    _remove_tree(path)


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


def _remove_tree(path: Path) -> None:
    for inner in path.iterdir():
        if inner.is_dir() and not inner.is_symlink():
            _remove_tree(inner)
        else:
            inner.unlink()
    path.rmdir()
