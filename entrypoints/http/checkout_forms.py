"""What buyers write into the forms of the hosted page: who they are, whom to bill, and how many they want."""

from typing import Self

from msgspec import UNSET, Struct, UnsetType, ValidationError, convert

from domain.checkout import BuyerDetails, CheckoutSession
from domain.errors import Rejected
from domain.money import MAX_QUANTITY
from entrypoints.http.field_errors import wrong_field
from entrypoints.http.pages import asset

COUNTRIES = sorted(
    (tuple(line.split("\t")) for line in asset("countries.tab").splitlines() if not line.startswith("#")),
    key=lambda country: country[1],
)
"""ISO codes with the names of their countries, by name."""

ADDRESS = ("country", "line1", "line2", "city", "state", "postal_code")
"""The fields of a billing address, as they are named in a form too."""

_NAMED = {"customer_email": "email", "customer_name": "name"}
_SAID_WRONG = {
    "customer_email": "This is not an e-mail address.",
    "customer_name": "This name is too long.",
    "quantity": f"Please give a whole number from 1 to {MAX_QUANTITY:,}.",
    "billing_address.country": "Please choose a country.",
}
_SAID_REFUSED = {"amount_too_large": "So many cannot be paid at once. Please take fewer."}


class BuyerForm(Struct, frozen=True):
    """A form as it was sent, with the session's client token in it. What it does not have stays as it is;
    what was left empty is taken back."""

    token: str = ""
    quantity: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    line1: str | UnsetType = UNSET
    line2: str | UnsetType = UNSET
    city: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    postal_code: str | UnsetType = UNSET

    def details(self) -> BuyerDetails:
        """What it says. Raises Rejected `invalid_value`, with the field and words for the buyer."""
        said: dict[str, object] = {}
        if self.quantity is not UNSET:
            said["quantity"] = _number(self.quantity.strip())
        if self.email is not UNSET:
            said["customer_email"] = self.email.strip() or None
        if self.name is not UNSET:
            said["customer_name"] = self.name.strip() or None
        sent = self.values()
        if any(field in sent for field in ADDRESS):
            said["billing_address"] = {
                field: sent[field].strip() for field in ADDRESS if sent.get(field, "").strip()
            } or None
        try:
            return convert(said, BuyerDetails)
        except ValidationError as error:
            field = wrong_field(str(error)).field or ""
            raise Rejected(
                "invalid_value", _SAID_WRONG.get(field, "This is too long."), field=field
            ) from None

    def values(self) -> dict[str, str]:
        """What was sent, by the names of its fields."""
        every = {field: getattr(self, field) for field in self.__struct_fields__ if field != "token"}
        return {field: text for field, text in every.items() if text is not UNSET}


class Refused(Struct, frozen=True):
    """A form that was refused, and the words that stand beside the field at fault."""

    form: BuyerForm
    field: str
    words: str

    @classmethod
    def of(cls, form: BuyerForm, refusal: Rejected) -> Self:
        """This form, for that reason."""
        field = refusal.field or ""
        words = _SAID_REFUSED.get(refusal.code, refusal.detail)
        return cls(form, _NAMED.get(field, field.rpartition(".")[2]), words)


def known_values(session: CheckoutSession) -> dict[str, str]:
    """What a form begins with: what the session says already, by the names of its fields."""
    address = session.billing_address
    return {
        "quantity": str(session.quantity),
        "email": session.customer_email or "",
        "name": session.customer_name or "",
        **{field: getattr(address, field, None) or "" for field in ADDRESS},
    }


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
