"""What django-q2 runs: one task, which does whatever is due and ends before the broker's time-out.

The message carries nothing; all state is in our tables. A task that is lost, repeated or killed does no harm.
"""

from __future__ import annotations

import structlog
from django.conf import settings

from syncengine import tracing
from syncengine.engine.due import work_off
from syncengine.engine.work import Deadline

log = structlog.get_logger(__name__)

MARGIN_SECONDS = 60


def work() -> None:
    """Work off what is due. Catches everything, SystemExit too: the broker would run the task again for ever."""
    try:
        work_off(Deadline(settings.Q_CLUSTER["timeout"] - MARGIN_SECONDS))
    except BaseException:
        log.exception("work_failed")
    finally:
        tracing.flush()
