"""Lists: newest first, a hundred a page, the next page by an absolute URL."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Keyset on the id, so that the hundredth page costs what the first does."""

    page_size = 100
    ordering = "-id"
