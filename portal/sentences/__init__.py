"""The sentences that Python says in English and pages show in the viewer's language (`portal.told`).

A place in a sentence is written %(name)s, whatever the f-string at its source calls it. What stands here must still be
said somewhere: tests/portal/test_sentences.py looks for each in the source.
"""

from portal.sentences import (
    checks,
    forms,
    invoices,
    mapping,
    pages,
    records,
    runs,
    settings,
    systems,
    webhooks,
    work,
)

_MODULES = (forms, settings, mapping, webhooks, pages, work, records, runs, invoices, checks, systems)
SENTENCES: tuple[str, ...] = tuple(sentence for module in _MODULES for sentence in module.SENTENCES)
