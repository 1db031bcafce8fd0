"""Projects as default-mapping.md has them."""

from __future__ import annotations

from syncengine.flows.projects import Projects
from tests.flows.contract import MasterDataContract, body, build
from tests.flows.world import project

FLOW = Projects()


class TestProjectsKeepTheContract(MasterDataContract):
    flow = FLOW
    sources = [project(), project(Code="P", Name="X"), project(Code="A-PROJECT-WITH-LONG", ValidTo="2026-12-31")]


def test_a_project_goes_field_by_field():
    assert body(FLOW, project()) == {
        "externalCode": "1000-PJ-PRJ01",
        "projectCode": "PRJ01",
        "projectName": "New warehouse",
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2099-12-31T00:00:00Z",
        "companies": [{"companyCode": "1000", "active": True}],
    }


def test_a_project_without_a_name_goes_by_its_code():
    assert body(FLOW, project(Name=" "))["projectName"] == "PRJ01"


def test_a_project_without_dates_is_always_valid():
    sent = body(FLOW, project(ValidFrom=None, ValidTo=None))
    assert (sent["validFrom"], sent["validUntil"]) == ("2000-01-01T00:00:00Z", "2099-12-31T00:00:00Z")


def test_an_inactive_project_goes_as_inactive():
    assert body(FLOW, project(Active="tNO"))["companies"][0]["active"] is False


def test_a_name_of_one_hundred_and_one_characters_is_cut_flagged_and_noted():
    built = build(FLOW, project(Name="x" * 101))
    assert built.payload["record"][0]["projectName"] == "x" * 100
    assert built.flags == {"text_cut"}
    assert built.notes == ("projectName was cut from 101 to 100 characters",)


def test_a_resend_marks_the_description():
    assert FLOW.resend(build(FLOW, project()).payload, "r1")["record"][0]["description"] == "r1"
