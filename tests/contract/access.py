"""Who may do what: of every operation of every service its scope, and the regions that it needs.

What a route asks for stands in its code, what it has to ask for stands here; `test_access` holds
one against the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Regions(Enum):
    """The part of the regions of a token in an operation."""

    FAMILY = "the family of the path lives there, or it is unknown"
    NATION = "all regions are asked for"
    ROWS = "rows of a list are cut by them"
    INSIDE = "what is named in the body, a file or a stream is looked up there"
    NONE = "nothing is told of a family, or of one's own work alone"


@dataclass(frozen=True, slots=True)
class Access:
    """The demands of an operation: one of these scopes, and regions; `shown_by` says which test
    shows the regions of an INSIDE one, as a file below tests and a name."""

    scopes: frozenset[str]
    regions: Regions
    shown_by: str = ""


def _of(regions: Regions, *scopes: str, shown_by: str = "") -> Access:
    return Access(frozenset(scopes), regions, shown_by)


def _everywhere(*scopes: str) -> Mapping[str, Access]:
    """The operations that every service has, by the scopes that see its jobs."""
    sees, ends = {*scopes, "platform:read"}, {*scopes, "platform:operate"}
    own = "unit/chassis/test_jobs.py::test_a_run_is_seen_by_its_scope_for_the_whole_nation"
    return {
        "GET /jobs": _of(Regions.INSIDE, *sees, shown_by=own),
        "GET /jobs/{job}": _of(Regions.INSIDE, *sees, shown_by=own),
        "POST /jobs/{job}/cancellation": _of(Regions.INSIDE, *ends, shown_by=own),
        "GET /positions": _of(Regions.NATION, "platform:read"),
        "GET /chain": _of(Regions.NATION, "platform:read"),
        "GET /refolded": _of(Regions.NATION, "platform:read"),
        "GET /reads": _of(Regions.NATION, "platform:audit"),
        "GET /parked": _of(Regions.NATION, "platform:read"),
        "POST /parked/replay": _of(Regions.NATION, "platform:operate"),
        "POST /parked/drop": _of(Regions.NATION, "platform:operate"),
    }


_RULE_SETS: Final = {"GET /rule-sets": _of(Regions.NONE, "platform:read")}
_CLERK: Final = "integration/attacks/test_payee_diverted_by_a_clerk_of_another_region.py"
_ROW: Final = f"{_CLERK}::test_no_row_of_his_changes_a_family_of_another_region"
_FOREIGN_FACTS: Final = (
    "integration/conditionality/test_unmatched.py"
    "::test_facts_of_a_person_who_lives_elsewhere_are_refused_and_named_by_line"
)

_FOREIGN_EXCEPTION: Final = (
    "integration/conditionality/test_exceptions.py"
    "::test_an_exception_of_another_region_is_as_unknown_as_none"
)
_FOREIGN_GROUP: Final = (
    "integration/p2k2/test_imports.py::test_a_row_of_a_group_of_another_region_is_refused"
)
_FOREIGN_SESSION: Final = (
    "integration/p2k2/test_sessions.py::test_a_session_of_another_region_is_as_unknown_as_none"
)
_ANOTHERS_GROUP: Final = (
    "integration/p2k2/test_facilitators.py::test_a_session_of_anothers_group_is_as_unknown_as_none"
)
_FOREIGN_TOKENS: Final = (
    "integration/attacks/test_a_check_in_that_nobody_scanned.py"
    "::test_tokens_of_another_regions_sessions_are_nobodys_to_see"
)
_FOREIGN_CODES: Final = (
    "integration/attacks/test_a_check_in_that_nobody_scanned.py"
    "::test_codes_of_another_regions_sessions_or_groups_families_are_nobodys_to_see"
)
_FOREIGN_VILLAGE: Final = (
    "integration/p2k2/test_coverage.py::test_a_group_of_another_region_is_as_unknown_as_none"
)
_FOREIGN_APPEAL: Final = (
    "integration/complaints/test_appeals.py::test_appeals_of_another_region_are_as_unknown_as_none"
)
_FOREIGN_CASE: Final = (
    "integration/complaints/test_cases.py::test_a_case_of_another_region_is_as_unknown_as_none"
)
_CASE_ABOVE: Final = (
    "integration/complaints/test_handling.py::test_a_district_resolves_nothing_that_the_regency_has"
)
_CASE_TO_ERASE: Final = (
    "integration/complaints/test_erasing.py"
    "::test_an_open_case_is_not_erased_and_no_case_of_another_office"
)

_FOREIGN_COMPLAINT: Final = (
    "integration/complaints/test_filed_cases.py"
    "::test_a_complaint_of_another_region_is_neither_taken_nor_shown"
)

OPERATIONS: Final[Mapping[str, Mapping[str, Access]]] = {
    "registry": {
        **_everywhere("registry:import", "registry:read"),
        **_RULE_SETS,
        "POST /imports/families": _of(
            Regions.INSIDE,
            "registry:import",
            shown_by="integration/registry/test_import_regions.py"
            "::test_a_row_of_a_foreign_village_is_refused_and_one_of_a_foreign_card_is_unknown",
        ),
        "POST /imports/members": _of(Regions.INSIDE, "registry:import", shown_by=_ROW),
        "POST /imports/life-events": _of(Regions.INSIDE, "registry:import", shown_by=_ROW),
        "GET /keys": _of(Regions.NATION, "platform:read"),
        "GET /families/{family}": _of(Regions.FAMILY, "registry:read"),
        "POST /families/{family}/members/{member}/nik": _of(Regions.FAMILY, "registry:import"),
        "POST /families/{family}/members/{member}/adjudication": _of(
            Regions.FAMILY, "registry:import"
        ),
        "POST /families/{family}/group": _of(Regions.FAMILY, "registry:import"),
        "GET /duplicates": _of(Regions.ROWS, "registry:read"),
        "POST /identities/lookup": _of(
            Regions.INSIDE,
            "registry:identify",
            shown_by="integration/registry/test_access.py"
            "::test_a_family_of_another_region_is_left_out_of_a_look_up",
        ),
        "POST /identities/by-card": _of(
            Regions.INSIDE,
            "registry:identify",
            shown_by="integration/registry/test_access.py::test_a_card_of_another_region_tells_nothing",
        ),
        "GET /changes": _of(Regions.ROWS, "registry:read"),
        "GET /changes/diff": _of(Regions.ROWS, "registry:approve"),
        "POST /changes/decision": _of(
            Regions.INSIDE,
            "registry:approve",
            shown_by=f"{_CLERK}::test_a_friend_in_another_region_neither_sees_nor_approves_it",
        ),
        "POST /changes/withdrawal": _of(Regions.NONE, "registry:import"),
        "GET /reopenings": _of(Regions.ROWS, "registry:read"),
        "GET /reopenings/{family}/{tahap}": _of(Regions.FAMILY, "registry:read"),
        "POST /reopenings/{family}/{tahap}/decision": _of(Regions.FAMILY, "registry:approve"),
        "GET /take-backs": _of(Regions.ROWS, "registry:read"),
        "GET /take-backs/{family}": _of(Regions.FAMILY, "registry:read"),
        "POST /take-backs/{family}/decision": _of(Regions.FAMILY, "registry:approve"),
        "GET /lists/{tahap}": _of(Regions.NATION, "registry:read"),
        "POST /lists/{tahap}/withheld-proposal": _of(Regions.NATION, "registry:approve"),
        "POST /lists/{tahap}/withheld-approval": _of(Regions.NATION, "registry:approve"),
        "GET /erasures": _of(Regions.ROWS, "registry:erase"),
        "GET /erasures/{family}": _of(Regions.FAMILY, "registry:erase"),
        "POST /erasures/{family}": _of(Regions.FAMILY, "registry:erase"),
        "POST /erasures/{family}/approval": _of(Regions.FAMILY, "registry:erase"),
    },
    "conditionality": {
        **_everywhere("conditionality:record", "conditionality:read"),
        **_RULE_SETS,
        "POST /imports/school-attendance": _of(
            Regions.INSIDE, "conditionality:record", shown_by=_FOREIGN_FACTS
        ),
        "POST /imports/school-form": _of(
            Regions.INSIDE, "conditionality:record", shown_by=_FOREIGN_FACTS
        ),
        "POST /imports/health-verification": _of(
            Regions.INSIDE, "conditionality:record", shown_by=_FOREIGN_FACTS
        ),
        "POST /school-months": _of(
            Regions.INSIDE, "conditionality:record", shown_by=_FOREIGN_FACTS
        ),
        "POST /visits": _of(Regions.INSIDE, "conditionality:record", shown_by=_FOREIGN_FACTS),
        "GET /commitments/{family}": _of(Regions.FAMILY, "conditionality:read"),
        "POST /commitments/{family}/corrections/{correction}/approval": _of(
            Regions.FAMILY, "conditionality:approve"
        ),
        "POST /commitments/{family}/corrections/{correction}/rejection": _of(
            Regions.FAMILY, "conditionality:approve"
        ),
        "GET /investigations": _of(Regions.ROWS, "conditionality:read"),
        "GET /investigations/{family}/{tahap}": _of(Regions.FAMILY, "conditionality:read"),
        "POST /investigations/{family}/{tahap}/finding": _of(
            Regions.FAMILY, "conditionality:investigate"
        ),
        "POST /investigations/{family}/{tahap}/decision": _of(
            Regions.FAMILY, "conditionality:approve"
        ),
        "GET /inbound-keys": _of(Regions.NONE, "conditionality:read", "conditionality:record"),
        "GET /inbound-check": _of(Regions.NATION, "conditionality:read"),
        "GET /withheld-messages": _of(Regions.ROWS, "conditionality:read", "conditionality:record"),
        "GET /unmatched-facts": _of(Regions.ROWS, "conditionality:read", "conditionality:record"),
        "GET /unmatched-facts/lines": _of(
            Regions.ROWS, "conditionality:read", "conditionality:record"
        ),
        "GET /unmet-cycles": _of(Regions.ROWS, "conditionality:read"),
        "GET /exceptions": _of(Regions.ROWS, "conditionality:read"),
        "GET /exceptions/{exception}": _of(
            Regions.INSIDE, "conditionality:read", shown_by=_FOREIGN_EXCEPTION
        ),
        **{
            f"POST /exceptions{step}": _of(
                Regions.INSIDE, "conditionality:investigate", shown_by=_FOREIGN_EXCEPTION
            )
            for step in (
                "",
                "/{exception}/correction",
                "/{exception}/end",
                "/{exception}/withdrawal",
            )
        },
        "POST /exceptions/{exception}/decision": _of(
            Regions.INSIDE, "conditionality:approve", shown_by=_FOREIGN_EXCEPTION
        ),
        "GET /corrections": _of(Regions.ROWS, "conditionality:read"),
    },
    "payments": {
        **_everywhere("payments:read"),
        **_RULE_SETS,
        "GET /tahap": _of(Regions.NONE, "payments:read"),
        "GET /tahap/{tahap}": _of(Regions.NATION, "payments:read"),
        "GET /tahap/{tahap}/diff": _of(Regions.NATION, "payments:read"),
        "GET /tahap/{tahap}/deferred": _of(Regions.ROWS, "payments:read"),
        **{
            f"POST {path}": _of(Regions.NATION, "payments:announce")
            for path in (
                "/tahap",
                "/tahap/{tahap}/announcement-approval",
                "/tahap/{tahap}/announcement-withdrawal",
                "/tahap/{tahap}/cancellation-proposal",
                "/tahap/{tahap}/cancellation-approval",
                "/tahap/{tahap}/correction-proposal",
                "/tahap/{tahap}/correction-approval",
            )
        },
        **{
            f"POST /tahap/{{tahap}}/{step}": _of(Regions.NATION, "payments:make")
            for step in (
                "freeze-proposal",
                "supplementary-runs",
                "close-proposal",
                "runs/{kind}/freeze-proposal",
                "runs/{kind}/order-proposal",
                "runs/{kind}/unanswered-proposal",
            )
        },
        **{
            f"POST /tahap/{{tahap}}/{step}": _of(Regions.NATION, "payments:check")
            for step in (
                "freeze-approval",
                "close-approval",
                "runs/{kind}/freeze-approval",
                "runs/{kind}/order-approval",
                "runs/{kind}/unanswered-approval",
                "runs/{kind}/incident-judgement",
            )
        },
        "GET /payments/{payment}": _of(
            Regions.INSIDE,
            "payments:read",
            shown_by="integration/payments/test_two_people.py"
            "::test_a_payment_of_another_region_is_as_unknown_as_one_that_is_not_there",
        ),
        "GET /families/{family}/payments": _of(Regions.FAMILY, "payments:read"),
        "GET /families/{family}/money": _of(Regions.NATION, "payments:money"),
        "GET /ledger/balances": _of(Regions.NATION, "payments:read"),
        "GET /ledger/check": _of(Regions.NATION, "payments:read"),
        "GET /arrears": _of(Regions.ROWS, "payments:read"),
        "GET /holds": _of(Regions.ROWS, "payments:read"),
        "GET /families/{family}/holds": _of(Regions.FAMILY, "payments:read"),
        "POST /families/{family}/holds": _of(Regions.FAMILY, "payments:make"),
        "POST /families/{family}/holds/approval": _of(Regions.FAMILY, "payments:check"),
        "POST /families/{family}/holds/end-proposal": _of(Regions.FAMILY, "payments:make"),
        "POST /families/{family}/holds/end-approval": _of(Regions.FAMILY, "payments:check"),
    },
    "projection": {
        **_everywhere(),
        "GET /designations": _of(Regions.ROWS, "projection:read"),
        "GET /entitlements": _of(Regions.ROWS, "projection:read"),
        "GET /tahap/{tahap}/summary": _of(Regions.NATION, "projection:read"),
        "GET /tahap/{tahap}/unmet-duties": _of(Regions.NATION, "projection:read"),
        "GET /tahap/{tahap}/events": _of(Regions.NATION, "projection:read"),
        "GET /tahap/{tahap}/indicators": _of(Regions.NATION, "projection:read"),
        "GET /tahap/{tahap}/groups": _of(Regions.ROWS, "projection:read"),
        "GET /learning-families": _of(Regions.ROWS, "projection:read"),
        "GET /figures": _of(Regions.NONE, "projection:read"),
        "GET /figures/{model}": _of(Regions.ROWS, "projection:read"),
        "GET /tahap": _of(Regions.ROWS, "projection:read"),
        "GET /proof-reports": _of(Regions.NATION, "platform:read"),
        "POST /proof-reports": _of(Regions.NATION, "platform:prove"),
        "GET /work-lists": _of(Regions.NONE, "projection:read"),
        "GET /work-lists/{list}": _of(Regions.ROWS, "projection:read"),
        "GET /work-lists/{list}/file": _of(Regions.ROWS, "projection:read"),
        "GET /families/{family}/timeline": _of(Regions.FAMILY, "projection:read"),
        "GET /families/{family}/tahap/{tahap}/why": _of(Regions.FAMILY, "projection:read"),
    },
    "p2k2": {
        **_everywhere("p2k2:record", "p2k2:read"),
        **{
            f"POST /imports/{file}": _of(Regions.INSIDE, "p2k2:record", shown_by=_FOREIGN_GROUP)
            for file in ("p2k2-sessions", "p2k2-attendance")
        },
        **{
            f"POST /sessions/{{number}}/{step}": _of(
                Regions.INSIDE, "p2k2:record", shown_by=_FOREIGN_SESSION
            )
            for step in ("cancellation", "correction", "supervision")
        },
        **{
            f"POST /sessions/{{number}}/{step}": _of(
                Regions.INSIDE, "p2k2:record", "p2k2:facilitate", shown_by=_ANOTHERS_GROUP
            )
            for step in ("plan", "report", "attendance", "notes")
        },
        **{
            f"GET /sessions/{{number}}/check-in-{what}": _of(
                Regions.INSIDE, "p2k2:record", "p2k2:facilitate", shown_by=shown_by
            )
            for what, shown_by in (
                ("tokens", _FOREIGN_TOKENS),
                ("sheet", _FOREIGN_CODES),
                ("codes/{family}", _FOREIGN_CODES),
            )
        },
        "POST /sessions/{number}/check-ins": _of(
            Regions.INSIDE, "p2k2:record", "p2k2:facilitate", shown_by=_FOREIGN_TOKENS
        ),
        "GET /sessions": _of(Regions.ROWS, "p2k2:read", "p2k2:facilitate"),
        "GET /sessions/{number}": _of(
            Regions.INSIDE, "p2k2:read", "p2k2:facilitate", shown_by=_FOREIGN_SESSION
        ),
        "GET /groups": _of(Regions.ROWS, "p2k2:read", "p2k2:facilitate"),
        "GET /groups/{group}": _of(
            Regions.INSIDE, "p2k2:read", "p2k2:facilitate", shown_by=_FOREIGN_VILLAGE
        ),
        "POST /groups/{group}/arrangement": _of(
            Regions.INSIDE, "p2k2:record", "p2k2:facilitate", shown_by=_FOREIGN_VILLAGE
        ),
        "GET /loads": _of(Regions.ROWS, "p2k2:read"),
        "GET /families/{family}/coverage": _of(Regions.FAMILY, "p2k2:read"),
        "GET /modules": _of(Regions.NONE, "p2k2:read", "p2k2:facilitate"),
    },
    "complaints": {
        **_everywhere("complaints:receive", "complaints:read"),
        "POST /cases": _of(Regions.INSIDE, "complaints:receive", shown_by=_FOREIGN_CASE),
        "GET /cases": _of(Regions.ROWS, "complaints:read"),
        **{
            f"GET /cases/{{case}}{of}": _of(
                Regions.INSIDE, "complaints:read", shown_by=_FOREIGN_CASE
            )
            for of in ("", "/words")
        },
        "GET /cases/{case}/reporter": _of(
            Regions.INSIDE, "complaints:read", "complaints:identify", shown_by=_FOREIGN_CASE
        ),
        **{
            f"POST /cases/{{case}}/{step}": _of(
                Regions.INSIDE, "complaints:handle", shown_by=_CASE_ABOVE
            )
            for step in (
                *("assignment", "notes", "attachments", "question", "answer", "resolution"),
                *("closing", "reopening", "link", "unlinking"),
            )
        },
        **{
            f"POST /cases/{{case}}/{step}": _of(
                Regions.INSIDE, "complaints:decide", shown_by=_CASE_TO_ERASE
            )
            for step in ("erasure", "erasure/decision")
        },
        "GET /answer-templates": _of(Regions.NONE, "complaints:read"),
        **{
            f"POST /followed-cases{step}": _of(Regions.NONE, "complaints:follow")
            for step in ("", "/answer", "/reopening", "/rating", "/erasure")
        },
        **{
            f"GET /open-data/cases{form}": _of(Regions.NONE, "complaints:follow", "complaints:read")
            for form in ("", ".csv")
        },
        "GET /cases/{case}/remedy": _of(
            Regions.INSIDE, "complaints:read", shown_by=_FOREIGN_APPEAL
        ),
        "POST /cases/{case}/appeal": _of(
            Regions.INSIDE, "complaints:decide", shown_by=_FOREIGN_APPEAL
        ),
        "POST /cases/{case}/appeal/decision": _of(
            Regions.INSIDE, "complaints:decide", shown_by=_FOREIGN_APPEAL
        ),
        "POST /cases/{case}/orders": _of(
            Regions.INSIDE, "complaints:decide", shown_by=_FOREIGN_APPEAL
        ),
        "POST /imports/complaints": _of(
            Regions.INSIDE, "complaints:receive", shown_by=_FOREIGN_COMPLAINT
        ),
        "GET /standings": _of(Regions.ROWS, "complaints:read"),
        "GET /keys": _of(Regions.NATION, "platform:read"),
        "POST /sweeps": _of(Regions.NATION, "platform:operate"),
    },
}
