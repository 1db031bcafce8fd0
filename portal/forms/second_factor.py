"""Codes of second factors, of which only so many may be tried.

allauth counts them under the same setting as wrong passwords; those are counted by axes, by person and address, so
that nobody can lock somebody else out. Who gets to try codes knows the password already.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms

from portal.rates import Rate

CODES = Rate(5, 300)


class _Limited(forms.Form):
    user: Any

    def clean_code(self) -> str:
        if wait := CODES.exceeded(f"second-factor:{self.user.pk}"):
            raise forms.ValidationError(f"Too many codes were tried. Try again in {wait} seconds.", "too_many")
        code: str = super().clean_code()  # type: ignore[misc]  # allauth's form comes after this one
        return code


class LimitedAuthenticateForm(_Limited, AuthenticateForm):  # type: ignore[misc]  # the library has no annotations
    """The second half of logging in."""


class LimitedReauthenticateForm(_Limited, ReauthenticateForm):  # type: ignore[misc]  # the library has no annotations
    """Confirming that it is oneself."""
