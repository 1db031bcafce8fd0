"""The month-end guard: whether a posting period may be closed, with the evidence."""
