"""What can be taken from a database without anybody noticing, and why (see sabotage.py)."""

OURS = "its ids are made by us, no two alike"
_HEAD = "whoever changes the catalog writes its head: catalogs_one and the head's version come first"
_NEVER_CHANGED = "no use case changes one"
EXCUSES = {
    "balance_entries_pkey": "whoever moves a balance locks its customer first: one at a time",
    "events_sequence": "one at a time gives numbers: the lock in sequence_events comes first",
    "features_slug": _HEAD,
    "invoices_number": "whoever gives numbers writes the oldest that waits, whose version comes first",
    "invoices_one_per_period": "whoever bills a period moves its subscription, whose version comes first",
    "invoices_one_per_purchase": "whoever bills a purchase changes its session, whose version comes first",
    "prices_slug": _HEAD,
    "pricing_models_one_default": _HEAD,
    "pricing_models_slug": _HEAD,
    "products_one_default": _HEAD,
    "products_slug": _HEAD,
    "purchases_one_per_session": "whoever makes a purchase changes its session, whose version comes first",
    "route_api_keys_pkey": "secrets are made by us, no two alike",
    "schema_functions_pkey": "only migrate writes it, under a lock",
    "schema_migrations_pkey": "only migrate writes it, under a lock",
    "users_stripe_customer": "Stripe gives each user another",
    "version of balances": "whoever moves one ends a subscription, whose version comes first",
    "version of features": _HEAD,
    "version of payment_methods": _NEVER_CHANGED,
    "version of prices": _HEAD,
    "version of pricing_models": _HEAD,
    "version of products": _HEAD,
    "version of purchases": "whoever pays one makes or changes its invoice, whose key or version comes first",
    "version of subscription_items": _NEVER_CHANGED,
}
"""What guards nothing that something else does not guard too, and what that is."""
