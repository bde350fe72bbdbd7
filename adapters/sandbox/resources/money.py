"""Which currencies Stripe takes and the least it charges in each (docs.stripe.com/currencies)."""

from adapters.sandbox.errors import invalid

CURRENCIES = frozenset(
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn "
    "bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf "
    "gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp "
    "lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab "
    "pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs "
    "tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw".split()
)
ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())

WHOLE_UNITS_ONLY = frozenset(("isk", "ugx"))
"""Amounts have two decimals, which have to be 00 (docs.stripe.com/currencies#special-cases)."""

MINIMUM: dict[str, int] = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
    "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
"""In the minor unit; a currency not named here has no minimum in the sandbox."""
MAXIMUM = 99_999_999


def check_amount(amount: int, currency: str) -> None:
    """Refuse what Stripe would not charge: docs.stripe.com/error-codes#amount-too-small and -too-large."""
    if currency not in CURRENCIES:
        message = f"Invalid currency: {currency}. Stripe currently supports these currencies: "
        raise invalid(message + ", ".join(sorted(CURRENCIES)), "currency")
    check_divisible(amount, currency)
    least = MINIMUM.get(currency, 1)
    if amount < least:
        raise invalid(f"Amount must be at least {shown(least, currency)}", "amount", "amount_too_small")
    if amount > MAXIMUM:
        raise invalid(f"Amount must be no more than {shown(MAXIMUM, currency)}", "amount", "amount_too_large")


def check_divisible(amount: int, currency: str) -> None:
    """Some currencies are given with more decimals than they have."""
    if currency in THREE_DECIMAL and amount % 10:  # docs.stripe.com/currencies#three-decimal
        raise invalid(f"Invalid amount. The last digit of an amount in {currency} must be 0.", "amount")
    if currency in WHOLE_UNITS_ONLY and amount % 100:
        message = f"Invalid amount. Amounts in {currency} must be evenly divisible by 100."
        raise invalid(message, "amount", "invalid_charge_amount_no_decimal_compatible")


def shown(amount: int, currency: str) -> str:
    """An amount in Stripe's words."""
    places = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    return f"{amount / 10**places:,.{places}f} {currency}"
