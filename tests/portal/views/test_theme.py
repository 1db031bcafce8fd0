"""Dark and light: in the page before it is painted, remembered in the browser."""

from __future__ import annotations

import re

import pytest

PAGE = "/accounts/login/"


def html_of(client, **cookies):
    client.cookies.load(cookies)
    return client.get(PAGE).content.decode()


@pytest.mark.django_db
class TestThePage:
    def test_follows_the_system_by_itself(self, client):
        html = html_of(client)
        assert 'data-bs-theme="auto"' in html
        assert '<meta name="color-scheme" content="light dark">' in html

    @pytest.mark.parametrize("chosen", ["light", "dark"])
    def test_has_the_chosen_theme_on_its_first_element(self, client, chosen):
        html = html_of(client, theme=chosen)
        assert f'data-bs-theme="{chosen}"' in html
        assert f'<meta name="color-scheme" content="{chosen}">' in html

    def test_shows_nothing_of_a_cookie_that_is_no_theme(self, client):
        assert 'data-bs-theme="auto"' in html_of(client, theme='x"onload=')


def choose(client, **data):
    return client.post("/theme/", data)


class TestChoosing:
    @pytest.mark.parametrize("chosen", ["light", "dark"])
    def test_is_remembered_for_a_year_and_leads_back(self, client, chosen):
        answer = choose(client, theme=chosen, next="/o/nordic/?page=2")
        assert (answer.status_code, answer["Location"]) == (302, "/o/nordic/?page=2")
        cookie = answer.cookies["theme"]
        assert (cookie.value, cookie["max-age"], cookie["samesite"]) == (chosen, 365 * 24 * 3600, "Lax")

    def test_of_the_systems_forgets_the_choice(self, client):
        choose(client, theme="dark")
        assert choose(client, theme="auto").cookies["theme"]["max-age"] == 0

    @pytest.mark.parametrize("away", ["https://evil.example.com/", "//evil.example.com", "javascript:alert(1)", ""])
    def test_leads_to_no_other_site(self, client, away):
        assert choose(client, theme="dark", next=away)["Location"] == "/"

    def test_takes_no_theme_that_is_not_there(self, client):
        answer = choose(client, theme="purple")
        assert answer.status_code == 400
        assert "theme" not in answer.cookies

    def test_is_no_link(self, client):
        assert client.get("/theme/").status_code == 405


def test_the_menu_says_which_one_is_on(people, root):
    people["viewer"].cookies.load({"theme": "dark"})
    html = people["viewer"].get(root).content.decode()
    assert 'value="dark" aria-pressed="true"' in " ".join(html.split())
    assert re.findall(r'name="theme"\s+value="(\w+)"\s+aria-pressed="true"', html) == ["dark"]
