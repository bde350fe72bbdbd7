"""What a draft of a customer may be known by, as the functions of sql/*.sql take it."""

from domain.customer import NewCustomer
from domain.text import email_key, fingerprint_key


def keys_of(draft: NewCustomer) -> tuple[str | None, ...]:
    """E-mail, pricing model, user, customer at Stripe and fingerprint; null what is not said."""
    return (
        email_key(draft.email) if draft.email is not None else None,
        draft.pricing_model_id,
        draft.user_id,
        draft.stripe_customer_id,
        fingerprint_key(draft.fingerprint) if draft.fingerprint is not None else None,
    )
