"""What a person does about SAP's error codes and texts (contracts: SAP §3.3). Wording only: no control flow here."""

from __future__ import annotations

import re

_BY_TEXT: tuple[tuple[str, str], ...] = (
    (r"specify an active branch", "Name the branch of the invoice in lookup `branches`."),
    (r"update the exchange rate", "Enter the exchange rate for that date in SAP, then replay."),
    (r"deviates from permissible range", "The date is outside the window of its posting period: open it in SAP."),
    (r"posting period locked", "Open the posting period in SAP, or set the policy to post on the first open day."),
    (r"numbering series", "Give the SAP user a default numbering series for this document and period."),
    (r"base documents? has already been closed", "The order or receipt is closed in SAP: code the row without it."),
    (r"card and target document card do not match", "Vendor of invoice and order differ: correct one of them."),
    (r"document type and target document type", "Item and service orders cannot be mixed with the other kind."),
    (r"invalid bp code|customer record not found|\.CardCode\]", "Check that the vendor exists in SAP."),
    (r"attachments? folder", "Set the attachments folder of the company in SAP."),
    (r"item number is missing", "The row needs an item, or the document must be a service document."),
    (r"is inactive", "Activate it in SAP, or choose another one."),
    (r"field size deviates|too long", "A text is longer than SAP allows: shorten it in the mapping."),
    (r"not permitted|authoriz|authoris", "Give the SAP user the authorisation for this document."),
)
_BY_CODE: dict[int, str] = {
    201: "The query does not fit this SAP version or company; a user-defined field may be missing.",
    -1000: "The mapping sends a field that SAP does not know: correct the mapping.",
    -1002: "This SAP version or licence does not offer that service.",
    -1004: "The value is not in the list of valid values of that field: correct the mapping or lookup.",
    -2028: "Something that the document refers to does not exist in SAP.",
    -2035: "It exists in SAP already.",
    -1116: "A rule of your own company in SAP (transaction notification) refused it: follow its text.",
    -2039: "Somebody else has the record open or changed it; it is tried again by itself.",
    -4002: "Give the SAP user a default numbering series for this document and period.",
    -4013: "Open the posting period in SAP, or set the policy to post on the first open day.",
    -6006: "Give the SAP user the authorisation for this document.",
    -5006: "SAP does not allow this for posted documents.",
    299: "SAP was busy with other logins; it is tried again by itself.",
    407: "One node of SAP's server is in trouble; the next try goes to another one.",
}
_ELSE = "Read SAP's text: the field in brackets is the one to mend, in Basware, in the mapping or in SAP. Then replay."


def hint_for(code: int | None, message: str) -> str:
    """A sentence for the text if it is a known one, else for the code, else the general one."""
    for pattern, hint in _BY_TEXT:
        if re.search(pattern, message, re.IGNORECASE):
            return hint
    return _BY_CODE.get(code, _ELSE) if code is not None else _ELSE
