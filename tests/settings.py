"""The portal's settings as the tests need them, in a fresh clone too, where there are no keys yet.

The environment wins, so that the same tests run on PostgreSQL: `DATABASE_URL=postgres://… pytest`.
"""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "secret-key-of-the-tests")
os.environ.setdefault("FERNET_KEYS", "fernet-key-of-the-tests")
os.environ.setdefault("EMAIL_URL", "memorymail://")
os.environ.setdefault("AUDIT_ANCHOR", str(Path(tempfile.mkdtemp(prefix="audit-")) / "anchors.jsonl"))

from portal.settings import *  # noqa: F403  # only now is the environment complete
