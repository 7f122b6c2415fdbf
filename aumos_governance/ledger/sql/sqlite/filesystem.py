"""Detection of network file systems, on which SQLite's locks are not safe, by the mounts that Linux lists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_NETWORK: Final = re.compile(
    r"(nfs\d?|cifs|smb\w*|smbfs|afs|ncpfs|9p|lustre|gpfs|ceph|glusterfs|ocfs2|beegfs|pvfs2|orangefs|panfs"
    r"|fuse\.(sshfs|glusterfs|ceph\S*|s3fs|gcsfuse|rclone|mfs|moosefs|juicefs|goofys|blobfuse2?|smb\S*|cifs\S*|nfs\S*))"
)


def network_filesystem(path: Path, mounts: Path = Path("/proc/mounts")) -> str | None:
    """Return the type of the network file system that ``path`` lies on, such as ``nfs4``.

    Return None if the file system is local, or if its type cannot be found out, as on other systems than Linux.
    ``mounts`` is the file with the list of mounts.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    place = path.expanduser().resolve()
    best, kind = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[1]))
        # Of two mounts on the same folder, the later one hides the earlier.
        if (place == point or point in place.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind if _NETWORK.fullmatch(kind) else None
