"""The kinds of text that come from outside, each with its limits."""

import hashlib
import re
import unicodedata
from typing import Annotated, NewType

from msgspec import Meta

from domain.errors import Rejected

# PostgreSQL stores no NUL, in text or in jsonb: refused where text arrives.
_NO_NUL = r"\A[^\x00]*\Z"

# Neither spaces nor what steers a terminal. Written out, as every language means something else by \s.
_UNSEEN = r"\s\x00-\x1f\x7f-\x9f\ufeff"
EMAIL = rf"\A[^@{_UNSEEN}]+@[^@{_UNSEEN}]+\Z"
URL = rf"\Ahttps?://[^{_UNSEEN}]+\Z"

EmailKey = NewType("EmailKey", str)

Name = Annotated[str, Meta(min_length=1, max_length=256, pattern=_NO_NUL)]
Slug = Annotated[str, Meta(max_length=64, pattern=r"\A[a-z0-9][a-z0-9_-]*\Z")]
Group = Annotated[str, Meta(max_length=64, pattern=r"\A[a-z0-9_-]*\Z")]
LONGEST_EMAIL = 254
"""RFC 5321, 4.5.3.1.3, without its brackets."""

Email = Annotated[str, Meta(max_length=LONGEST_EMAIL, pattern=EMAIL)]
Url = Annotated[str, Meta(max_length=2048, pattern=URL)]
MetadataKey = Annotated[str, Meta(min_length=1, max_length=40, pattern=_NO_NUL)]
MetadataValue = Annotated[str, Meta(max_length=500, pattern=_NO_NUL)]
# Stripe's own limits (docs.stripe.com/api/metadata), so that ours can always be copied there.
MOST_METADATA = 50
Metadata = Annotated[dict[MetadataKey, MetadataValue], Meta(max_length=MOST_METADATA)]
Fingerprint = Annotated[str, Meta(min_length=1, max_length=255, pattern=_NO_NUL)]
"""Of the person behind a customer, such as a hash of their device: by it a trial is given once."""

STRIPE_CUSTOMER = r"\Acus_[A-Za-z0-9_]{1,251}\Z"
StripeCustomerId = Annotated[str, Meta(pattern=STRIPE_CUSTOMER)]

# A customer's id, or any external id: what else is asked for can be nobody's.
CUSTOMER_REFERENCE = r"\A[A-Za-z0-9_-]{1,255}\Z"

# A user's, likewise.
USER_REFERENCE = r"\A[0-9a-zA-Z_-]{1,255}\Z"

# An entity's id, or any external id of one.
ENTITY_REFERENCE = r"\A[0-9A-Za-z_-]{1,255}\Z"
NamedEntity = Annotated[str, Meta(extra_json_schema={"pattern": ENTITY_REFERENCE})]
"""Checked by `entity.named_entity`, with the messages of external ids."""

OUR_PREFIXES = ("cus_", "anon_")
"""Of our own ids of customers, and of the external ids that we give to anonymous ones."""

ExternalId = Annotated[str, Meta(extra_json_schema={"pattern": r"^(?!cus_|anon_)[A-Za-z0-9_-]{1,255}$"})]
"""Checked by `external_id`, which has messages of its own; the pattern says the same in schemas."""

NamedCustomer = Annotated[str, Meta(extra_json_schema={"pattern": CUSTOMER_REFERENCE})]
"""Checked by `named_customer`, with the messages of external ids."""

_ALLOWED = "Use only letters, numbers, underscores, and hyphens."


LONGEST_SEARCH = 64
"""Characters by which somebody is looked for; those of a name that come later are not looked at."""


def email_key(email: str) -> EmailKey:
    """What two spellings of one address have in common; addresses are compared by nothing else.

    Two keys are the same only where mail for the one arrives where mail for the other does: whoever proves
    an address is given what belongs to its key. So letters that merely look alike, or stand for each other
    in a search, stay apart: `ß` and `ss` are two domains (RFC 5894, 7.2), as are the two small forms of
    sigma, and a Roman numeral is no `i`. What is the same is one letter, written large or small.

    PostgreSQL's `lower` and Python's differ, so this one function decides, and the result is stored. What is
    longer than an address may be is cut, but not to what could be one.
    """
    composed = unicodedata.normalize("NFC", email.strip())
    return EmailKey(unicodedata.normalize("NFC", "".join(map(_lowered, composed)))[: LONGEST_EMAIL + 1])


def email_search_key(text: str) -> str:
    """What the key of an address begins with that begins like this."""
    return email_key(text)[:LONGEST_SEARCH]


def search_key(text: str) -> str:
    """What a name or an external id begins with, for whoever looks for it in whichever letters."""
    return _folded(text)[:LONGEST_SEARCH]


def _lowered(letter: str) -> str:
    """The letter as it is written small, where that can be taken back; `ẞ`, `İ` and the like stay."""
    small = letter.lower()
    return small if small.upper() == letter else letter


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.strip()).casefold()


def fingerprint_key(fingerprint: str) -> str:
    """What is kept of a fingerprint to know it again, also when the customer is to be forgotten.

    PostgreSQL makes the same of it, by the function of the same name.
    """
    return hashlib.sha256(fingerprint.encode()).hexdigest()


def external_id(value: str, *, field: str = "external_id", reserved: tuple[str, ...] = ()) -> str:
    """The application's own id of a customer, checked: letters, digits, `_` and `-` (document 003).

    Not starting with one of our prefixes, or of those `reserved`, which would be taken for an id of ours.
    Raises Rejected `invalid_external_id`.
    """

    def refuse(message: str) -> Rejected:
        return Rejected("invalid_external_id", message, field=field)

    if value == "":
        raise refuse("can't be an empty string")
    for symbol, named in (("@", "@ symbol"), (" ", "spaces"), (".", "periods")):
        if symbol in value:
            raise refuse(f"cannot contain {named}. {_ALLOWED}")
    offending = re.search(r"[^a-zA-Z0-9_-]", value)
    if offending:
        raise refuse(f"cannot contain '{offending[0]}'. {_ALLOWED}")
    for prefix in (*OUR_PREFIXES, *reserved):
        if value.startswith(prefix):
            raise refuse(f"cannot start with '{prefix}', which marks ids given by Counterfoil.")
    if len(value) > 255:
        raise refuse("cannot be longer than 255 characters.")
    return value


def named_customer(value: str, *, field: str = "customer") -> str:
    """The id or external id of a customer who may have to be made, checked as an external id is. Raises
    Rejected `invalid_external_id`."""
    is_ours = value.startswith(OUR_PREFIXES) and re.match(CUSTOMER_REFERENCE, value)
    return value if is_ours else external_id(value, field=field)
