"""Names that strangers gave files, made safe; which files are taken; whether a file is what it says."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from syncengine.posting.attachments import (
    MOST_NAME,
    choose,
    content_problem,
    files_in,
    mark_in,
    named_by_content,
    safe_name,
)

INVOICE = "3f0c2a9e-1f5b-4d0e-9c55-0c1b8b7a2f11"
SAFE = re.compile(r"[A-Za-z0-9-]+_[0-9a-f]{12}_[A-Za-z0-9_-]+\.[a-z]{3,4}", re.ASCII)
HOSTILE = [
    "", ".", "..", "../../etc/passwd", "..\\..\\CON", "CON", "nul.pdf", "aux.tar.pdf", "a\x00.pdf", "a\r\nb.pdf",
    "x" * 5000 + ".pdf", "." * 300, "a.pdf.", "a.pdf ", "a.pdf::$DATA", "\u202efdp.exe", "ü\u0301.pdf", "\ud800.pdf",
    'a"; filename="evil.exe', "a.pdf/..", "C:\\windows\\system32", "~", "-rf", "$(id).pdf", "%2e%2e%2f.pdf", "a.PDF",
]  # fmt: skip


def listed(code: Any = "a", filename: str = "scan.pdf", **more: Any) -> dict[str, Any]:
    return {"externalCode": code, "filename": filename, "isConfidential": False, **more}


def chosen(*rows: Any, confidential: bool = False, most: int = 9) -> Any:
    return choose(INVOICE, rows, confidential=confidential, most=most)


@pytest.mark.parametrize("filename", HOSTILE)
def test_a_hostile_name_becomes_a_harmless_one(filename: str):
    name = safe_name(INVOICE, "code", filename)
    assert SAFE.fullmatch(name), name
    assert len(name) <= MOST_NAME


def test_ten_thousand_names_invoices_and_codes_become_safe_and_are_found_again():
    noise = random.Random(11)  # the same each time
    alphabet = "abcXYZ019-_. /\\:*?\"<>|\r\n\x00\t%$'`;&\u202e\u00fcé漢\U0001f600\ud800" + "".join(HOSTILE[:9])
    for _ in range(10_000):
        invoice, code, filename = ("".join(noise.choices(alphabet, k=noise.randrange(1, 90))) for _ in range(3))
        name = safe_name(invoice, code, filename)
        assert SAFE.fullmatch(name), (invoice, code, filename, name)
        assert len(name) <= MOST_NAME
        assert mark_in(name) == mark_in(safe_name(invoice, code, "another.png"))
        assert mark_in(name) != mark_in(safe_name(invoice, f"{code}x", filename))


def test_what_is_harmless_of_the_name_stays_readable():
    assert safe_name(INVOICE, "a", "Invoice 2026-11.PDF").split("_", 2)[2] == "Invoice-2026-11.pdf"


def test_a_file_is_found_again_among_the_lines_of_an_entry_whatever_its_case():
    name = safe_name(INVOICE, "a", "scan.pdf")
    lines = [{"FileName": name[:-4].upper(), "FileExtension": "PDF"}, {"FileName": "theirs"}, {"FileName": None}]
    assert files_in({"Attachments2_Lines": lines}) == {mark_in(name)}
    assert files_in(None) == files_in({}) == set()


def test_confidential_files_are_left_unless_they_are_wanted():
    rows = listed("a"), listed("b", isConfidential=True)
    assert [file.code for file in chosen(*rows).files] == ["a"]
    assert chosen(*rows).notes == ["1 confidential in Basware, left there"]
    assert [file.code for file in chosen(*rows, confidential=True).files] == ["a", "b"]


def test_too_many_files_are_cut_and_said_so():
    found = chosen(*(listed(str(number)) for number in range(5)), most=3)
    assert ([file.code for file in found.files], found.left_out) == (["0", "1", "2"], ["2 beyond the first 3"])


def test_a_file_without_a_code_is_said_and_one_listed_twice_is_one():
    found = chosen(listed(None), listed("a"), listed("a"), "no object")
    assert ([file.code for file in found.files], found.left_out) == (["a"], ["1 without a code"])


@pytest.mark.parametrize("nothing", [None, [], "x"])
def test_no_list_is_no_file(nothing: Any):
    found = choose(INVOICE, nothing, confidential=False, most=9)
    assert (found.files, found.notes, found.left_out) == ([], [], [])


@pytest.mark.parametrize(
    ("name", "content", "content_type", "problem"),
    [
        ("a.pdf", b"%PDF-1.7", "application/pdf", ""),
        ("a.pdf", b"\r\n%PDF-1.7", "", ""),
        ("a.pdf", b"%PDF-1.7", "application/octet-stream", ""),
        ("a.pdf", b"MZ\x90", "application/pdf", "it is no PDF file"),
        ("a.pdf", b"<html>", "application/pdf", "it is no PDF file"),
        ("a.pdf", b"", "application/pdf", "it is empty"),
        ("a.txt", b"MZ\x00\x01", "text/plain", "it is no text"),
        ("a.xml", b"<html>", "text/html; charset=utf-8", "the storage handed out a web page"),
        ("a.bin", b"#!/bin/sh", "", "its kind is not one that may be linked"),
        ("a.tiff", b"MM\x00*..", "image/tiff", ""),
        ("a.docx", b"PK\x03\x04", "", ""),
    ],
)
def test_a_file_has_to_be_what_its_name_says(name: str, content: bytes, content_type: str, problem: str):
    assert content_problem(name, content, content_type) == problem


def test_a_file_without_an_ending_is_named_by_what_it_begins_like():
    name = safe_name(INVOICE, "a", "scan")
    assert name.endswith("_scan.bin")
    assert named_by_content(name, b"%PDF-1.4").endswith("_scan.pdf")
    assert named_by_content(name, b"MZ").endswith("_scan.bin")
    assert named_by_content("a.txt", b"%PDF-1.4") == "a.txt"
