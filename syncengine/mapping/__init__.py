"""Field mapping: JMESPath rules with a small set of functions, as a pure function of rules, tables and record.

mapping = compile_rules([{"target": "name", "source": "CardName", "required": True}])
mapped = mapping.apply({"CardName": "Nordic Paper Oy"})
"""

from syncengine.mapping.apply import FieldMapping, Mapped, compile_rules
from syncengine.mapping.fingerprint import fingerprint
from syncengine.mapping.problems import MappingRefused, Problem, RuleProblem
from syncengine.mapping.rules import Rule, split_row_rules
from syncengine.mapping.tracing import Looked, Maker, Origin

__all__ = [
    "FieldMapping",
    "Looked",
    "Maker",
    "Mapped",
    "MappingRefused",
    "Origin",
    "Problem",
    "Rule",
    "RuleProblem",
    "compile_rules",
    "fingerprint",
    "split_row_rules",
]
