from datetime import date

import pytest
from pydantic import TypeAdapter

from services.complaints.http.cases import Code, Complaint
from services.complaints.main import POLICIES

TODAY = date(2026, 12, 1)
COMPLAINT = {"category": "OTHER", "channel": "WEB", "region": "61.03.01.2026"}


@pytest.mark.parametrize("category", sorted(POLICIES.categories_on(TODAY)))
def test_a_complaint_of_every_category_can_be_sent(category: str) -> None:
    assert Complaint.model_validate_json(_with(category=category)).category == category


@pytest.mark.parametrize("channel", sorted(POLICIES.channels_on(TODAY)))
def test_a_complaint_of_every_channel_can_be_sent(channel: str) -> None:
    assert Complaint.model_validate_json(_with(channel=channel)).channel == channel


@pytest.mark.parametrize("template", sorted(POLICIES.templates_on(TODAY)))
def test_every_template_can_be_named(template: str) -> None:
    assert TypeAdapter(Code).validate_python(template) == template


def _with(**changes: str) -> bytes:
    return TypeAdapter(dict).dump_json(COMPLAINT | changes)
