"""What root made in the desk's folder is given to whom the folder belongs to.

An admin works as root, the service as a user of its own (systemd's DynamicUser): a database or a key that root made
would be closed to the daemon. SQLite gives its own side files the database's owner; this does the rest.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def hand_over(folder: Path) -> None:
    """Give root's own files in `folder` to its owner. Does nothing unless root runs it and another owns the folder."""
    if os.geteuid() != 0:
        return
    try:
        owner = folder.stat()
        if owner.st_uid == 0:
            return
        for entry in os.scandir(folder):
            found = entry.stat(follow_symlinks=False)
            if found.st_uid == 0 and stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
                os.chown(entry.path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    except FileNotFoundError:
        return  # no folder yet, or a side file that SQLite has just removed
