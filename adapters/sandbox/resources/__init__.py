"""What Stripe keeps: one file per kind of object and what can be done with it. Pure."""
