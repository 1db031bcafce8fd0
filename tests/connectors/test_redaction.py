"""Secrets are blanked at capture; business data is not."""

from __future__ import annotations

import json

import pytest

from syncengine.connectors import redaction
from syncengine.connectors.redaction import BLANK, CUT, Redactor, is_secret_name

PASSWORD = 'p"ä ss/w&rd'


def body(text: str, kind: str = "application/json", **options) -> str:
    return Redactor(**options).body(text.encode(), kind)


@pytest.mark.parametrize(
    "name",
    [
        "Password",
        "client_secret",
        "access_token",
        "refresh_token",
        "webhookAuthenticationToken",
        "SessionId",
        "token",
        "B1SESSION",
        "Authorization",
        "X-Amz-Security-Token",
        "apiKey",
        "client-secret",
    ],
)
def test_names_of_secrets_are_known_in_any_spelling(name):
    assert is_secret_name(name)
    assert "geheim" not in body(json.dumps({name: "geheim"}))
    assert "geheim" not in body(json.dumps({"list": [{"deep": {name: "geheim"}}]}, indent=2))


@pytest.mark.parametrize(
    "name",
    ["token_type", "expires_in", "SessionTimeout", "IBAN", "AccountNo", "continuationToken", "BankCode", "tokenised"],
)
def test_business_data_is_kept(name):
    assert not is_secret_name(name)
    assert "FI2112345600000785" in body(json.dumps({name: "FI2112345600000785"}))


def test_a_login_body_keeps_all_but_the_password():
    kept = body('{"CompanyDB":"SBO","UserName":"bw","Password":"se\\"cr,et}","Language":3}')
    assert json.loads(kept) == {"CompanyDB": "SBO", "UserName": "bw", "Password": BLANK, "Language": 3}


def test_form_fields_are_blanked_and_the_rest_stays():
    kept = body("grant_type=client_credentials&client_secret=a%26b&scope=x", "application/x-www-form-urlencoded")
    assert kept == f"grant_type=client_credentials&client_secret={BLANK}&scope=x"


def test_numbers_stay_as_they_were_written():
    assert body('{"DocTotal": 100.10, "token": "x"}') == f'{{"DocTotal": 100.10, "token": "{BLANK}"}}'


@pytest.mark.parametrize("value", ['"geheim"', "12345", '{"value": "geheim", "n": [1, "geheim"]}', '["geheim"]'])
def test_a_secret_of_any_json_kind_is_blanked(value):
    kept = body(f'{{"a": 1, "secret": {value}, "b": "stays"}}')
    assert "geheim" not in kept
    assert "12345" not in kept
    assert json.loads(kept) == {"a": 1, "secret": BLANK, "b": "stays"}


def test_a_name_spelled_with_escapes_is_recognised():
    assert "geheim" not in body('{"pass\\u0077ord": "geheim"}')


@pytest.mark.parametrize("name", ["pass\\u00e4word", 'pass\\u00e4\\"word', "\\u00e4pass\\u0077ord"])
def test_so_is_one_with_letters_of_others_in_it(name):
    assert "geheim" not in body(f'{{"name": "\\u00d6ljy", "{name}": "geheim"}}')


def test_values_with_escapes_are_kept():
    assert body('{"name": "\\u00d6ljy", "note": "\\u00e4"}') == '{"name": "\\u00d6ljy", "note": "\\u00e4"}'


def test_json_inside_a_json_string_is_blanked_too():
    assert "geheim" not in body(json.dumps({"message": json.dumps({"access_token": "geheim"})}))


def test_a_secret_over_unreadable_json_is_not_kept_at_all():
    assert "geheim" not in body('{"secret": {"x": "geheim"')


def test_an_unfinished_secret_is_blanked():
    assert "gehei" not in body('{"password": "gehei')


@pytest.mark.parametrize(
    "text",
    [
        PASSWORD,
        f"You sent {PASSWORD}!",
        json.dumps({"echo": PASSWORD}),
        json.dumps({"echo": PASSWORD}, ensure_ascii=False),
        "p%22%C3%A4%20ss%2Fw%26rd",
        "p%22%C3%A4+ss%2Fw%26rd",
    ],
)
def test_literal_secrets_are_blanked_wherever_they_appear(text):
    redactor = Redactor([PASSWORD])
    for kept in (redactor.text(text), redactor.body(text.encode(), "text/plain"), redactor.url(f"https://x/?q={text}")):
        assert PASSWORD not in kept
        assert "ss%2Fw" not in kept
        assert "ss/w" not in kept


def test_a_very_short_secret_does_not_blank_every_text():
    assert Redactor(["a", ""]).text("a banana") == "a banana"


def test_headers_that_authenticate_are_blanked_and_repeated_ones_joined():
    kept = Redactor(["geheim"]).headers(
        [
            ("Authorization", "Basic eDp5"),
            ("Cookie", "B1SESSION=1; ROUTEID=.node3"),
            ("Set-Cookie", "B1SESSION=1"),
            ("Set-Cookie", "ROUTEID=2"),
            ("X-Echo", "geheim!"),
            ("Vary", "a"),
            ("Vary", "b"),
        ]
    )
    assert kept == {
        "Authorization": BLANK,
        "Cookie": BLANK,
        "Set-Cookie": f"{BLANK}, {BLANK}",
        "X-Echo": f"{BLANK}!",
        "Vary": "a, b",
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://b.s3.amazonaws.com/k?X-Amz-Credential=geheim&X-Amz-Date=2026&X-Amz-Signature=geheim",
        "https://b.s3.amazonaws.com/k?X-Amz-Security-Token=geheim%2F&X-Amz-Date=2026",
        "https://x/y?Signature=geheim&Expires=1",
        "https://x/y?a=1&sig=geheim",
        "https://x/y?access_token=geheim",
        "https://user:geheim@x/y",
    ],
)
def test_signatures_in_pre_signed_urls_are_blanked_in_urls_headers_and_bodies(url):
    redactor = Redactor()
    escaped = json.dumps({"url": url}).replace("&", "\\u0026")
    assert "geheim" not in redactor.url(url)
    if "@" not in url:
        assert "geheim" not in redactor.headers([("Location", url)])["Location"]
        assert "geheim" not in redactor.body(json.dumps({"url": url}).encode(), "application/json")
        assert "geheim" not in redactor.body(escaped.encode(), "application/json")


def test_other_query_options_stay():
    url = "https://x/b1s/v2/Orders?$filter=CardCode%20eq%20'V1'&$skip=20&companyCode=1000"
    assert Redactor().url(url) == url


def test_session_cookies_in_texts_are_blanked():
    assert "7f0c" not in Redactor().text("error for B1SESSION=7f0c; ROUTEID=.node7f0c")


def test_extra_fields_of_a_request_are_blanked():
    redactor = Redactor()
    assert "1234" not in redactor.body(b'{"Pin": "1234"}', "application/json", ["pin"])
    assert "1234" in redactor.body(b'{"Pin": "1234"}', "application/json")


@pytest.mark.parametrize("kind", ["application/pdf", "multipart/form-data; boundary=x", "image/png", ""])
def test_binary_bodies_are_only_measured(kind):
    assert Redactor().body(b"%PDF\0" * 10, kind) == f"[50 bytes {kind or 'binary'}]"


def test_an_empty_body_is_empty():
    assert Redactor().body(None) == Redactor().body(b"") == ""


def test_long_bodies_are_cut():
    kept = body('{"x":"' + "y" * 1000 + '"}', capture_chars=100)
    assert kept.endswith(CUT)
    assert len(kept) == 100 + len(CUT)


@pytest.mark.parametrize("shift", range(1, 12))
def test_no_part_of_a_secret_is_left_at_the_cut(shift):
    text = "x" * (100 - shift) + "geheimnis123" + "y" * 500
    kept = body(text, "text/plain", secrets=["geheimnis123"], capture_chars=100)
    assert "geh" not in kept


def test_a_secret_field_at_the_cut_is_blanked():
    kept = body('{"a":"' + "x" * 80 + '","password":"geheimnis' + "y" * 500 + '"}', capture_chars=115)
    assert "gehei" not in kept


@pytest.mark.parametrize("value", ['"geheim"', "geheim", '{"a": "geheim"}', '["geheim", 1]'])
def test_a_body_quoted_in_a_message_is_blanked(value):
    text = Redactor().text(f'the server said {{"access_token": {value}, "x": 1}}')
    assert "geheim" not in text
    assert text.startswith('the server said {"access_token": "***"')


@pytest.mark.parametrize(
    "text",
    ['{"AuthorizationStatus": "dasWithout", "PrivateKeyVersion": null}', '{"note": "no token, they say"}'],
)
def test_a_name_that_only_begins_like_a_secret_s_needs_no_search(text, monkeypatch):
    def search(*_):
        raise AssertionError("searched field by field")

    monkeypatch.setattr(redaction, "_blank_json", search)
    assert Redactor().body(text.encode(), "application/json") == text


@pytest.mark.parametrize("name", ["password", "Pass-Word", "client_secret ", "b1Session"])
def test_a_secret_is_found_however_its_name_is_written(name):
    for text, kind in (
        (f'{{"{name}": "abc"}}', "application/json"),
        (f"a=1&{name.strip()}=abc", "x-www-form-urlencoded"),
    ):
        assert "abc" not in Redactor().body(text.encode(), f"application/{kind.removeprefix('application/')}")
