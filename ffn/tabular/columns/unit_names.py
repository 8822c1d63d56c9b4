"""Known units of numbers: currencies, percent and units of measurement."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["DOLLARS", "is_currency", "is_measure", "is_unit_in_words"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Current ISO 4217 codes, and traded cryptocurrencies.
_CODES = _set(
    """
    AED AFN AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTC BTN BWP
    BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB ETH EUR FJD FKP
    GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS
    KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TRY TTD TWD
    TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW USDT
    """
)
_NAMES = _set("Rs Rs. kr kr. Kr Kr. Fr Fr. SFr. zł Kč Ft lei RM Rp R$ S/")
DOLLARS = _set("$ £ ¥ ₹ ₩ ₱ ₦ US$ A$ AU$ C$ CA$ HK$ NZ$ S$ USD GBP AUD CAD JPY INR")
"""Currencies of countries that write 1,234.50: comma for thousands, point for decimals."""

# The last ones are multipliers, which are written like units.
_MEASURES = _set(
    """
    % ‰ ° °C °F ℃ ℉ °K bp bps pp nm µm μm mm cm dm m km in ft yd mi nmi mm² cm² m² km² m2 km2 ft²
    ft2 sqft sqm ha ac acres mm³ cm³ m³ m3 ft³ ft3 cc ml mL cl cL dl dL l L hl gal oz fl.oz pt qt
    µg μg mcg mg g kg t lb lbs ct ns µs μs ms s sec secs min mins h hr hrs d wk wks mo mos yr
    yrs y Hz kHz MHz GHz mV V kV mA A W kW MW GW Wh kWh MWh J kJ MJ cal kcal Pa hPa kPa MPa mbar
    bar psi atm mmHg N kN Nm K B kB KB MB GB TB PB KiB MiB GiB TiB bit kbit Mbit Gbit kbps Mbps
    Gbps rpm mph kph kmh km/h m/s ft/s kn kt mpg l/100km dB dBm lm lx cd mol mmol mmol/L mg/L
    mg/dL g/L g/dL g/km µg/L ppm ppb px x MP mAh Ah inch inches feet miles cells/µL IU U/L dpi fps
    hp PS bhp k M mn Mio mio bn Mrd
    """
)
_WORDS = re.compile(r"[^\W\d_]+\.?(?:[ /][^\W\d_]+\.?){0,2}")
_LONGEST = 24


def is_currency(text: str) -> bool:
    """Return whether ``text`` is a currency: a sign with up to three letters, a code or a name."""
    if text in _CODES or text in _NAMES:
        return True
    signs = [sign for sign in text if unicodedata.category(sign) == "Sc"]
    letters = [sign for sign in text if sign.isascii() and sign.isupper()]
    return len(signs) == 1 and len(letters) <= 3 and len(text) == 1 + len(letters)


def is_measure(text: str) -> bool:
    """Return whether ``text`` is a known unit, such as percent or one of length or time."""
    return text in _MEASURES


def is_unit_in_words(text: str) -> bool:
    """Return whether ``text`` may be a spelt-out unit, such as ``months`` or ``km per hour``."""
    return len(text) <= _LONGEST and bool(_WORDS.fullmatch(text))
