"""On which kind of file system a folder lies, as Linux tells."""

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
# Other machines may write to these, unseen by the memory that SQLite's WAL shares on one machine.
NETWORK = frozenset(
    {
        "afs", "beegfs", "ceph", "cifs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3",
        "smbfs", "fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys", "fuse.juicefs",
        "fuse.rclone", "fuse.s3fs", "fuse.sshfs",
    }
)  # fmt: skip
ESCAPED = re.compile(r"\\([0-7]{3})")


def network_file_system(folder: Path) -> str:
    """The kind of network file system that an absolute path lies on; "" on none, or if unknown."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found = ""
    longest = -1
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) < 5 or not kinds:
            continue
        place = Path(ESCAPED.sub(lambda one: chr(int(one[1], 8)), fields[4]))
        # The last of those mounted at one place hides the others.
        if folder.is_relative_to(place) and len(place.parts) >= longest:
            found, longest = kinds[0], len(place.parts)
    return found if found in NETWORK else ""
