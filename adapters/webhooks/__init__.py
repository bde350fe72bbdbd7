"""Webhooks out: events, signed, to wherever organizations want to be told of them."""
