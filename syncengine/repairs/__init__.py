"""The fix-it inbox: records that failed, by cause, and what a person does about a cause as a whole.

groups.of_integration(…), groups.one(…)     what is open, retrying and resolved, counted with its money
cures.cure_of(…)                            in accounting words, what it is and what mends it
choices.search(…)                           the codes that SAP would take, read now
translations.translated(…)                  the mapping with one more line in a lookup table
effects.try_out(…)                          what a replay would end in, without writing anything
deeds.…                                     replay, cancel, assign, note, snooze, put aside
"""
