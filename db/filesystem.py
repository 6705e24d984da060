"""Where a store's file lies: its permissions, and whether the folder is a network share."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path, PurePath, PurePosixPath

# fmt: off
NETWORK = frozenset((
    "9p-drvfs", "afp", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.ceph", "fuse.davfs2",
    "fuse.glusterfs", "fuse.goofys", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "macfuse",
    "ncp", "ncpfs", "nfs", "nfs4", "orangefs", "osxfuse", "panfs", "pvfs2", "smb2", "smb3", "smbfs", "webdav",
))
# fmt: on
DRIVE_REMOTE = 4  # what Windows' GetDriveType says of a network drive


def network_file_system(path: Path) -> str | None:
    """The kind of network share that `path` (which need not exist) lies on, or None for a disk of this machine."""
    real = path.resolve()
    if sys.platform == "win32":
        return _windows(real)
    if sys.platform == "darwin":
        listing = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False).stdout
        kind = mac_file_system(real, listing)
    else:
        mounts = Path("/proc/self/mountinfo")
        kind = linux_file_system(real, mounts.read_text(encoding="utf-8")) if mounts.exists() else None
    return kind if kind in NETWORK else None


def linux_file_system(path: PurePath, mountinfo: str) -> str | None:
    """The type of the file system that holds the path, by the text of /proc/self/mountinfo.

    '9p-drvfs' is WSL's view of a Windows drive, on which SQLite's locks fail as they do on a share.
    """
    found: list[tuple[PurePath, str]] = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) > 4 and kind[0]:
            point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4])
            drive = kind[0] == "9p" and "aname=drvfs" in after
            found.append((PurePosixPath(point), "9p-drvfs" if drive else kind[0]))
    return _holding(path, found)


def mac_file_system(path: PurePath, listing: str) -> str | None:
    """The same by the text that macOS' `mount` prints."""
    lines = re.findall(r"^.+? on (.+) \(([^,)]+)[^)]*\)$", listing, flags=re.MULTILINE)
    return _holding(path, [(PurePosixPath(point), kind) for point, kind in lines])


def _holding(path: PurePath, mounts: list[tuple[PurePath, str]]) -> str | None:
    """The type of the deepest mount above the path; of two on the same point, the later one hides the earlier."""
    above = [(len(point.parts), i, kind) for i, (point, kind) in enumerate(mounts) if path.is_relative_to(point)]
    return max(above)[2] if above else None


def _windows(path: Path) -> str | None:
    if sys.platform == "win32":
        import ctypes

        if path.drive.startswith("\\\\"):
            return "Windows share"
        if ctypes.windll.kernel32.GetDriveTypeW(f"{path.drive}\\") == DRIVE_REMOTE:
            return "Windows network drive"
    return None


def keep_private(path: Path, *, create: bool) -> None:
    """Make the file readable by its owner alone (mode 0600), and SQLite's files beside it, which take its mode."""
    if create and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    if os.name != "posix":
        return
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        if file.exists() and file.stat().st_mode & 0o077:
            file.chmod(0o600)
