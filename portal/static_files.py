"""Where static files are: under hashed names that may be cached for ever, once `collectstatic` has run."""

from __future__ import annotations

from whitenoise.storage import (  # type: ignore[import-untyped]  # it has no annotations
    CompressedManifestStaticFilesStorage,
)


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no annotations
    """Until a file was collected it goes by its own name, which WhiteNoise finds: no page fails for want of a picture.

    The original, even when told not to be strict, raises for each file that is not in its manifest.
    """

    manifest_strict = False

    def stored_name(self, name: str) -> str:
        """The name with its hash; as it is when the file was not collected."""
        try:
            hashed: str = super().stored_name(name)
        except ValueError:
            return name
        return hashed
