"""Where a ledger may live: on a local file system (ST-02)."""

from __future__ import annotations

from pathlib import Path

from controller.store.errors import LedgerDamaged

NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "fuse.sshfs",
    "fuse.rclone",
    "davfs",
}
"""File systems whose locks and syncs SQLite cannot rely on (sqlite.org/howtocorrupt §2.1)."""

MOUNTS = Path("/proc/self/mounts")


def file_system(folder: Path, mounts: str) -> str:
    """The type of the file system `folder` is on, by a mount table as Linux writes it; "" when it is not listed."""
    best, kind = "", ""
    wanted = f"{folder}/"
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ").rstrip("/") + "/"
        if wanted.startswith(point) and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def refuse_network(folder: Path) -> None:
    """Raise when `folder` is on a network file system; silent where the system does not tell (not Linux)."""
    if not MOUNTS.exists():
        return
    kind = file_system(folder.resolve(), MOUNTS.read_text("utf-8", errors="replace"))
    if kind in NETWORK:
        raise LedgerDamaged(
            f"{folder} is on a network file system ({kind}), where a commit is not durable. "
            "Choose a data directory on a disk of this computer (--data)."
        )
