"""Settings from the environment: defaults, empty values, and values that cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.environment import Environment

CHECKOUT = Path(__file__).resolve().parents[2]
READ = {
    "flag": lambda env: env.flag("X", default=True),
    "whole": lambda env: env.whole("X", 4),
    "seconds": lambda env: env.seconds("X", 10),
    "delays": lambda env: env.delays("X", [2, 8]),
    "words": lambda env: env.words("X", ["a"]),
    "networks": lambda env: env.networks("X"),
    "one_of": lambda env: env.one_of("X", "open", ("open", "closed")),
    "rate": lambda env: env.rate("X", "20/min"),
    "site": lambda env: env.web_address("X", "http://127.0.0.1:8000"),
    "database": lambda env: env.database("X", "sqlite:///var/x.sqlite3")["NAME"],
    "redis": lambda env: env.redis("X"),
    "email": lambda env: env.email("X")["EMAIL_BACKEND"].split(".")[-2],
}
DEFAULTS = {
    "flag": True,
    "whole": 4,
    "seconds": 10,
    "delays": [2, 8],
    "words": ["a"],
    "networks": [],
    "one_of": "open",
    "rate": "20/min",
    "site": "http://127.0.0.1:8000",
    "database": "var/x.sqlite3",
    "redis": "",
    "email": "console",
}
GOOD = [
    ("flag", "no", False),
    ("flag", "TRUE", True),
    ("whole", "7", 7),
    ("seconds", "0.5", 0.5),
    ("delays", "0, 1.5", [0, 1.5]),
    ("words", "b, c,", ["b", "c"]),
    ("networks", "127.0.0.0/8,sap.corp.example", ["127.0.0.0/8", "sap.corp.example"]),
    ("one_of", "closed", "closed"),
    ("rate", "5/hour", "5/hour"),
    ("site", "https://portal.example.com/", "https://portal.example.com"),
    ("database", "postgres://u:p@db:5432/bridge", "bridge"),
    ("redis", "redis://cache:6379/1", "redis://cache:6379/1"),
    ("email", "smtp+tls://u:p@mail.example.com:587", "smtp"),
    ("email", "console", "console"),
    ("email", "consolemail://", "console"),
]
BAD = [
    ("flag", "banana"),
    ("whole", "abc"),
    ("whole", "0"),
    ("seconds", "0"),
    ("seconds", "-3"),
    ("seconds", "nan"),
    ("delays", "a,b"),
    ("delays", "-1"),
    ("networks", "127.0.0.0/99"),
    ("one_of", "sometimes"),
    ("rate", "lots"),
    ("rate", "0/min"),
    ("site", "portal.example.com"),
    ("site", "ftp://portal.example.com"),
    ("site", "http://portal.example.com:port"),
    ("database", "nonsense"),
    ("database", "mysql://u:hidden@db/bridge"),
    ("redis", "hidden"),
    ("email", "hidden://x"),
]


@pytest.fixture
def env(tmp_path):
    return Environment(tmp_path / "no.env")


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("empty", [None, "", "  "])
def test_without_a_value_the_default_holds(kind, empty, env, monkeypatch):
    monkeypatch.delenv("X", raising=False) if empty is None else monkeypatch.setenv("X", empty)
    assert READ[kind](env) == DEFAULTS[kind]


@pytest.mark.parametrize(("kind", "text", "value"), GOOD)
def test_a_good_value_is_taken(kind, text, value, env, monkeypatch):
    monkeypatch.setenv("X", text)
    assert READ[kind](env) == value


@pytest.mark.parametrize(("kind", "text"), BAD)
def test_a_bad_value_is_refused_by_its_name_with_what_it_must_be(kind, text, env, monkeypatch):
    monkeypatch.setenv("X", text)
    with pytest.raises(
        ImproperlyConfigured, match=r"^The setting X cannot be used: .+ (must be|is no) .+\.$"
    ) as refusal:
        READ[kind](env)
    assert "hidden" not in str(refusal.value)


def test_the_real_environment_wins_over_the_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("X=7\n")
    monkeypatch.setenv("X", "8")
    assert Environment(tmp_path / ".env").whole("X", 4) == 8


def test_a_command_with_a_bad_setting_says_so_in_one_sentence_and_fails():
    settings = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "WORKERS": "many"}
    done = subprocess.run(
        [sys.executable, CHECKOUT / "manage.py", "check"], env=settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip() == (
        "The setting WORKERS cannot be used: it is 'many' and must be a whole number from 1 up."
    )
