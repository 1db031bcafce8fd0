"""A closed network must not look like a clean bill of health."""

from __future__ import annotations

from pathlib import Path

from tests.lint import vulnerabilities


def test_what_was_not_audited_is_named() -> None:
    code, lines = vulnerabilities.verdict(None, ["Django==5.2.1", "requests==2.34.0"])
    assert code == 0
    assert lines == ["NOT audited, the sources could not be reached: 2 packages: Django==5.2.1, requests==2.34.0"]


def test_packages_that_were_skipped_are_named() -> None:
    report = {
        "dependencies": [{"name": "django", "skip_reason": "not found"}, {"name": "redis", "version": "5", "vulns": []}]
    }
    code, lines = vulnerabilities.verdict(report, [])
    assert code == 0
    assert lines == ["NOT audited, nothing was found out about 1 packages: django"]


def test_a_known_vulnerability_fails() -> None:
    found = {"id": "PYSEC-1", "fix_versions": ["5.2.2"]}
    report = {"dependencies": [{"name": "django", "version": "5.2.1", "vulns": [found]}]}
    assert vulnerabilities.verdict(report, []) == (1, ["django 5.2.1: PYSEC-1, mended in ['5.2.2']"])


def test_an_audit_that_finds_nothing_says_nothing() -> None:
    assert vulnerabilities.verdict({"dependencies": [{"name": "django", "version": "5", "vulns": []}]}, []) == (0, [])


def test_the_lock_file_is_read_with_extras_and_markers(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "django==5.2.1 \\\n    --hash=sha256:aa\npsycopg[binary]==3.3.0 ; python_version > '3'\n# via x==1\n"
    )
    assert vulnerabilities.locked(lock) == ["django==5.2.1", "psycopg[binary]==3.3.0"]
