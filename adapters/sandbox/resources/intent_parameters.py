"""What can be said to docs.stripe.com/api/payment_intents and docs.stripe.com/api/setup_intents."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from adapters.sandbox.parameters import (
    Cleared,
    ListParameters,
    MetadataGiven,
    Nested,
    Parameters,
    ShippingGiven,
    Text,
)
from adapters.sandbox.resources.instruments import PaymentMethodGiven, PaymentMethodType

FutureUsage = Literal["off_session", "on_session", ""] | UnsetType
OffSession = bool | Literal["one_off", "recurring"]
"""Whether the buyer is away, so that nobody could authenticate."""


class AutomaticPaymentMethods(Nested):
    """docs.stripe.com/api/payment_intents/create#create_payment_intent-automatic_payment_methods"""

    enabled: bool
    allow_redirects: Literal["always", "never"] = "always"


class MethodGiven(Parameters):
    """What to pay with: an id or fixed test token, or a method described in place."""

    payment_method: str | None = None
    payment_method_data: PaymentMethodGiven | None = None


class ConfirmIntent(MethodGiven):
    """What a confirmation of either kind says; a publishable key has to show the client secret."""

    client_secret: str | None = None
    mandate_data: dict[str, Any] | None = None
    return_url: str | None = None
    use_stripe_sdk: bool = False


class PaymentIntentGiven(MethodGiven):
    """What creating and updating have in common; an empty value unsets."""

    customer: Text = UNSET
    description: Text = UNSET
    metadata: MetadataGiven = UNSET
    receipt_email: Text = UNSET
    setup_future_usage: FutureUsage = UNSET
    shipping: ShippingGiven | Cleared | UnsetType = UNSET
    statement_descriptor: Text = UNSET
    statement_descriptor_suffix: Text = UNSET
    transfer_group: Text = UNSET


class CreatePaymentIntent(PaymentIntentGiven, kw_only=True):
    """docs.stripe.com/api/payment_intents/create; holding an amount to capture it later is left out."""

    amount: Annotated[int, Meta(ge=1)]
    currency: str
    automatic_payment_methods: AutomaticPaymentMethods | None = None
    capture_method: Literal["automatic", "automatic_async"] = "automatic_async"
    confirm: bool = False
    mandate_data: dict[str, Any] | None = None
    off_session: OffSession = False
    payment_method_types: list[PaymentMethodType] | None = None
    return_url: str | None = None
    use_stripe_sdk: bool = False


class UpdatePaymentIntent(PaymentIntentGiven):
    """docs.stripe.com/api/payment_intents/update"""

    amount: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    currency: str | UnsetType = UNSET


class RetrieveIntent(Parameters):
    """A publishable key has to show the intent's client secret."""

    client_secret: str | None = None


class ConfirmPaymentIntent(ConfirmIntent):
    """docs.stripe.com/api/payment_intents/confirm"""

    off_session: OffSession = False
    receipt_email: Text = UNSET
    setup_future_usage: FutureUsage = UNSET
    shipping: ShippingGiven | Cleared | UnsetType = UNSET


class CancelPaymentIntent(Parameters):
    """docs.stripe.com/api/payment_intents/cancel"""

    cancellation_reason: Literal["abandoned", "duplicate", "fraudulent", "requested_by_customer"] | None = (
        None
    )


class ListPaymentIntents(ListParameters):
    """docs.stripe.com/api/payment_intents/list"""

    customer: str | None = None


class SetupIntentGiven(MethodGiven):
    """What creating and updating have in common; an empty value unsets."""

    customer: Text = UNSET
    description: Text = UNSET
    metadata: MetadataGiven = UNSET


class CreateSetupIntent(SetupIntentGiven):
    """docs.stripe.com/api/setup_intents/create"""

    automatic_payment_methods: AutomaticPaymentMethods | None = None
    confirm: bool = False
    mandate_data: dict[str, Any] | None = None
    payment_method_types: list[PaymentMethodType] | None = None
    return_url: str | None = None
    usage: Literal["off_session", "on_session"] = "off_session"
    use_stripe_sdk: bool = False


class UpdateSetupIntent(SetupIntentGiven):
    """docs.stripe.com/api/setup_intents/update"""

    payment_method_types: list[PaymentMethodType] | None = None


class CancelSetupIntent(Parameters):
    """docs.stripe.com/api/setup_intents/cancel"""

    cancellation_reason: Literal["abandoned", "duplicate", "requested_by_customer"] | None = None


class ListSetupIntents(ListParameters):
    """docs.stripe.com/api/setup_intents/list"""

    customer: str | None = None
    payment_method: str | None = None


NewIntent = CreatePaymentIntent | CreateSetupIntent
Confirmation = NewIntent | ConfirmIntent
"""What can lead to an attempt: an intent that is new may be confirmed at once."""
