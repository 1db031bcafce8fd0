"""Where is my invoice? From every page, over every integration."""

from __future__ import annotations

import pytest

from tests import factories


@pytest.fixture
def base(organization, connected):
    second = factories.IntegrationFactory(organization=organization, name="Sweden")
    factories.invoice(connected, title="RE-4711 Nordic Paper", reference="RE-4711")
    factories.invoice(second, title="RE-4712 Nordic Paper", reference="RE-4712")
    return f"/o/{organization.slug}/search/"


def found(client, address, query):
    return [record.reference for record in client.get(address, {"q": query}).context["records"]]


def test_every_page_has_the_box(root, base, people):
    assert f'action="{base}"' in people["viewer"].get(f"{root}flows/").content.decode()


def test_all_integrations_are_searched(base, people):
    assert found(people["viewer"], base, "nordic") == ["RE-4712", "RE-4711"]
    text = people["viewer"].get(base, {"q": "nordic"}).content.decode()
    assert "Sweden" in text
    assert "1,240.50 EUR" in text


def test_a_single_find_opens_at_once(organization, base, people):
    answer = people["viewer"].get(base, {"q": "re-4711"})
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"/o/{organization.slug}/records/")


def test_suggestions_are_few_and_only_a_piece_of_a_page(base, connected, people):
    for number in range(20):
        factories.invoice(connected, title=f"RE-99{number}")
    answer = people["viewer"].get(f"{base}suggestions/", {"q": "re-99"})
    assert len(answer.context["records"]) == 8
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "words"),
    [("", "Type what you know"), ("x", "One more character"), ("zzz", "Nothing fits"), ("<b>%_", "Nothing fits")],
)
def test_an_empty_page_says_what_to_do(base, people, query, words):
    text = people["viewer"].get(base, {"q": query}).content.decode()
    assert words in text
    assert "<b>%" not in text


def test_nothing_of_another_organization_is_found(base, people, elsewhere):
    factories.invoice(factories.IntegrationFactory(organization=elsewhere), title="RE-4713 Nordic", reference="RE-4713")
    assert "RE-4713" not in found(people["viewer"], base, "nordic")
    assert people["outsider"].get(base, {"q": "nordic"}).status_code == 404
