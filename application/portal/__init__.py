"""The billing portal: how buyers get in, and what they do there."""
