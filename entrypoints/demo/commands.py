"""What to try while the demo stays up: lines for a shell, which work as they stand."""

from entrypoints.demo.shop import FEATURE, PRICE

_LINES = """
export API={api} KEY={key}
export STRIPE={stripe} PUBLISHABLE_KEY={publishable_key}

# A customer: twice is once
curl -sS -w '\\n' $API/v1/customers -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
  -d '{{"external_id": "user_1", "email": "grace@example.com", "name": "Grace"}}'
curl -sS -w '\\n' $API/v1/customers/user_1 -H "Authorization: Bearer $KEY"

# May she, and she did: sent again, it is the same usage
curl -sS -w '\\n' $API/v1/check -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
  -d '{{"customer": "user_1", "feature": "{feature}", "required": 2}}'
curl -sS -w '\\n' $API/v1/track -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
  -H "Idempotency-Key: downloads-1" -d '{{"customer": "user_1", "feature": "{feature}", "amount": 2}}'

# A checkout for her, and how her browser pays it (pm_card_visa_chargeDeclined is a card that is declined)
SESSION=$(curl -sS $API/v1/checkout-sessions -H "Authorization: Bearer $KEY" \\
  -H "Content-Type: application/json" -d '{{"type": "product", "price": "{price}", "customer": "user_1"}}')
SECRET=$(echo "$SESSION" | sed 's/.*"client_secret": *"\\([^"]*\\)".*/\\1/')
curl -sS -w '\\n' $STRIPE/v1/payment_intents/${{SECRET%_secret_*}}/confirm -u $PUBLISHABLE_KEY: \\
  -d client_secret=$SECRET -d payment_method=pm_card_visa -d return_url=$API/

# Her own page, with all that is hers: a link that lets her in, once
curl -sS -w '\\n' -X POST $API/v1/customers/user_1/portal-link -H "Authorization: Bearer $KEY"

# Everything that has happened, in order
curl -sS -w '\\n' "$API/v1/events?after=0&limit=100" -H "Authorization: Bearer $KEY"
"""


def commands_to_try(api: str, key: str, stripe: str, publishable_key: str) -> str:
    """Create a customer, read it, use something, sell it something, pay as its browser would, and read the
    events."""
    return _LINES.format(
        api=api, key=key, stripe=stripe, publishable_key=publishable_key, price=PRICE, feature=FEATURE
    )
