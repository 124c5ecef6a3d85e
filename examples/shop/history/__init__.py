"""Earlier versions of the shop's models."""
