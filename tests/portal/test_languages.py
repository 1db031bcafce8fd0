"""Which language a page speaks, whose clock it shows, and what stays in English and without any locale."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from babel.messages.mofile import read_mo
from django.utils import timezone, translation

from portal.amounts import amount_words
from portal.templatetags.portal_ui import clock, duration, relative_words
from syncengine.models import Record
from tenants.models import User
from tests import factories, messages

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
PLACES = re.compile(r"%\(\w+\)s")
NOON = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)


@pytest.fixture
def person() -> User:
    user: User = factories.UserFactory(email="anna@example.com")
    return user


@pytest.fixture
def integration(person: User) -> Any:
    organization = factories.OrganizationFactory(time_zone="Europe/Berlin")
    factories.MembershipFactory(organization=organization, user=person, role="admin")
    return factories.IntegrationFactory(organization=organization)


def language_of(client: Any, path: str = LOGIN, **headers: str) -> str:
    found = re.search(r'<html lang="(\w+)"', client.get(path, headers=headers).content.decode())
    assert found is not None
    return found[1]


class TestThePage:
    @pytest.mark.parametrize(
        ("asked", "spoken"),
        [("de-AT,de;q=0.9", "de"), ("fi", "fi"), ("sv,fi;q=0.5", "fi"), ("fr", "en"), ("", "en")],
    )
    def test_speaks_as_the_browser_asks(self, client: Any, asked: str, spoken: str) -> None:
        assert language_of(client, accept_language=asked) == spoken

    def test_speaks_as_was_chosen_in_this_browser(self, client: Any) -> None:
        client.post("/language/", {"language": "fi"})
        assert language_of(client, accept_language="de") == "fi"

    def test_speaks_as_the_person_chose_wherever_they_log_in(self, client: Any, person: User) -> None:
        client.force_login(person)
        client.post("/language/", {"language": "de"})
        person.refresh_from_db()
        assert person.language == "de"
        client.cookies.pop("django_language")
        assert language_of(client, "/organizations/", accept_language="fi") == "de"

    def test_translates_words_of_templates_and_of_python(self, client: Any) -> None:
        html = client.get("/accounts/signup/", headers={"accept-language": "de"}).content.decode()
        assert "Registrieren" in html
        assert "Sign up" not in html

    def test_says_that_its_answer_depends_on_the_browser(self, client: Any) -> None:
        assert "Accept-Language" in client.get(LOGIN)["Vary"]


class TestChoosing:
    def test_leads_back_and_is_kept_for_a_year(self, client: Any) -> None:
        answer = client.post("/language/", {"language": "de", "next": "/accounts/signup/?next=1"})
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/signup/?next=1")
        cookie = answer.cookies["django_language"]
        assert (cookie.value, cookie["max-age"], cookie["samesite"]) == ("de", 365 * 24 * 3600, "Lax")

    def test_leads_to_no_other_site(self, client: Any) -> None:
        answer = client.post("/language/", {"language": "de", "next": "https://evil.example.com/"})
        assert answer["Location"] == "/"

    def test_takes_no_language_that_is_not_there(self, client: Any) -> None:
        answer = client.post("/language/", {"language": "sv"})
        assert answer.status_code == 400
        assert "django_language" not in answer.cookies

    def test_is_no_link(self, client: Any) -> None:
        assert client.get("/language/").status_code == 405

    def test_stores_nothing_with_the_person_from_a_session_of_one_organization(self, client: Any, person: User) -> None:
        client.force_login(person)
        session = client.session
        session["signed_in_for"] = 1
        session.save()
        assert client.post("/language/", {"language": "fi"}).status_code == 302
        person.refresh_from_db()
        assert person.language == ""
        assert language_of(client, "/organizations/") == "fi"


class TestPreferences:
    def test_hold_language_and_time_zone(self, client: Any, person: User) -> None:
        client.force_login(person)
        answer = client.post("/preferences/", {"language": "fi", "time_zone": "America/New_York"})
        assert answer["Location"] == "/preferences/"
        person.refresh_from_db()
        assert (person.language, person.time_zone) == ("fi", "America/New_York")

    def test_can_be_left_to_browser_and_organization_again(self, client: Any, person: User) -> None:
        User.objects.filter(pk=person.pk).update(language="fi", time_zone="UTC")
        client.force_login(person)
        client.post("/preferences/", {"language": "", "time_zone": ""})
        person.refresh_from_db()
        assert (person.language, person.time_zone) == ("", "")

    def test_take_no_zone_that_is_not_there(self, client: Any, person: User) -> None:
        client.force_login(person)
        assert client.post("/preferences/", {"language": "", "time_zone": "Mars/Olympus"}).status_code == 400

    def test_are_for_people_who_are_logged_in(self, client: Any) -> None:
        assert client.get("/preferences/").status_code == 302


class TestTimes:
    def path(self, integration: Any) -> str:
        Record.objects.filter(pk=self.record(integration).pk).update(created_at=NOON, updated_at=NOON)
        return f"/o/{integration.organization.slug}/records/{Record.objects.get().pk}/"

    def record(self, integration: Any) -> Record:
        return Record.objects.create(integration=integration, flow="vendors", key="V1", title="Nordic")

    def test_are_those_of_the_organization(self, client: Any, person: User, integration: Any) -> None:
        client.force_login(person)
        html = client.get(self.path(integration)).content.decode()
        assert "22 Nov 2026, 13:05" in html
        assert "Times are those of Europe/Berlin" in html

    def test_are_those_of_the_person_where_they_chose_a_zone(self, client: Any, person: User, integration: Any) -> None:
        User.objects.filter(pk=person.pk).update(time_zone="America/New_York", language="de")
        client.force_login(person)
        html = client.get(self.path(integration)).content.decode()
        assert "22.11.2026, 07:05" in html
        assert "America/New_York" in html
        assert f'datetime="{NOON.isoformat()}"' in html

    @pytest.mark.parametrize(
        ("language", "shown"),
        [("en", "22 Nov 2026, 12:05"), ("de", "22.11.2026, 12:05"), ("fi", "22.11.2026, 12:05")],
    )
    def test_are_written_as_the_language_does(self, language: str, shown: str) -> None:
        with translation.override(language), timezone.override(UTC):
            assert f">{shown}<" in clock(NOON)

    def test_are_near_in_words(self) -> None:
        with translation.override("de"), timezone.override(UTC):
            assert relative_words(datetime(2026, 11, 22, 12, 0, tzinfo=UTC), NOON) == "vor 5 Min."
            assert relative_words(datetime(2026, 3, 1, tzinfo=UTC), NOON) == "01.03."


class TestAmounts:
    @pytest.mark.parametrize(
        ("language", "amount", "currency", "shown"),
        [
            ("en", "1234567.5", "EUR", "1,234,567.50 EUR"),
            ("de", "1234567.5", "EUR", "1.234.567,50 EUR"),
            ("fi", "1234567.5", "EUR", "1\xa0234\xa0567,50 EUR"),
            ("en", "1234", "JPY", "1,234 JPY"),
            ("de", "1.5", "KWD", "1,500 KWD"),
            ("en", "1.2345", "EUR", "1.2345 EUR"),
            ("en", "-0.005", "", "-0.005"),
            ("en", "1E+3", "EUR", "1,000.00 EUR"),
        ],
    )
    def test_have_the_decimals_of_their_currency(self, language: str, amount: str, currency: str, shown: str) -> None:
        with translation.override(language):
            assert amount_words(Decimal(amount), currency) == shown

    def test_of_time_are_written_alike(self) -> None:
        with translation.override("de"):
            assert duration(1260) == "1,3 s"
            assert duration(1960) == "2,0 s"


class TestWhatProgramsRead:
    @pytest.fixture(autouse=True)
    def _in_german(self, client: Any, person: User, integration: Any) -> None:
        User.objects.filter(pk=person.pk).update(language="de")
        client.force_login(person)
        Record.objects.create(
            integration=integration, flow="invoices", key="1",
            title="Nordic RE-1", amount=Decimal("1234567.50"), currency="EUR", status="failed", stage="received",
        )  # fmt: skip

    def root(self, integration: Any) -> str:
        return f"/o/{integration.organization.slug}/integrations/{integration.pk}/"

    def test_a_csv_is_the_same_in_every_language(self, client: Any, person: User, integration: Any) -> None:
        path = f"{self.root(integration)}records/export/"
        german = b"".join(client.get(path)).decode()
        User.objects.filter(pk=person.pk).update(language="en")
        assert german == b"".join(client.get(path)).decode()
        rows = list(csv.DictReader(io.StringIO(german.removeprefix("\ufeff"))))
        assert Decimal(rows[0]["amount"]) == Decimal("1234567.50")

    def test_the_page_beside_it_is_german(self, client: Any, integration: Any) -> None:
        assert "1.234.567,50 EUR" in client.get(f"{self.root(integration)}records/").content.decode()

    def test_numbers_in_attributes_have_points(self, client: Any, integration: Any) -> None:
        for page in ("", "figures/", "records/", "connections/", "flows/"):
            html = client.get(f"{self.root(integration)}{page}").content.decode()
            assert not re.findall(r'\s(?:x|y|d|width|height|points|value|max|viewBox)="-?\d+,\d[^"]*"', html)

    def test_dates_in_inputs_are_those_of_html(self, client: Any, integration: Any) -> None:
        html = client.get(f"{self.root(integration)}reconciliation/").content.decode()
        shown = re.findall(r'type="date"[^>]*?value="([^"]+)"|value="([^"]+)"[^>]*?type="date"', html)
        assert shown
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", one or other) for one, other in shown)

    def test_the_api_answers_in_english(self, client: Any, integration: Any) -> None:
        path = f"/o/{integration.organization.slug}/api/v1/records/999999/"
        answer = client.get(path, headers={"accept-language": "de"})
        assert answer.status_code == 404
        english = client.get(path, headers={"accept-language": "en"})
        assert answer.content == english.content
        assert "Accept-Language" not in answer.get("Vary", "")


def texts_of(catalog: Iterable[Any]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Without the header; one form or several."""
    return {forms_of(message.id): forms_of(message.string) for message in catalog if message.id}


def forms_of(text: str | Iterable[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


class TestCatalogues:
    """Run `python -m tests.messages` after a change of texts, and translate what it left empty on the main path."""

    MAIN_PATH = re.compile(
        r"portal/sentences/|templates/((base|frame|entrance|error|4\d\d|500)\.html|components/|home/|account/"
        r"|allauth/|start/|dashboard/|search/|connections/|notices/|records/|repairs/|flows/|runs/|plans/|period_end/"
        r"|mappings/)|portal/views/"
    )

    @pytest.mark.parametrize("language", messages.LANGUAGES)
    def test_nothing_is_marked_that_they_do_not_hold(self, language: str) -> None:
        marked = {message.id for message in messages.extracted() if message.id}
        assert {message.id for message in messages.read(language) if message.id} == marked

    @pytest.mark.parametrize("language", messages.LANGUAGES)
    def test_are_compiled(self, language: str) -> None:
        with messages.mo_file(language).open("rb") as file:
            compiled = read_mo(file)
        held = [message for message in messages.read(language) if any(message.string)]
        assert texts_of(compiled) == texts_of(held)

    @pytest.mark.parametrize("language", messages.LANGUAGES)
    def test_the_main_path_is_translated_whole(self, language: str) -> None:
        empty = [
            message.id
            for message in messages.read(language)
            if any(self.MAIN_PATH.match(place) for place, _ in message.locations)
            and (message.fuzzy or not all(forms_of(message.string)))
        ]
        assert not empty

    @pytest.mark.parametrize("language", messages.LANGUAGES)
    def test_places_are_the_same_in_every_language(self, language: str) -> None:
        for english, others in texts_of(messages.read(language)).items():
            places = [set(PLACES.findall(text)) for text in english]
            assert all(set(PLACES.findall(text)) in places for text in others if text), english


class TestMails:
    @pytest.mark.parametrize(
        ("language", "subject", "said"),
        [
            ("en", "Confirm your e-mail address", "Was it you? Then confirm it here:"),
            ("de", "Bestätigen Sie Ihre E-Mail-Adresse", "Waren Sie es? Dann bestätigen Sie sie hier:"),
            ("fi", "Vahvista sähköpostiosoitteesi", "Olitko se sinä? Vahvista osoite täällä:"),
        ],
    )
    def test_speak_as_the_page_that_asked_for_them(
        self, client: Any, mailoutbox: list[Any], language: str, subject: str, said: str
    ) -> None:
        data = {"email": "anna@example.com", "password1": factories.PASSWORD, "password2": factories.PASSWORD}
        client.post("/accounts/signup/", data, headers={"accept-language": language})
        assert subject in mailoutbox[-1].subject
        assert said in mailoutbox[-1].body
        assert re.search(r"\nhttp\S+/confirm-email/\S+\n", mailoutbox[-1].body)

    def test_of_a_forgotten_password_lead_to_a_new_one(self, client: Any, person: User, mailoutbox: list[Any]) -> None:
        client.post("/accounts/password/reset/", {"email": person.email}, headers={"accept-language": "de"})
        assert "Neues Passwort wählen" in mailoutbox[-1].subject
        assert re.search(r"\nhttp\S+/password/reset/key/\S+\n", mailoutbox[-1].body)
