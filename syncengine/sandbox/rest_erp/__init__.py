"""A generic ERP with a small REST API (server.py)."""
