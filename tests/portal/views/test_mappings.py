"""Rules as a form: read, edited, refused with their position, tried on a live record, saved as versions."""

from __future__ import annotations

import pytest

from portal.forms.mappings import MappingForm, read_default, shown_default
from syncengine.connectors.outcomes import Unavailable
from syncengine.engine import mappings, previews
from syncengine.engine.connections import NotConfigured
from tenants.models import FieldMapping

RULES = [
    {"target": "vendorCode", "source": "CardCode", "required": True},
    {"target": "name", "source": "CardName", "default": "0"},
]


def _typed(name, value):
    return shown_default(value) if name == "default" else value


def posted(rules, lookups=(), version=0, **more):
    """A mapping as the browser posts it."""
    data = {"version": version, **more}
    for prefix, rows in (("rules", rules), ("lookups", lookups)):
        data |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
        for number, row in enumerate(rows):
            data |= {f"{prefix}-{number}-{name}": _typed(name, value) for name, value in row.items()}
    return data


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), ("BT", "BT"), ("0", '"0"'), (0, "0"), (True, "true"), ([1], "[1]"), ("", '""'), ("null", '"null"')],
)
def test_a_default_is_shown_so_that_it_reads_back_the_same(value, shown):
    assert shown_default(value) == shown
    assert read_default(shown) == value


def test_the_mapping_in_force_is_shown(root, people):
    text = people["viewer"].get(f"{root}mappings/vendors/").content.decode()
    assert 'value="vendorCode"' in text
    assert "the defaults are in force" in text
    assert "<fieldset disabled" in " ".join(text.split())


def test_a_flow_without_rules_of_a_customers_own_still_opens(root, people):
    for flow in ("invoices", "payments", "purchase_orders"):
        assert people["viewer"].get(f"{root}mappings/{flow}/").status_code == 200


def test_saving_makes_a_new_version_with_its_author(root, connected, people, admin):
    answer = people["admin"].post(f"{root}mappings/vendors/", posted(RULES))
    assert answer["Location"] == f"{root}mappings/vendors/"
    saved = FieldMapping.objects.get()
    assert (saved.version, saved.created_by) == (1, admin)
    assert saved.rules == [{**RULES[0]}, RULES[1]]
    assert mappings.current(connected, "vendors").version == 1


def test_removed_and_empty_rows_are_left_out(root, people):
    rows = [*RULES, {"target": "", "source": ""}, {"target": "text1", "source": "Notes", "DELETE": "on"}]
    people["admin"].post(f"{root}mappings/vendors/", posted(rows))
    assert [rule["target"] for rule in FieldMapping.objects.get().rules] == ["vendorCode", "name"]


def test_a_bad_rule_is_refused_at_its_row_with_its_position(root, people):
    rows = [{"target": "", "source": ""}, RULES[0], {"target": "name", "source": "CardName ||| x"}]
    answer = people["admin"].post(f"{root}mappings/vendors/", posted(rows))
    assert answer.status_code == 400
    assert "Character " in answer.context["form"].rules.forms[2].errors["source"][0]
    assert "CardName ||| x" in answer.content.decode()
    assert not FieldMapping.objects.exists()


def test_every_bad_rule_is_named(root, people):
    rows = [{"target": "nonsense", "source": "CardCode"}, {"target": "name", "source": "CardName", "lookup": "missing"}]
    forms = people["admin"].post(f"{root}mappings/vendors/", posted(rows)).context["form"].rules.forms
    assert "not a field of the target" in forms[0].errors["target"][0]
    assert "no lookup table missing" in forms[1].errors["lookup"][0]


def test_lookup_tables_are_lines_of_from_and_to(root, people):
    table = {"name": "terms", "lines": "14T2 = N14\n\n 30 = N30 = x \n"}
    rules = [RULES[0], {"target": "name", "source": "CardName", "lookup": "terms"}]
    people["admin"].post(f"{root}mappings/vendors/", posted(rules, [table]))
    assert FieldMapping.objects.get().lookups["terms"] == {"14T2": "N14", "30": "N30 = x"}
    assert "14T2 = N14" in people["viewer"].get(f"{root}mappings/vendors/").content.decode()


@pytest.mark.parametrize(
    ("table", "field", "sentence"),
    [
        ({"name": "terms", "lines": "14T2"}, "lines", "Line 1 has no"),
        ({"name": "terms", "lines": "a = 1\na = 2"}, "lines", "Line 2 gives a a second time"),
        ({"name": "", "lines": "a = 1"}, "name", "Give this table a name"),
        ({"name": "no good", "lines": "a = 1"}, "name", "letters, digits and _"),
    ],
)
def test_a_bad_table_is_refused_at_its_field(root, people, table, field, sentence):
    answer = people["admin"].post(f"{root}mappings/vendors/", posted(RULES, [table]))
    assert sentence in answer.context["form"].lookups.forms[0].errors[field][0]
    assert not FieldMapping.objects.exists()


def test_saving_over_a_version_that_came_meanwhile_asks_first(root, connected, people):
    people["admin"].post(f"{root}mappings/vendors/", posted(RULES))
    answer = people["owner"].post(f"{root}mappings/vendors/", posted(RULES[:1], version=0))
    assert "Version 1 was saved meanwhile" in answer.content.decode()
    assert FieldMapping.objects.count() == 1


def test_an_older_version_can_be_looked_at_and_saved_again(root, people):
    people["admin"].post(f"{root}mappings/vendors/", posted(RULES))
    people["admin"].post(f"{root}mappings/vendors/", posted(RULES[:1], version=1))
    older = people["admin"].get(f"{root}mappings/vendors/?version=1")
    assert older.context["older"].version == 1
    assert len(older.context["form"].rules.forms) == 2


@pytest.mark.parametrize("asked", ["99", "9" * 30])
def test_a_version_that_never_was_is_404(root, people, asked):
    assert people["admin"].get(f"{root}mappings/vendors/?version={asked}").status_code in {200, 404}


def test_preview_tries_the_rules_as_they_stand_in_the_form(root, connected, people, monkeypatch):
    asked = {}

    def preview(integration, flow, key=None, rules=None):
        asked.update(flow=flow, key=key, rules=rules)
        return {
            "source": {"CardCode": "V1"},
            "target": {"vendorCode": "V1"},
            "problems": [{"path": "name", "message": "name is required <b>", "hint": "Fill it."}],
        }

    monkeypatch.setattr(previews, "preview", preview)
    page = people["operator"].post(f"{root}mappings/vendors/preview/", posted(RULES, key=" V1 ")).content.decode()
    assert asked == {"flow": "vendors", "key": "V1", "rules": RULES}
    assert "name is required &lt;b&gt;" in page
    assert "Fill it." in page


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (NotConfigured("sap_b1"), "press Ping systems"),
        (previews.NothingToPreview("SAP has no such record: V9."), "SAP has no such record: V9."),
        (Unavailable("SAP is away.", code="unreachable", hint="Ask its operator."), "Ask its operator."),
    ],
)
def test_a_preview_that_cannot_be_says_why_and_what_to_do(root, people, monkeypatch, failure, words):
    def preview(*args, **kwargs):
        raise failure

    monkeypatch.setattr(previews, "preview", preview)
    assert words in people["operator"].post(f"{root}mappings/vendors/preview/", posted(RULES)).content.decode()


def test_a_preview_of_bad_rules_names_them(root, connected, people):
    page = people["operator"].post(f"{root}mappings/vendors/preview/", posted([{"target": "name", "source": "(("}]))
    assert "Rule 1, source" in page.content.decode()


def test_a_preview_of_bad_tables_says_so(root, people):
    data = posted(RULES, [{"name": "t", "lines": "nonsense"}])
    assert (
        "Mend the marked lookup tables"
        in people["operator"].post(f"{root}mappings/vendors/preview/", data).content.decode()
    )


def test_a_problem_beyond_the_rows_is_shown_above_them():
    form = MappingForm(posted([]), [], {})
    assert form.is_valid()
    form.add_problem(500, "target", None, "more than 500 rules")
    assert form.rules.non_form_errors() == ["more than 500 rules"]
