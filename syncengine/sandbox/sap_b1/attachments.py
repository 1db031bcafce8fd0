"""Attachments2: upload as multipart, append, download, no delete (contracts: SAP §8.7)."""

from __future__ import annotations

import base64
import re
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from syncengine.sandbox.sap_b1.company import Company
from syncengine.sandbox.sap_b1.errors import business_error, not_found, payload_error
from syncengine.sandbox.server import SandboxRequest, SandboxResponse

Document = dict[str, Any]

NO_FOLDER = "The attachments folder is not defined, or it has been changed or removed."


class Attachments:
    def __init__(self, company: Company) -> None:
        self._company = company

    def upload(self, request: SandboxRequest) -> Document:
        entry = self._company.next_entry("Attachments2")
        document: Document = {"AbsoluteEntry": entry, "Attachments2_Lines": []}
        return self.append(document, request)

    def append(self, document: Document, request: SandboxRequest) -> Document:
        """Every part named `files` becomes a line; equal names overwrite, as they share the company's folder."""
        if not self._company.settings["attachments_folder"]:
            raise business_error(NO_FOLDER)
        for name, content in file_parts(request):
            stem, _, extension = name.rpartition(".")
            lines = document["Attachments2_Lines"]
            lines.append(
                {
                    "AbsoluteEntry": document["AbsoluteEntry"],
                    "LineNum": len(lines) + 1,
                    "FileName": stem,
                    "FileExtension": extension,
                    "TargetPath": self._company.settings["attachments_folder"],
                    "AttachmentDate": self._company.today,
                    "Override": "tYES",
                }
            )
            self._company.collection("files").put(name, {"content": base64.b64encode(content).decode()})
        return self._company.collection("Attachments2").put(document["AbsoluteEntry"], document)

    def download(self, document: Document, request: SandboxRequest) -> SandboxResponse:
        wanted = request.params.get("filename", "").strip("'")
        names = [f"{line['FileName']}.{line['FileExtension']}" for line in document["Attachments2_Lines"]]
        name = wanted or next(iter(names), "")
        file = self._company.collection("files").get(name) if name in names else None
        if file is None:
            raise not_found()
        disposition = ("Content-Disposition", f'attachment; filename="{name}"')
        content = base64.b64decode(file["content"])
        return SandboxResponse(200, content, [("Content-Type", "application/octet-stream"), disposition])


def file_parts(request: SandboxRequest) -> list[tuple[str, bytes]]:
    """Name and content of each part; anything but parts named `files` with a file name is refused (-1000)."""
    content_type = request.header("content-type")
    if not content_type.startswith("multipart/form-data"):
        raise payload_error("Malformed multipart: multipart/form-data is expected")
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + request.body)
    parts = list(message.iter_parts()) if message.is_multipart() else []
    if not parts:
        raise payload_error("Malformed multipart: no parts")
    return [_file(part) for part in parts]


def _file(part: Any) -> tuple[str, bytes]:
    name, file_name = part.get_param("name", header="content-disposition"), part.get_filename()
    if name != "files" or not file_name or not re.search(r"\.\w+$", file_name):
        raise payload_error("Malformed multipart: only parts named 'files' with a file name and extension are taken")
    return file_name, part.get_payload(decode=True)
