"""What the demo's organization sells, and the cards that are tried on it (docs.stripe.com/testing)."""

from entrypoints.demo.screen import Json

DECLINED, GOOD = "4000 0000 0000 0002", "4242 4242 4242 4242"
PRICE = "handbook-once"
FEATURE, INCLUDED, USED = "downloads", 5, 4
CATALOG: Json = {
    "features": [{"slug": FEATURE, "name": "Downloads", "type": "metered"}],
    "pricing_models": [
        {
            "slug": "standard",
            "name": "Standard",
            "is_default": True,
            "products": [
                {
                    "slug": "free",
                    "name": "Free plan",
                    "is_default": True,
                    "features": [{"slug": FEATURE, "included": INCLUDED, "reset": "month"}],
                    "prices": [
                        {
                            "slug": "free-monthly",
                            "type": "subscription",
                            "amount": 0,
                            "currency": "usd",
                            "interval": "month",
                        }
                    ],
                },
                {
                    "slug": "handbook",
                    "name": "The Handbook",
                    "group": "books",
                    "prices": [
                        {"slug": PRICE, "type": "single_payment", "amount": 1250, "currency": "usd"},
                    ],
                },
            ],
        }
    ],
}
