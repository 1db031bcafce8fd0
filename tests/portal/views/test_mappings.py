"""Rules as a form: read, edited, refused with their position, tried on a live record, saved as versions."""

from __future__ import annotations

import re

import pytest

from portal.forms.mappings import MappingForm, read_default, shown_default
from syncengine.connectors.outcomes import Unavailable
from syncengine.engine import mappings, previews, samples
from syncengine.engine.connections import NotConfigured
from tenants.models import FieldMapping
from tenants.models.field_mapping import MappingCase
from tests import factories

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
    text = " ".join(people["viewer"].get(f"{root}mappings/vendors/").content.decode().split())
    assert 'value="vendorCode"' in text
    assert "the defaults are in force" in text
    assert "The vendor&#x27;s number; invoices name it." in text
    assert '<fieldset id="editor" class="mapping-editor" disabled' in text


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


SOURCE = {"CardCode": "V1", "CardName": "Nordic <b>Paper</b>", "Notes": "30", "derived": {}}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def stored(connected):
    return factories.RecordFactory(integration=connected, key="V1", title="V1 Nordic", source=SOURCE)


@pytest.fixture
def tried(root, people):
    """`tried(rules, lookups, …)`: the part of the page that changes as an operator types."""

    def part(rules, lookups=(), **more):
        data = posted(rules, lookups, **more)
        return people["operator"].post(f"{root}mappings/vendors/preview/", data, headers=HTMX).content.decode()

    return part


def test_the_rules_as_they_stand_are_tried_on_the_record_that_was_chosen(stored, tried, connected):
    factories.RecordFactory(integration=connected, key="V0", source={**SOURCE, "CardName": "Other"})
    part = tried([RULES[1]], record=stored.pk)
    assert "Nordic &lt;b&gt;Paper&lt;/b&gt;" in part
    assert "by the rule" in part
    assert re.search(r'id="made-rules-0"\s+hx-swap-oob="true"', part)
    assert "Other" in tried([RULES[1]], do="use", key="V0")


def test_the_tables_as_they_are_typed_are_tried_too(stored, tried):
    rules = [{"target": "name", "source": "Notes", "lookup": "terms"}]
    part = tried(rules, [{"name": "terms", "lines": "30 = Thirty days"}])
    assert "Thirty days" in part
    assert "by row 30 of table terms" in part
    part = tried(rules, [{"name": "terms", "lines": "14 = x"}])
    assert "30 is not in table terms" in part
    assert "No value: left out" in part
    assert "by the default" in tried([{**rules[0], "default": "x"}], [{"name": "terms", "lines": ""}])


def test_a_rule_half_typed_leaves_the_others_their_output(stored, tried):
    part = tried([{"target": "name", "source": "CardName ||"}, {"target": "vendorCode", "source": "CardCode"}])
    assert "Rule 1, source" in part
    assert '<p class="made-value">V1</p>' in part


def test_a_record_is_read_from_the_source_only_when_asked_and_stays_in_the_page(tried, monkeypatch):
    asked = []

    def preview(integration, flow, key=None):
        asked.append((flow, key))
        return {"source": SOURCE, "target": {}, "problems": [{"path": "x", "message": "bad <i>", "hint": "Mend it."}]}

    monkeypatch.setattr(previews, "preview", preview)
    part = tried([RULES[1]], do="live", key=" V1 ")
    assert asked == [("vendors", "V1")]
    assert "bad &lt;i&gt;" in part
    kept = samples.Sample("V1", SOURCE).as_text()
    assert "Nordic &lt;b&gt;" in tried([RULES[1]], sample=kept)
    assert len(asked) == 1


def test_who_may_not_edit_tries_what_is_in_force(stored, root, people):
    page = people["operator"].post(f"{root}mappings/vendors/preview/", {}, headers=HTMX).content.decode()
    assert "No problems" not in page  # the record has no external code
    assert "externalCode is required" in page


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (NotConfigured("sap_b1"), "press Ping systems"),
        (previews.NothingToPreview("SAP has no such record: V9."), "SAP has no such record: V9."),
        (Unavailable("SAP is away.", code="unreachable", hint="Ask its operator."), "Ask its operator."),
    ],
)
def test_a_preview_that_cannot_be_says_why_and_what_to_do(tried, monkeypatch, failure, words):
    def preview(*args, **kwargs):
        raise failure

    monkeypatch.setattr(previews, "preview", preview)
    assert words in tried(RULES, do="live")


def test_a_key_that_is_not_stored_says_where_to_look(tried):
    assert "No stored record has the key or number V9" in tried(RULES, do="use", key="V9")


def test_without_htmx_the_whole_page_answers_with_what_was_typed(stored, root, people):
    data = posted([{"target": "description", "source": "CardName"}])
    page = people["operator"].post(f"{root}mappings/vendors/preview/", data).content.decode()
    assert "<html" in page
    assert 'value="description"' in page
    assert "Nordic &lt;b&gt;Paper&lt;/b&gt;" in page


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


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"form": "field", "path": "CardName"}, {"source": "CardName"}),
        ({"form": "field", "path": "Notes", "lookup": "terms"}, {"source": "Notes", "lookup": "terms"}),
        ({"form": "date", "path": "UpdateDate"}, {"source": "date(UpdateDate)"}),
        ({"form": "known", "path": "Notes", "lookup": "terms"}, {"source": "lookup('terms', Notes, Notes)"}),
        ({"form": "constant", "constant": "none", "path": "ignored"}, {"source": "'none'"}),
        ({"form": "constant", "constant": "false"}, {"source": "`false`"}),
        ({"form": "expression", "source": "upper(CardName)", "path": "ignored"}, {"source": "upper(CardName)"}),
    ],
)
def test_common_rules_are_chosen_without_an_expression(root, people, row, rule):
    table = [{"name": "terms", "lines": "30 = N30"}]
    people["admin"].post(f"{root}mappings/vendors/", posted([{"target": "name", **row}], table))
    assert FieldMapping.objects.get().rules == [{"target": "name", **rule}]
    shown = people["admin"].get(f"{root}mappings/vendors/").context["form"].rules.forms[0]
    assert shown.initial["form"] == row["form"]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"form": "field"}, "path"),
        ({"form": "field", "path": "a b"}, "path"),
        ({"form": "constant"}, "constant"),
        ({"form": "known", "path": "a"}, "lookup"),
        ({"form": "nonsense", "path": "a"}, "form"),
    ],
)
def test_a_choice_that_is_not_complete_is_refused_at_its_field(root, people, row, field):
    answer = people["admin"].post(f"{root}mappings/vendors/", posted([{"target": "name", **row}]))
    assert answer.status_code == 400
    assert field in answer.context["form"].rules.forms[0].errors
    assert not FieldMapping.objects.exists()


def test_another_rule_is_added_without_saving_what_was_typed(root, people):
    answer = people["admin"].post(f"{root}mappings/vendors/", posted(RULES[:1], do="add", add="description"))
    page = answer.content.decode()
    assert 'value="description"' in page
    assert 'value="CardCode"' in page
    assert not FieldMapping.objects.exists()


class TestCases:
    """The record at hand with its output, kept as a check."""

    def test_the_output_that_is_shown_is_kept_and_checked_while_one_types(self, stored, root, people, tried):
        data = posted(RULES, do="case", case="Nordic", record=stored.pk)
        page = people["admin"].post(f"{root}mappings/vendors/", data)
        assert page.status_code == 200
        assert MappingCase.objects.get().name == "Nordic"
        assert "Cases hold" in tried(RULES)
        assert "1 of 1 come out differently: Nordic" in tried(RULES[:1])

    def test_a_name_that_is_taken_is_said(self, stored, root, people):
        for _ in range(2):
            page = people["admin"].post(f"{root}mappings/vendors/", posted(RULES, do="case", case="Nordic"))
        assert "called Nordic already" in page.content.decode()

    def test_without_an_output_there_is_nothing_to_keep(self, root, people):
        page = people["admin"].post(f"{root}mappings/vendors/", posted(RULES, do="case"))
        assert "There is no output to keep" in page.content.decode()
        assert not MappingCase.objects.exists()

    def test_it_is_forgotten_by_an_admin_and_not_by_others(self, stored, root, people):
        people["admin"].post(f"{root}mappings/vendors/", posted(RULES, do="case"))
        path = f"{root}mappings/vendors/cases/{MappingCase.objects.get().pk}/remove/"
        assert people["operator"].post(path).status_code == 403
        assert people["outsider"].post(path).status_code == 404
        assert people["admin"].post(path.replace("vendors", "projects")).status_code == 404
        assert people["admin"].post(path).status_code == 302
        assert not MappingCase.objects.exists()


def test_an_older_version_is_shown_with_what_has_changed_since(root, people):
    people["admin"].post(f"{root}mappings/vendors/", posted(RULES))
    people["admin"].post(f"{root}mappings/vendors/", posted(RULES[:1], version=1))
    page = people["admin"].get(f"{root}mappings/vendors/?version=1")
    assert [step.where for step in page.context["steps"]] == ["name"]
    assert "Restore version 1" in page.content.decode()
    assert "Restore the defaults" in people["admin"].get(f"{root}mappings/vendors/?version=0").content.decode()


def test_what_waits_for_a_row_of_a_table_is_a_page_and_a_part(root, connected, people):
    error = {"status": "failed", "error_message": "tax code V25 <b> does not exist", "error_code": "problems"}
    source = {"taxCode": "V25", "codingRows": [{"accountCode": "1"}]}
    factories.invoice(connected, source=source, **error)
    for headers in ({}, HTMX):
        page = people["viewer"].get(f"{root}mappings/invoices/waiting/", headers=headers).content.decode()
        assert "1,240.50 EUR" in page
        assert "V25 &lt;b&gt;" in page
    assert "Nothing waits" in people["viewer"].get(f"{root}mappings/vendors/waiting/").content.decode()
