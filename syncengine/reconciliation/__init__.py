"""Reconciliation: every invoice that Basware approved in a period against what SAP holds, both read afresh."""
