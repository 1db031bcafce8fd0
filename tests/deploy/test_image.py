"""What a review of the Dockerfile, the compose file and the units would find; `rehearse` runs the image."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from tests.deploy.rehearse import Instruction, ignored, instructions

ROOT = Path(settings.BASE_DIR)
IMAGE = instructions((ROOT / "Dockerfile").read_text())
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
UNITS = sorted((ROOT / "deploy/systemd").iterdir())


def of(kind: str) -> list[Instruction]:
    return [one for one in IMAGE if one.kind == kind]


class TestDockerfile:
    """Small, without privileges, reproducible."""

    def test_it_has_two_stages_from_one_base_with_a_version(self):
        bases = [one.text.split()[0] for one in of("FROM")]
        assert len(bases) == 2
        assert len(set(bases)) == 1
        assert re.fullmatch(r"python:3\.11-slim", bases[0])

    def test_it_ends_as_a_user_by_number_that_is_not_root(self):
        (user,) = of("USER")
        assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user.text)
        assert IMAGE.index(user) < IMAGE.index(of("CMD")[-1])

    def test_packages_are_installed_by_hash_and_nothing_of_the_installation_stays(self):
        (pip,) = [one.text for one in of("RUN") if "pip install" in one.text]
        assert "--require-hashes" in pip
        assert "--no-cache-dir" in pip
        (apt,) = [one.text for one in of("RUN") if "apt-get" in one.text]
        assert "--no-install-recommends" in apt
        assert "rm -rf /var/lib/apt/lists/*" in apt

    def test_no_secret_is_part_of_it(self):
        told = " ".join(one.text for one in [*of("ENV"), *of("ARG")])
        assert not re.search(r"KEY|SECRET|PASSWORD|TOKEN", told)

    def test_nothing_is_fetched_by_address(self):
        assert not of("ADD")
        assert not [one for one in of("RUN") if "curl" in one.text or "wget" in one.text]

    def test_it_tells_how_it_is_and_ends_on_the_signal_that_gunicorn_knows(self):
        assert "alive.py" in of("HEALTHCHECK")[0].text
        assert of("STOPSIGNAL")[0].text == "SIGTERM"
        assert of("CMD")[-1].text.startswith('["gunicorn", "portal.wsgi"')

    def test_what_is_copied_is_there_and_let_through_and_nothing_else_is(self):
        rules = (ROOT / ".dockerignore").read_text()
        for copy in (one for one in of("COPY") if "--from" not in one.text):
            *sources, _ = copy.text.split()
            for source in sources:
                assert (ROOT / source).exists()
                assert not ignored(source, rules)
        for private in (".env", ".git/config", "var/secret_key", "tests/settings.py", "portal/__pycache__/x.pyc"):
            assert ignored(private, rules)


class TestCompose:
    """One machine: web, worker, PostgreSQL, Redis, TLS."""

    def test_every_part_is_there_and_starts_again_by_itself(self):
        services = COMPOSE["services"]
        assert services.keys() == {"migrate", "web", "worker", "proxy", "database", "broker"}
        assert {services[name]["restart"] for name in services if name != "migrate"} == {"unless-stopped"}

    @pytest.mark.parametrize("name", ["migrate", "web", "worker"])
    def test_the_portal_runs_without_privileges_on_a_read_only_root(self, name):
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["init"] is True  # who ends a killed group of workers must collect it

    def test_only_the_proxy_is_open_to_others(self):
        assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["proxy"]

    def test_no_password_has_a_default(self):
        text = (ROOT / "compose.yaml").read_text()
        assert not re.search(r"PASSWORD(?!\}|:\?|:)", text.replace("POSTGRES_PASSWORD: $", ""))
        assert "${POSTGRES_PASSWORD:-" not in text

    @pytest.mark.parametrize("name", ["web", "worker"])
    def test_there_is_time_to_stop_in_good_order(self, name):
        from syncengine.engine.supervisor import STOP_SECONDS

        assert int(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s")) > STOP_SECONDS


class TestUnits:
    """systemd: what they start exists, and they may do no more than they must."""

    def unit(self, path: Path) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for line in path.read_text().splitlines():
            if "=" in line and not line.startswith("#"):
                name, _, value = line.partition("=")
                found.setdefault(name, []).append(value)
        return found

    @pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
    def test_it_is_a_unit(self, path):
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.read(path)
        assert "Unit" in parser.sections()
        assert {"Service", "Timer"} & set(parser.sections())

    @pytest.mark.parametrize("name", ["web", "worker", "nightly"])
    def test_it_starts_what_there_is_without_privileges(self, name):
        from django.core.management import get_commands

        found = self.unit(ROOT / f"deploy/systemd/ledgerbridge-{name}.service")
        assert found["User"] == ["ledgerbridge"]
        assert found["ProtectSystem"] == ["strict"]
        assert found["NoNewPrivileges"] == ["true"]
        for line in found["ExecStart"] + found.get("ExecStartPre", []):
            program, *rest = line.split()
            assert program.startswith("/opt/ledgerbridge/.venv/bin/")
            assert rest[0] == "portal.wsgi" or (rest[0] == "manage.py" and rest[1] in get_commands())

    @pytest.mark.parametrize("name", ["web", "worker"])
    def test_only_the_main_process_is_told_to_stop_and_has_time_for_it(self, name):
        from syncengine.engine.supervisor import STOP_SECONDS

        found = self.unit(ROOT / f"deploy/systemd/ledgerbridge-{name}.service")
        assert found["KillMode"] == ["mixed"]
        assert int(found["TimeoutStopSec"][0]) > STOP_SECONDS

    @pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
    def test_systemd_itself_finds_nothing_wrong(self, path, tmp_path):
        """In a root directory that has the units and the programs that they start, and nothing else."""
        analyze = shutil.which("systemd-analyze")
        if analyze is None:
            pytest.skip("no systemd-analyze on PATH")
        units = tmp_path / "etc/systemd/system"
        shutil.copytree(ROOT / "deploy/systemd", units)
        for program in ("opt/ledgerbridge/.venv/bin/python", "opt/ledgerbridge/.venv/bin/gunicorn", "bin/kill"):
            (tmp_path / program).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / program).write_text("#!/bin/sh\n")
            (tmp_path / program).chmod(0o755)
        command = [analyze, "verify", f"--root={tmp_path}", "--man=no", "--recursive-errors=no", path.name]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (found.returncode, found.stdout + found.stderr) == (0, "")
