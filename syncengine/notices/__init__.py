"""Telling people: notices are rows first, and are sent from there by whichever worker comes by.

Others call `raise_notice` in the transaction of what they tell of, and `close_notices` when its cause is gone.
"""

from syncengine.notices.kinds import Kind
from syncengine.notices.raising import close_notices, raise_notice, tell_once

__all__ = ["Kind", "close_notices", "raise_notice", "tell_once"]
