"""What a clone of this project promises to those who set it up."""

from __future__ import annotations

import re
import runpy
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", re.MULTILINE)
FOREIGN_PLACES = re.compile(r"(?<![\w.])/(work|root|farm|home/\w+)/")


def text(place: str) -> str:
    return (ROOT / place).read_text(encoding="utf-8")


def names(lock: str) -> set[str]:
    return {name.lower().replace("_", "-") for name in PACKAGE.findall(text(lock))}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_files_hold_no_index_addresses(lock: str) -> None:
    assert "://" not in text(lock)
    assert "index-url" not in text(lock)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash(lock: str) -> None:
    for block in re.split(r"\n(?=[A-Za-z0-9])", text(lock).strip()):
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_every_dependency_is_locked_and_the_development_lock_holds_the_runtime() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    wanted = {re.split(r"[\[<>=!~ ]", one)[0].lower().replace("_", "-") for one in project["dependencies"]}
    assert wanted <= names("requirements.lock") <= names("requirements-dev.lock")


def test_env_example_names_every_setting_and_no_other() -> None:
    read = set(re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', text("portal/settings.py")))
    assert set(re.findall(r"^(?:# )?([A-Z_]+)=", text(".env.example"), re.MULTILINE)) == read


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", text("README.md")))
def test_the_readme_leads_to_what_is_there(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("target", ["demo", "test", "lint", "format", "bench", "soak", "scale"])
def test_the_makefile_has_the_promised_targets(target: str) -> None:
    assert re.search(rf"^(\w+ )*{target}( \w+)*:", text("Makefile"), re.MULTILINE)


def test_ci_lints_and_runs_the_readmes_test_command_last() -> None:
    commands = [line for line in text(".ci/run").splitlines() if line.startswith("make ")]
    assert commands == ["make lint", "make test"]
    assert "make test" in text("README.md")


@pytest.mark.parametrize("script", [".ci/run", ".ci/lint", ".ci/test-services"])
def test_scripts_are_sound_shell(script: str) -> None:
    subprocess.run(["sh", "-n", str(ROOT / script)], check=True)


def test_gunicorn_never_runs_as_one_synchronous_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Subscribing waits for a call back to ourselves."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "gone"))  # or processes of other tests inherit one
    settings = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert settings["worker_class"] == "gthread"
    assert (settings["workers"], settings["threads"], settings["timeout"]) == (2, 4, 120)
    assert (tmp_path / "gone").is_dir()


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    folders = ("portal", "syncengine", "tenants", "templates", "docs", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [ROOT / name for name in ("Makefile", "pyproject.toml", "README.md", "manage.py", "gunicorn.conf.py")]
    told = [path for path in files if path.suffix in {".py", ".md", ".html", ".toml", ".js", ".css", ""}]
    assert [path for path in told if FOREIGN_PLACES.search(path.read_text(encoding="utf-8"))] == []
