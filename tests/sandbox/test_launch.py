"""Both sandboxes as one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from syncengine.sandbox.launch import Options, Sandboxes, add_arguments, options_from

ROOT = Path(__file__).resolve().parents[2]


def invoice_count(sandboxes: Sandboxes) -> int:
    answer = requests.get(f"{sandboxes.control.url}/sap/documents?set=PurchaseInvoices", timeout=10)
    return len(answer.json())


def test_the_addresses_lead_to_both_systems_and_the_control_api():
    with Sandboxes(Options()) as sandboxes:
        addresses = sandboxes.addresses
        sap = addresses["sap_b1"]
        login = {"CompanyDB": sap["company_db"], "UserName": sap["username"], "Password": sap["password"]}
        assert requests.post(f"{sap['base_url']}/Login", json=login, timeout=10).ok
        basware = addresses["basware"]
        token = requests.post(
            f"{basware['base_url']}/v1/tokens",
            data={"grant_type": "client_credentials", "scope": "vendors.read"},
            auth=(basware["client_id"], basware["client_secret"]),
            timeout=10,
        )
        assert token.json()["access_token"]
        assert basware["company_code"] == "1000"
        known = requests.get(addresses["control"]["url"], timeout=10).json()
        assert {"POST /sap/pay-run", "POST /basware/retransfer"} <= set(known)


def test_a_kept_state_survives_a_restart_and_fresh_forgets_it(tmp_path):
    state = tmp_path / "sandbox"
    with Sandboxes(Options(state=state, scale=5)) as sandboxes:
        before = invoice_count(sandboxes)
        entry = sandboxes.sap.company.collection("PurchaseInvoices").keys()[0]
        sandboxes.sap.company.collection("PurchaseInvoices").delete(entry)
    with Sandboxes(Options(state=state)) as sandboxes:
        assert invoice_count(sandboxes) == before - 1
        assert sandboxes.sap.company.dataset.scale == 5
        sandboxes.sap.reset()
        assert invoice_count(sandboxes) == before
    with Sandboxes(Options(state=state, fresh=True)) as sandboxes:
        assert sandboxes.sap.company.dataset.scale == 0


def test_a_scenario_is_played_at_the_start(tmp_path):
    scenario = tmp_path / "scenario.json"
    fault = {"system": "sap_b1", "kind": "status", "status": 503, "count": 0}
    scenario.write_text(json.dumps([{"path": "/faults", "body": fault}, {"method": "GET", "path": "/requests"}]))
    with Sandboxes(Options(scenario=scenario)) as sandboxes:
        assert requests.get(f"{sandboxes.sap.url}/ping/", timeout=10).status_code == 503


def test_a_scenario_that_is_refused_says_where():
    with Sandboxes(Options()) as sandboxes, pytest.raises(ValueError, match="/sap/settings"):
        sandboxes.play([{"path": "/sap/settings", "body": {"colour": "red"}}])


def test_options_come_from_the_command_line():
    import argparse

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    made = options_from(vars(parser.parse_args(["--sap-port", "0", "--scale", "7", "--state", "x", "--fresh"])))
    assert (made.sap_port, made.basware_port, made.scale, made.state, made.fresh) == (0, 50020, 7, Path("x"), True)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_process_prints_one_line_and_ends_on_a_signal(how):
    ports = ["--sap-port", "0", "--basware-port", "0", "--control-port", "0"]
    command = [sys.executable, "-m", "syncengine.sandbox", *ports]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        assert set(addresses) == {"sap_b1", "basware", "control"}
        process.send_signal(how)
        assert process.wait(10) == 0
        assert process.stdout.read() == ""
