"""Nothing inline, nothing from elsewhere, nothing that outside text could smuggle in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from tests import factories

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
STATIC = Path(settings.BASE_DIR / "portal" / "static")
HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_a_template_has_no_inline_code_and_trusts_no_text(template):
    text = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r"\|safe\b|autoescape|hx-on", text)
    assert not re.search(r"(src|href)=\"(https?:)?//", text)


def test_the_policy_allows_only_our_own_scripts_and_styles(client):
    policy = client.get("/accounts/login/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe" not in policy


def test_vendored_files_ask_for_no_source_maps_and_carry_their_licences():
    for file in (STATIC / "vendor").rglob("*.min.*"):
        assert "sourceMappingURL" not in file.read_text()
        assert (file.parent / "LICENSE").is_file()


def test_every_icon_that_a_page_names_is_drawn():
    drawn = set(re.findall(r'id="([a-z]+)"', (STATIC / "icons.svg").read_text()))
    named = {name for template in TEMPLATES for name in re.findall(r'{% icon "([a-z]+)"', template.read_text())}
    assert named <= drawn


def test_hostile_text_from_outside_is_shown_and_never_run(root, connected, organization, people):
    record = factories.invoice(
        connected,
        title=HOSTILE,
        status="failed",
        error_code=HOSTILE[:60],
        error_message=HOSTILE,
        error_hint=HOSTILE,
        problems=[{"path": HOSTILE, "message": HOSTILE, "hint": HOSTILE}],
        flags=[HOSTILE],
        notes=[HOSTILE],
        source={"note": HOSTILE},
        target={HOSTILE: HOSTILE},
        target_keys={"DocNum": HOSTILE},
        decisions=["adopt"],
    )
    factories.AuditEventFactory(organization=organization, record=record, message=HOSTILE, actor=HOSTILE)
    call = factories.CallFactory(integration=connected, record=record, url=HOSTILE, response_body=HOSTILE)
    pages = [
        f"{root}",
        f"{root}records/",
        f"/o/{organization.slug}/records/{record.pk}/",
        f"/o/{organization.slug}/calls/{call.pk}/",
        f"/o/{organization.slug}/audit/",
    ]
    for page in pages:
        text = people["owner"].get(page).content.decode()
        assert "alert(1)" in text
        assert "<img src=x" not in text
        assert "<script>alert" not in text


def test_a_form_without_its_token_is_refused_with_a_page_that_says_why(root, owner):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    answer = strict.post(f"{root}enable/", {"enabled": "true"})
    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()


def test_an_address_that_leads_nowhere_has_a_page_of_ours(client):
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()
