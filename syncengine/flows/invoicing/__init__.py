"""The steps of one invoice, a module for each stage (design.md, "The life of one invoice").

Every step may be run again: what has been done is found by look-ups and by the attempts on the record, never assumed.
"""
