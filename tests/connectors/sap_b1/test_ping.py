"""The lines of the ping page with their sentences and hints, and that SAP is left as it was (contracts: SAP §2.2)."""

from __future__ import annotations

import pytest

from syncengine.connectors.http import Limits
from syncengine.connectors.probe import Probe
from syncengine.connectors.sap_b1 import MemorySessionStore, SapSettings, checks
from tests.connectors.conftest import LOOPBACK
from tests.connectors.sap_b1.conftest import ADMIN
from tests.connectors.servers import html_answer, http_answer, json_answer

COMPANY_LINES = ["version", "company", "clock", "tax", "branches", "approval"]
NOBODY = "BusinessPartners('~LB-PING-NONE~')"


def ping(client, reads=("BusinessPartners", "VatGroups"), writes=("PurchaseInvoices",)):
    return {check.name: check for check in checks(client, reads=reads, writes=writes)}


def test_a_good_connection_is_well_in_every_line(client, company):
    lines = ping(client)
    assert list(lines) == [
        "reach",
        "path",
        "login",
        *COMPANY_LINES,
        "read:BusinessPartners",
        "read:VatGroups",
        "write:PurchaseInvoices",
    ]
    assert all(line.ok and line.detail and not line.hint and line.latency_ms >= 0 for line in lines.values())
    assert lines["version"].detail == "ACME Oy, SAP Business One 10.00.280"
    assert "30 minutes" in lines["login"].detail


def test_lines_come_as_they_are_done(client, company):
    lines = checks(client, reads=["BusinessPartners"])
    assert [next(lines).name, next(lines).name] == ["reach", "path"]
    assert not company.logins
    assert next(lines).name == "login"
    assert not company.calls_of("GET", "BusinessPartners")


def test_a_ping_reads_one_row_of_each_entity_and_writes_only_what_must_be_refused(client, company):
    ping(client)
    reads = [call for call in company.calls if call.method == "GET" and call.query]
    assert all(call.query["$select"] and call.query.get("$top", "1") == "1" for call in reads)
    posts = {call.path.rsplit("/", 1)[1] for call in company.calls if call.method != "GET"}
    assert posts == {"CompanyService_GetCompanyInfo", "CompanyService_GetAdminInfo", "PurchaseInvoices", "Logout"}
    (tried,) = company.calls_of("POST", "PurchaseInvoices")
    assert tried.json()["CardCode"] == "~LB-PING-NONE~"
    assert "DocumentLines" not in tried.json()


def test_a_ping_has_a_session_of_its_own_and_ends_it(make_client, company):
    store = MemorySessionStore()
    client = make_client(sessions=store)
    shared = client.login()
    ping(client)
    assert store.load() == shared
    assert company.live == {shared.b1session}


def test_a_ping_that_is_left_early_still_logs_out(client, company):
    lines = checks(client, reads=["BusinessPartners"])
    while next(lines).name != "version":
        pass
    assert company.live
    lines.close()
    assert not company.live


def test_ping_that_is_not_published_is_no_outage(client, company, monkeypatch):
    monkeypatch.setattr(company, "_outside", lambda _: html_answer(404, "Not Found"))
    assert ping(client)["reach"].ok


def test_a_proxy_without_service_layer_behind_it_is(client, company, monkeypatch):
    monkeypatch.setattr(company, "_outside", lambda _: html_answer(503, "Service Unavailable"))
    lines = ping(client)
    assert list(lines) == ["reach"]
    assert "503" in lines["reach"].detail
    assert lines["reach"].hint


def test_a_wrong_password_stops_after_one_login(client, company):
    company.login_scripts = [company.error(401, -304, "Fail to NONE-SSO login from SLD.")] * 2
    lines = ping(client)
    assert list(lines) == ["reach", "path", "login"]
    assert "basware_if" in lines["login"].detail
    assert "password" in lines["login"].hint
    assert len(company.logins) == 1


WRONG_LOGINS = {
    "password": lambda sap: sap.error(401, -304, "Fail to NONE-SSO login from SLD."),
    "company": lambda sap: sap.error(401, -306, "Fail to NONE-SSO login from SLD."),
    "path case": lambda sap: sap.session_lost(),
    "web page": lambda _: html_answer(200, "Welcome"),
    "not found": lambda _: html_answer(404, "Not Found"),
    "proxy": lambda _: html_answer(502, "Proxy Error"),
    "nothing": lambda _: http_answer(500),
    "licence": lambda sap: sap.error(500, -5027, "Switch company error: -5027"),
    "hang-up": lambda _: lambda _: None,
}


def test_each_mistake_has_a_sentence_of_its_own(make_client, company):
    sentences = set()
    for wrong in WRONG_LOGINS.values():
        company.login_scripts = [wrong(company)]
        line = ping(make_client())["login"]
        assert not line.ok
        assert line.hint
        sentences.add(line.detail)
    assert len(sentences) == len(WRONG_LOGINS)


def test_what_cannot_be_reached_says_why(make_client, serve, make_transport, certificates):
    context, _ = certificates.make()
    closed, secret = serve(http_answer(200)), serve(http_answer(200), tls=context)
    closed.close()
    roots = {
        "refused": f"{closed.url}/b1s/v2",
        "cannot be found": "https://nosuchname.invalid/b1s/v2",
        "not trusted": f"{secret.url}/b1s/v2",
        "No secure connection": f"https://127.0.0.1:{serve(http_answer(400)).port}/b1s/v2",
        "not call": "https://10.0.0.5/b1s/v2",
        "not allowed": "http://8.8.8.8/b1s/v2",
    }
    for words, root in roots.items():
        (line,) = checks(make_client(base_url=root), reads=[])
        assert (line.name, line.ok) == ("reach", False)
        assert words in line.detail
        assert line.hint


def test_an_entity_that_may_not_be_read_is_one_bad_line_among_good_ones(client, company):
    company.on("GET", "BusinessPartners", company.error(400, -6006, "You are not permitted to perform this action"))
    lines = ping(client)
    assert [name for name, line in lines.items() if not line.ok] == ["read:BusinessPartners"]
    assert "authorisation" in lines["read:BusinessPartners"].hint


def test_a_missing_user_defined_field_shows_before_the_first_posting(make_client, company):
    company.on("GET", "PurchaseInvoices", company.error(400, 201, "Property 'U_BW_InvoiceId' is invalid"))
    client = make_client(user_defined_id_field="U_BW_InvoiceId")
    line = ping(client)["write:PurchaseInvoices"]
    assert not line.ok
    assert "U_BW_InvoiceId" in line.detail
    assert "U_BW_InvoiceId" in company.calls_of("GET", "PurchaseInvoices")[0].query["$select"]


def test_approval_procedures_are_warned_of(client, company):
    company.on("POST", "CompanyService_GetAdminInfo", json_answer(ADMIN | {"EnableApprovalProcedureInDI": "tYES"}))
    line = ping(client)["approval"]
    assert (line.ok, line.warning, line.wants_a_look) == (True, True, True)
    assert "drafts" in line.detail
    assert "exempt user basware_if" in line.request


def test_admin_info_that_may_not_be_read_is_no_obstacle(client, company):
    company.on("POST", "CompanyService_GetAdminInfo", company.error(400, -6006, "not permitted"))
    assert ping(client)["write:PurchaseInvoices"].ok


def test_the_ping_address_lies_outside_the_service_root():
    settings = SapSettings("https://api.example.com:8443/ServiceLayer/b1s/v2/", "DB", "u", "p")
    assert settings.ping_url == "https://api.example.com:8443/ping/"
    assert settings.root == "https://api.example.com:8443/ServiceLayer/b1s/v2"


# --- what is new below HTTP


def probing(client):
    return Probe(client.settings.root, LOOPBACK, Limits(connect_timeout=2))


def test_the_network_is_looked_at_step_by_step_before_http(client, company):
    names = [check.name for check in checks(client, probing(client), reads=[])]
    assert names[:6] == ["dns", "tcp", "tls", "reach", "path", "login"]


def test_where_the_name_is_unknown_nothing_is_reached_and_asked(make_client, company):
    client = make_client(base_url="https://nosuchname.invalid/b1s/v2")
    dns, reach = checks(client, probing(client), reads=[])
    assert (dns.name, dns.ok, dns.code) == ("dns", False, "name_not_found")
    assert (reach.name, reach.ok) == ("reach", False)
    assert dns.detail in reach.detail
    assert "nosuchname.invalid" in dns.request


def test_a_path_that_is_not_the_service_layers_is_told_before_credentials_go_there(make_client, company, sap):
    client = make_client(base_url=f"{make_client().settings.root.rsplit('/b1s', 1)[0]}/B1S/{sap.version}")
    lines = checks(client, reads=[])
    assert next(lines).ok
    path = next(lines)
    assert (path.name, path.ok, path.code) == ("path", False, "path_wrong")
    assert "HTTP 404" in path.detail
    assert "service root" in path.request
    assert not company.logins


# --- permissions


def test_a_user_who_may_not_add_invoices_is_told_with_the_text_for_saps_administrator(client, company):
    company.on("POST", "PurchaseInvoices", company.error(400, -6006, "You are not permitted to perform this action"))
    line = ping(client)["write:PurchaseInvoices"]
    assert (line.ok, line.code) == (False, "not_permitted")
    assert "basware_if may not add PurchaseInvoices" in line.detail
    assert "grant user basware_if the authorization for Purchasing - A/P > A/P Invoice" in line.request
    assert "SBO_ACME_FI" in line.request


@pytest.mark.parametrize("words", ["Code undefined  [OPCH.CardCode]", "Invalid BP code [OPCH.CardCode]"])
def test_any_refusal_of_the_vendor_shows_that_the_user_may_add(client, company, words):
    company.on("POST", "PurchaseInvoices", company.error(400, -5002, words))
    line = ping(client)["write:PurchaseInvoices"]
    assert line.ok
    assert "nothing was stored" in line.detail


def test_nothing_is_tried_while_it_is_not_certain_that_the_vendor_does_not_exist(client, company):
    company.on("GET", NOBODY, json_answer({"CardCode": "~LB-PING-NONE~"}))
    line = ping(client)["write:PurchaseInvoices"]
    assert line.ok
    assert "could not be tried" in line.detail
    assert not company.calls_of("POST", "PurchaseInvoices")


def test_a_server_that_takes_the_impossible_document_is_told_with_its_number(client, company):
    company.on("POST", "PurchaseInvoices", json_answer({"DocEntry": 4711}, 201))
    line = ping(client)["write:PurchaseInvoices"]
    assert not line.ok
    assert "4711" in line.detail


# --- the company


def test_branches_are_named_and_their_absence_is_a_failure(client, company):
    company.on("POST", "CompanyService_GetAdminInfo", json_answer(ADMIN | {"EnableBranches": "tYES"}))
    places = [{"BPLID": 1, "BPLName": "Helsinki", "Disabled": "tNO"}, {"BPLID": 2, "Disabled": "tYES"}]
    company.on("GET", "BusinessPlaces", company.collection(places))
    assert "1 Helsinki" in ping(client)["branches"].detail
    company.on("GET", "BusinessPlaces", company.collection(places[1:]))
    line = ping(client)["branches"]
    assert (line.ok, line.code) == (False, "no_branch")
    assert "Assign Branches" in line.request


@pytest.mark.parametrize(("wanted", "other"), [("VatGroup", "TaxCode"), ("TaxCode", "VatGroup")])
def test_a_tax_field_without_codes_is_told_with_the_one_that_has_some(make_client, company, wanted, other):
    company.on("GET", "VatGroups", company.collection([]))
    company.on("GET", "SalesTaxCodes", company.collection([]))
    line = ping(make_client(tax_field=wanted))["tax"]
    assert (line.ok, line.code) == (False, "tax_field")
    assert f"Choose {other} or auto" in line.hint


def test_a_clock_that_goes_wrong_is_a_warning(client, company):
    late = "Fri, 20 Nov 2026 09:30:00 GMT"
    company.on("POST", "CompanyService_GetAdminInfo", json_answer(ADMIN, headers=[("Date", late)]))
    line = ping(client)["clock"]
    assert (line.ok, line.warning) == (True, True)
    assert "90 minutes" in line.detail


def test_an_own_field_that_is_missing_is_a_check_of_its_own(make_client, company):
    company.on("GET", "PurchaseInvoices", company.error(400, 201, "Property 'U_BW_Id' is invalid"))
    line = ping(make_client(user_defined_id_field="U_BW_Id"))["field"]
    assert (line.ok, line.code) == (False, "field_missing")
    assert "add the user-defined field U_BW_Id" in line.request


def test_what_a_person_mends_in_the_connection_needs_no_request(client, company):
    assert not any(line.request for line in ping(client).values())
