"""Amounts as people read them: in the language's way, with the decimals of their currency. What programs read (CSV,
API, inputs) is written elsewhere, without any of this."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from django.utils.formats import number_format

USUAL_DECIMALS = 2
# ISO 4217, where it is not two
_WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THREE = "BHD IQD JOD KWD LYD OMR TND"
DECIMALS = {code: places for codes, places in ((_WITHOUT, 0), (_WITH_THREE, 3)) for code in codes.split()}


def amount_words(amount: Decimal, currency: str = "") -> str:
    """1,234.50 EUR; 1.234,50 EUR in German. More places than the currency has only where they are not zero."""
    places = DECIMALS.get(currency, USUAL_DECIMALS)
    rounded = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if rounded != amount:
        rounded = amount.normalize()
    exponent = rounded.as_tuple().exponent
    shown = number_format(rounded, max(-exponent, 0) if isinstance(exponent, int) else 0, force_grouping=True)
    return f"{shown} {currency}".strip()


def number_words(value: float, places: int = 1) -> str:
    """2.5 of 2.46, `2,5` in German: rounded first, for Django's own formatting cuts."""
    return str(number_format(Decimal(f"{value:.{places}f}"), places))
