"""How Hypothesis tries the domain's properties."""

from hypothesis import settings

# A deadline measures the machine, which is shared, and not the rule under test.
settings.register_profile("counterfoil", deadline=None)
settings.load_profile("counterfoil")
