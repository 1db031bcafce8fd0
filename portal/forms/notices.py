"""How a member is told of each kind of notice, and the organization's Slack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from syncengine.notices import Kind
from syncengine.notices.kinds import WORDS
from tenants.models import HowToTell


class ChoicesForm(forms.Form):
    """One choice for each kind; the kinds decide the fields."""

    def __init__(self, data: Any = None, *, chosen: Mapping[str, str]) -> None:
        super().__init__(data)
        for kind in Kind:
            self.fields[kind.value] = forms.ChoiceField(
                label=WORDS[kind].title,
                help_text=WORDS[kind].explained,
                choices=HowToTell.choices,
                initial=chosen[kind.value],
            )


class SlackForm(forms.Form):
    """The URL is write-only: it is a secret, whoever has it may post."""

    url = forms.CharField(
        required=False,
        max_length=500,
        label="URL of the incoming webhook",
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
        help_text="From Slack, or from a chat that understands Slack's messages. It is kept encrypted and never shown.",
    )
    kinds = forms.MultipleChoiceField(
        required=False,
        label="Post these there",
        choices=[(kind.value, WORDS[kind].title) for kind in Kind],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )

    def clean_url(self) -> str:
        return str(self.cleaned_data["url"]).strip()
