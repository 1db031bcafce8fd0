"""Attachments2 as a client meets it (contracts: SAP §8.7, §11 point 13)."""

from __future__ import annotations

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncengine.sandbox.sap_b1.attachments import file_parts
from syncengine.sandbox.server import SandboxRequest
from tests.sandbox.sap_b1.conftest import error_of

PDF = b"%PDF-1.7\r\n\x00\xff\xfe--boundary\r\n%%EOF"


@pytest.fixture
def send(client):
    """Sends parts of (part name, file name, content)."""

    def send(*parts, method="POST", path="Attachments2"):
        headers = {"Cookie": f"B1SESSION={client.session}"}
        files = [(part, (name, content, "application/octet-stream")) for part, name, content in parts]
        return requests.request(method, f"{client.root}/{path}", files=files, headers=headers, timeout=5)

    return send


def test_an_upload_answers_as_in_the_contract(send, sap):
    answer = send(("files", "8f2c1d_invoice.pdf", PDF))
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/Attachments2({made['AbsoluteEntry']})")
    assert "ETag" not in answer.headers
    (line,) = made["Attachments2_Lines"]
    assert (line["LineNum"], line["FileName"], line["FileExtension"]) == (1, "8f2c1d_invoice", "pdf")
    assert (line["TargetPath"], line["Override"]) == (r"\\srv-sap\attach", "tYES")
    assert line["AttachmentDate"] == f"{sap.company.today}T00:00:00Z"


def test_several_parts_become_lines_of_one_entry(send):
    made = send(("files", "a.pdf", b"1"), ("files", "b.xml", b"2"), ("files", "c.d.txt", b"3")).json()
    lines = made["Attachments2_Lines"]
    assert [(line["LineNum"], line["FileName"], line["FileExtension"]) for line in lines] == [
        (1, "a", "pdf"),
        (2, "b", "xml"),
        (3, "c.d", "txt"),
    ]


def test_entries_have_numbers_of_their_own(send):
    first, second = (send(("files", f"{name}.pdf", PDF)).json()["AbsoluteEntry"] for name in "ab")
    assert second == first + 1


def test_a_file_comes_back_byte_for_byte(client, send):
    entry = send(("files", "a.pdf", PDF), ("files", "b.bin", bytes(range(256)))).json()["AbsoluteEntry"]
    first = client.get(f"Attachments2({entry})/$value?filename='a.pdf'")
    assert (first.status_code, first.content) == (200, PDF)
    assert 'filename="a.pdf"' in first.headers["Content-Disposition"]
    assert client.get(f"Attachments2({entry})/$value?filename='b.bin'").content == bytes(range(256))
    assert client.get(f"Attachments2({entry})/$value").content == PDF


@pytest.mark.parametrize("name", ["other.pdf", "a", "a.PDF", "../a.pdf"])
def test_a_file_that_is_not_of_the_entry_is_not_found(client, send, name):
    entry = send(("files", "a.pdf", PDF)).json()["AbsoluteEntry"]
    send(("files", "other.pdf", PDF))
    refused = client.get(f"Attachments2({entry})/$value?filename='{name}'")
    assert error_of(refused)[:2] == (404, "-2028")


def test_a_file_that_is_gone_from_the_folder_is_not_found(client, send, sap):
    entry = send(("files", "a.pdf", PDF)).json()["AbsoluteEntry"]
    sap.company.collection("files").delete("a.pdf")
    assert error_of(client.get(f"Attachments2({entry})/$value?filename='a.pdf'"))[:2] == (404, "-2028")


def test_equal_names_share_one_file_in_the_folder(client, send):
    first = send(("files", "a.pdf", b"old")).json()["AbsoluteEntry"]
    send(("files", "a.pdf", b"new"))
    assert client.get(f"Attachments2({first})/$value?filename='a.pdf'").content == b"new"


def test_a_patch_appends_and_answers_nothing(client, send):
    entry = send(("files", "a.pdf", PDF)).json()["AbsoluteEntry"]
    answer = send(("files", "b.pdf", b"2"), method="PATCH", path=f"Attachments2({entry})")
    assert (answer.status_code, answer.content) == (204, b"")
    lines = client.read(f"Attachments2({entry})")["Attachments2_Lines"]
    assert [(line["LineNum"], line["FileName"]) for line in lines] == [(1, "a"), (2, "b")]
    assert send(("files", "b.pdf", b"2"), method="PATCH", path="Attachments2(999)").status_code == 404


@pytest.mark.parametrize(
    "part",
    [("file", "a.pdf", PDF), ("Files", "a.pdf", PDF), ("files", "noextension", PDF), ("metadata", "m.json", b"{}")],
)
def test_only_parts_named_files_with_an_extension_are_taken(client, send, part):
    assert error_of(send(part))[:2] == (400, "-1000")
    assert error_of(send(("files", "good.pdf", PDF), part))[:2] == (400, "-1000")
    assert client.rows("Attachments2") == []


def test_json_is_no_upload(client):
    body = {"Attachments2_Lines": [{"SourcePath": "C:\\temp", "FileName": "a", "FileExtension": "pdf"}]}
    assert error_of(client.post("Attachments2", body))[:2] == (400, "-1000")


@pytest.mark.parametrize("body", [b"", b"--x--\r\n", b"no parts at all"])
def test_a_multipart_without_parts_is_refused(client, body):
    headers = {"Cookie": f"B1SESSION={client.session}", "Content-Type": "multipart/form-data; boundary=x"}
    answer = requests.post(f"{client.root}/Attachments2", data=body, headers=headers, timeout=5)
    assert error_of(answer)[:2] == (400, "-1000")


def test_without_a_folder_nothing_is_stored_and_the_reason_is_told(client, send, sap):
    sap.company.change_settings(attachments_folder="")
    text = "The attachments folder is not defined, or it has been changed or removed."
    assert error_of(send(("files", "a.pdf", PDF))) == (400, "-5002", text)
    assert client.rows("Attachments2") == []
    assert client.read("CompanyService_GetPathAdmin")["AttachmentsFolderPath"] == ""
    sap.company.change_settings(attachments_folder=r"\\srv\new")
    assert send(("files", "a.pdf", PDF)).json()["Attachments2_Lines"][0]["TargetPath"] == r"\\srv\new"


def test_attachments_are_not_removed(client, send):
    entry = send(("files", "a.pdf", PDF)).json()["AbsoluteEntry"]
    refused = client.call("DELETE", f"Attachments2({entry})")
    assert error_of(refused) == (400, "220", "Attachments2 is not allowed to remove")
    assert client.read(f"Attachments2({entry})")["Attachments2_Lines"]


def test_an_attachment_is_put_on_an_invoice_before_or_after_posting(client, send, service_invoice):
    entry = send(("files", "a.pdf", PDF)).json()["AbsoluteEntry"]
    made = client.post("PurchaseInvoices", service_invoice | {"AttachmentEntry": entry}).json()
    assert made["AttachmentEntry"] == entry
    other = client.post("PurchaseInvoices", service_invoice).json()["DocEntry"]
    client.call("PATCH", f"PurchaseInvoices({other})", {"AttachmentEntry": entry})
    found = client.rows(f"PurchaseInvoices?$select=DocEntry&$filter=AttachmentEntry eq {entry}")
    assert len(found) == 2


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.from_regex(r"[A-Za-z0-9_-]{1,40}\.[a-z]{2,4}", fullmatch=True), st.binary(max_size=300))))
def test_whatever_bytes_a_multipart_carries_come_out_as_they_went_in(files):
    if not files:
        return
    prepared = requests.Request("POST", "http://x", files=[("files", pair) for pair in files]).prepare()
    headers = {"content-type": prepared.headers["Content-Type"]}
    assert file_parts(SandboxRequest("POST", "/x", "", headers, prepared.body)) == files
