"""Files that Git LFS left a note in place of."""

from __future__ import annotations

from pathlib import Path

LFS_POINTER = b"version https://git-lfs"
LFS_PULL = "run `git lfs pull` in its repository, or download the file from its page"


def is_lfs_pointer(path: Path) -> bool:
    """Whether `path` is such a note; not for a folder, or what cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(LFS_POINTER)) == LFS_POINTER
    except OSError:
        return False
