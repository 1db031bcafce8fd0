"""Static files before and after `collectstatic`."""

from __future__ import annotations

import pytest

from portal.static_files import HashedStaticFiles


@pytest.fixture
def storage(tmp_path):
    return HashedStaticFiles(location=tmp_path, base_url="/static/")


def test_a_file_that_was_not_collected_goes_by_its_own_name(storage):
    assert storage.url("portal/app.css") == "/static/portal/app.css"


def test_a_collected_file_goes_by_the_name_in_the_manifest(storage):
    storage.hashed_files = {"portal/app.css": "portal/app.0123456789ab.css"}
    assert storage.url("portal/app.css") == "/static/portal/app.0123456789ab.css"
