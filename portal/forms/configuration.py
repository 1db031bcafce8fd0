"""A configuration that somebody uploads."""

from __future__ import annotations

from typing import Any

from django import forms

from portal.api.parsers import read_json

LARGEST = 2 * 2**20


class ConfigurationForm(forms.Form):
    """A file, or the text of one that was looked at before."""

    file = forms.FileField(required=False, label="Configuration file", help_text="As this page exports it.")
    text = forms.CharField(required=False, widget=forms.HiddenInput, strip=False, max_length=LARGEST)

    def clean(self) -> dict[str, Any]:
        """`configuration` is what the file holds, `text` the file itself."""
        cleaned: dict[str, Any] = super().clean() or {}
        upload = cleaned.get("file")
        if upload is not None and upload.size > LARGEST:
            raise forms.ValidationError("This file is too large to be a configuration.")
        try:
            cleaned["text"] = upload.read().decode("utf-8-sig") if upload is not None else cleaned.get("text", "")
            cleaned["configuration"] = read_json(cleaned["text"])
        except ValueError:
            raise forms.ValidationError("Choose a file that was exported here: this is not JSON.") from None
        return cleaned
