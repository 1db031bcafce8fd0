"""How dates and times are written, by language; numbers follow Django's own formats."""
