"""The portal's settings as the tests need them, in a fresh clone too, where there are no keys yet.

The environment wins, so that the same tests run on PostgreSQL: `DATABASE_URL=postgres://… pytest`.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "secret-key-of-the-tests")
os.environ.setdefault("FERNET_KEYS", "fernet-key-of-the-tests")
os.environ.setdefault("EMAIL_URL", "memorymail://")
if "AUDIT_ANCHOR" not in os.environ:  # processes started by a test share their parent's
    folder = tempfile.mkdtemp(prefix="audit-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["AUDIT_ANCHOR"] = str(Path(folder) / "anchors.jsonl")

from portal.settings import *  # noqa: F403  # only now is the environment complete
