"""docs.stripe.com/webhooks/signature: `Stripe-Signature: t=…,v1=…`"""

import hashlib
import hmac


def sign(body: bytes, secret: str, timestamp: int) -> str:
    """The header's value: HMAC-SHA256 of "t.body" under the endpoint's secret, in hex."""
    signed = f"{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"
