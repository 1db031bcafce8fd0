"""The page that exports and imports a configuration."""

from __future__ import annotations

import json

from django.core.files.uploadedfile import SimpleUploadedFile

from syncengine.engine import configuration

FILE = {"version": 1, "name": "Test", "settings": {"matching": "order"}}


def upload(people, root, content, **more):
    file = SimpleUploadedFile("c.json", content.encode(), "application/json")
    return people["admin"].post(f"{root}configuration/", {"file": file, **more})


def test_the_export_is_the_file_that_an_import_takes(people, root, connected):
    exported = people["viewer"].get(f"{root}configuration/file/")
    assert exported["Content-Disposition"] == f'attachment; filename="ledgerbridge-nordic-paper-{connected.pk}.json"'
    assert json.loads(exported.content) == configuration.export(connected)
    page = upload(people, root, exported.content.decode())
    assert "Nothing differs" in page.content.decode()


def test_the_difference_is_shown_before_it_is_applied(people, root, connected):
    page = upload(people, root, json.dumps(FILE)).content.decode()
    assert "settings.matching" in page
    connected.refresh_from_db()
    assert connected.settings == {}
    answer = people["admin"].post(f"{root}configuration/", {"text": json.dumps(FILE), "apply": "true"})
    assert answer.status_code == 302
    connected.refresh_from_db()
    assert connected.settings == {"matching": "order"}


def test_what_cannot_be_used_is_named(people, root):
    for content in ("nonsense", json.dumps({**FILE, "settings": {"nosuch": 1}})):
        answer = upload(people, root, content)
        assert answer.status_code == 400
    assert "settings.nosuch" in answer.content.decode()
