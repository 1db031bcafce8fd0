"""Backups: the whole database and the audit anchors in a folder, and the way back into an empty database."""

from portal.backups.core import back_up, restore
from portal.backups.manifest import BackupFailed, Manifest

__all__ = ["BackupFailed", "Manifest", "back_up", "restore"]
