"""What `manage.py doctor` looks at: one function per check, each with a deadline and a hint when something is wrong."""

from portal.doctor import database, here, network
from portal.doctor.checks import Finding, State, examine

CHECKS = (*here.CHECKS, *database.CHECKS, *network.CHECKS)

__all__ = ["CHECKS", "Finding", "State", "examine"]
