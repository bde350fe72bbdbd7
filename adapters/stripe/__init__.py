"""The payment provider is Stripe: its gateway, its webhooks, and the only place that knows its words."""
