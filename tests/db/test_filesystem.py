from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath

import pytest

from db import filesystem
from db.filesystem import linux_file_system, mac_file_system, network_file_system

LINUX = r"""
22 28 0:21 / /proc rw,nosuid shared:5 - proc proc rw
28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 28 0:40 / /home rw,relatime shared:20 - nfs4 files:/home rw,vers=4.2
41 40 8:2 / /home/ada/local rw - xfs /dev/sdb1 rw
42 28 0:42 / /mnt/two\040words rw - cifs //server/share rw
43 28 0:43 / /mnt/over rw - ext4 /dev/sdc1 rw
44 43 0:44 / /mnt/over rw - fuse.sshfs ada@host: rw
45 28 0:45 / /mnt/c rw,noatime - 9p C:\134 rw,dirsync,aname=drvfs;path=C:\;uid=0
46 28 0:46 / /plan9 rw - 9p share rw,trans=virtio
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/x", "ext4"),
        ("/home/ada/socialite", "nfs4"),
        ("/home/ada/local/socialite", "xfs"),
        ("/homework", "ext4"),
        ("/mnt/two words/x", "cifs"),
        ("/mnt/over/x", "fuse.sshfs"),
        ("/mnt/c/Users", "9p-drvfs"),
        ("/plan9/x", "9p"),
    ],
)
def test_the_deepest_and_latest_mount_counts(path: str, kind: str) -> None:
    assert linux_file_system(PurePosixPath(path), LINUX) == kind


def test_a_listing_without_the_path_says_nothing() -> None:
    assert linux_file_system(PurePosixPath("/x"), "") is None
    assert linux_file_system(PurePosixPath("/x"), "one two three\n") is None


def test_macos_mounts_are_read() -> None:
    listing = (
        "/dev/disk3s1 on / (apfs, sealed, local)\n"
        "//ada@server/share on /Volumes/share (smbfs, nodev, nosuid)\n"
        "map auto_home on /System/Volumes/Data/home (autofs)\n"
    )
    assert mac_file_system(PurePosixPath("/Volumes/share/x"), listing) == "smbfs"
    assert mac_file_system(PurePosixPath("/Users/ada"), listing) == "apfs"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_proc_is_asked_of_the_real_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = f"1 1 0:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / {tmp_path.resolve()}/share rw - nfs host:/x rw\n"
    real = Path.read_text
    monkeypatch.setattr(
        Path, "read_text", lambda path, **k: mounts if str(path) == "/proc/self/mountinfo" else real(path, **k)
    )
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    assert network_file_system(tmp_path / "link" / "not-yet" / "a.sqlite") == "nfs"
    assert network_file_system(tmp_path / "a.sqlite") is None


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_files_are_made_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    old, new = tmp_path / "old.sqlite", tmp_path / "sub" / "new.sqlite"
    for name in ("old.sqlite", "old.sqlite-wal", "old.sqlite-shm"):
        (tmp_path / name).write_bytes(b"")
        (tmp_path / name).chmod(0o644)
    filesystem.keep_private(old, create=True)
    filesystem.keep_private(new, create=True)
    assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("old*")} == {
        "old.sqlite": 0o600,
        "old.sqlite-wal": 0o600,
        "old.sqlite-shm": 0o600,
    }
    assert new.stat().st_mode & 0o777 == 0o600
    assert new.parent.stat().st_mode & 0o777 == 0o700
