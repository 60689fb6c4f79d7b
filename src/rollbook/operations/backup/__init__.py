"""Back up an installation, and restore it."""

from rollbook.operations.backup.last import LastBackup, last_backup

__all__ = ["LastBackup", "last_backup"]
