"""Whether the web of this container serves: asked by the image's health check, by the name the portal goes by."""

import os
import sys
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

SITE = urlsplit(os.environ.get("SITE_URL", "http://127.0.0.1:8000"))


def main() -> int:
    asked = Request("http://127.0.0.1:8000/healthz/", headers={"Host": SITE.netloc})
    try:
        with urlopen(asked, timeout=5) as answer:  # noqa: S310  # our own address
            return 0 if answer.status == 200 else 1
    except (URLError, OSError):
        return 1


if __name__ == "__main__":
    sys.exit(main())
