"""Measures of the code that no linter has: run by `make lint`, tested like the rest."""
