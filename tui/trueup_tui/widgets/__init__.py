"""Small things that several screens use."""
