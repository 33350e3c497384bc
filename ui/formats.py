"""Figures, money, times of day and names of countries, as the window's language writes them."""

from __future__ import annotations

import math
from datetime import datetime

from .strings import Strings


def count(number: int, texts: Strings) -> str:
    """A whole number: 12,345 or 12.345."""
    from babel.numbers import format_decimal

    return str(format_decimal(number, locale=texts["code"]))


def seconds(value: float, texts: Strings) -> str:
    """Seconds, to a tenth."""
    from babel.numbers import format_decimal

    figure = format_decimal(value, format="0.0", locale=texts["code"])
    return texts["seconds"].format(seconds=figure)


def money(dollars: float, texts: Strings) -> str:
    """US dollars: at least cents, and of what is less than a cent its first two figures."""
    from babel.numbers import format_currency

    places = max(2, 1 - math.floor(math.log10(dollars))) if dollars > 0 else 2
    return str(
        format_currency(
            round(dollars, places),
            "USD",
            locale=texts["code"],
            currency_digits=False,
            decimal_quantization=False,
        )
    )


def country(place: str, texts: Strings) -> str:
    """The name of a country.

    Args:
        place: Its ISO 3166 code.
        texts: The window's texts.
    """
    from babel import Locale

    return str(Locale(texts["code"]).territories.get(place, place))


def time_of_day(moment: float, texts: Strings) -> str:
    """The time of day on this machine, of seconds since the epoch."""
    from babel.dates import format_time

    there = datetime.fromtimestamp(moment).astimezone()
    # The formats of some languages hold a space that does not break, which fonts may lack.
    return str(format_time(there, "short", locale=texts["code"])).replace("\u202f", " ")
