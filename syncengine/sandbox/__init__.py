"""Faithful servers of both remote systems, for the demo, for tests and for a customer's first look."""
