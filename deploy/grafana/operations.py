"""The first look of operations: does everything run, what waits, what is paid."""

from __future__ import annotations

from itertools import count
from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel, VariableRefresh

from deploy.grafana.panels import (
    COUNT,
    DAYS,
    EVENTS,
    MESSAGES,
    PER_SECOND,
    PROJECTION,
    RUPIAH,
    SECONDS,
    SHARE,
    bars,
    lines,
    number,
)
from deploy.grafana.programme import PROGRAMME, TAHAP_CHOICES

RATE: Final = "$__rate_interval"


def _quantile(share: float, histogram: str, by: str) -> str:
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({histogram}_bucket[{RATE}])))"


HEALTH: Final[tuple[Builder[Panel], ...]] = (
    number(
        "Processes that do not answer",
        'count(up{job="pkh"} == 0) or vector(0)',
        COUNT,
        "Services, relays and what watches them.",
        red_from=1,
    ),
    number(
        "Alerts",
        'count(ALERTS{alertstate="firing"}) or vector(0)',
        COUNT,
        "What somebody was told of and is not over.",
        red_from=1,
    ),
    number(
        "Consumers that stopped",
        "sum(max by (store) (corridor_consumer_stopped))",
        COUNT,
        "Each needs a person: messages are missing, or of a kind that is not known.",
        red_from=1,
    ),
    number(
        "Parked messages",
        "sum(topic:corridor_parked_messages:max)",
        COUNT,
        "Could not be handled, or wait behind one of their key.",
        red_from=1,
    ),
    number(
        "Behind the stores",
        "max(store:corridor_relay_lag_seconds:max)",
        SECONDS,
        "The oldest event that the bus does not hold yet.",
        red_from=60,
    ),
    number(
        "Behind the bus",
        "max(topic:corridor_consumer_lag_seconds:max)",
        SECONDS,
        "The oldest message that a subscription has not taken in.",
        red_from=300,
    ),
)

WAITING: Final[tuple[Builder[Panel], ...]] = (
    lines(
        "Events that the bus lacks",
        {"{{store}}": "store:corridor_relay_lag_events:max"},
        EVENTS,
        "Stored and not yet acknowledged by the bus.",
    ),
    lines(
        "Messages not taken in",
        {"{{subscription}} {{topic}}": "topic:corridor_consumer_lag_messages:sum"},
        MESSAGES,
        "On the bus and not yet committed by the subscription, over its partitions.",
    ),
    lines(
        "Parked",
        {
            "{{subscription}} {{topic}}, messages": "topic:corridor_parked_messages:max",
            "{{subscription}} {{topic}}, keys": "topic:corridor_parked_keys:max",
        },
        COUNT,
        "pkh parked list says why each is; keys are mostly families.",
    ),
    lines(
        "Facts of nobody",
        {"{{kind}}": "max by (kind) (conditionality_unmatched_facts)"},
        COUNT,
        "Reported of persons whom no registered family has; pkh unmatched says by whom.",
    ),
    lines(
        "Families on hold",
        {"{{kind}}": "max by (kind) (payments_held_families)"},
        COUNT,
        "Two people decided that their money is not sent; pkh hold list names them.",
    ),
    lines(
        "Incidents of partners",
        {"{{partner}}": "max by (partner) (payments_partner_incidents)"},
        COUNT,
        "Words that cannot be a partner's own; pkh tahap show names them, a person judges.",
    ),
)

DUE: Final[tuple[Builder[Panel], ...]] = (
    lines(
        "Changes that wait",
        {"{{kind}}": "max by (kind) (registry_waiting_changes)"},
        COUNT,
        "For a second person; what nobody approves before a closing is not in it.",
    ),
    lines(
        "Closings proposed",
        {"proposed": "max(payments_proposed_closings)"},
        COUNT,
        "By one person; another announces them on what is approved by then.",
    ),
    lines(
        "Cases and their terms",
        {"{{level}}, {{term}}": "max by (level, term) (complaints_open_cases)"},
        COUNT,
        "Open; DUE ends by the next working day, OVER has ended and, but for NATION, is passed on.",
    ),
    lines(
        "Certificates and keys",
        {"{{partner}}, {{kind}}": "min by (partner, kind) (payments_certificate_days)"},
        DAYS,
        "Days for which each still counts; below zero no money moves by it.",
    ),
)

THROUGHPUT: Final[tuple[Builder[Panel], ...]] = (
    lines(
        "Events appended",
        {"{{store}}": f"sum by (store) (rate(corridor_append_events_sum[{RATE}]))"},
        PER_SECOND,
        "Events a second.",
    ),
    lines(
        "Events of an append",
        {
            "{{store}}, half": _quantile(0.5, "corridor_append_events", "store"),
            "{{store}}, 19 of 20": _quantile(0.95, "corridor_append_events", "store"),
        },
        EVENTS,
        "How well work is gathered into batches.",
    ),
    lines(
        "Messages taken in",
        {
            "{{store}} {{outcome}}": (
                f"sum by (store, outcome) (rate(corridor_consumer_messages_total[{RATE}]))"
            )
        },
        PER_SECOND,
        "Messages a second, by what became of them.",
    ),
)

REQUESTS: Final[tuple[Builder[Panel], ...]] = (
    lines(
        "Requests",
        {
            "{{service}}": (
                f"sum by (service) (rate(http_server_request_duration_seconds_count[{RATE}]))"
            )
        },
        PER_SECOND,
        "Requests a second.",
    ),
    lines(
        "Requests that fail",
        {"{{service}}": "service:http_server_errors:rate5m / service:http_server_requests:rate5m"},
        SHARE,
        "Answered 5xx, of all.",
    ),
    lines(
        "How long 19 of 20 take",
        {"{{http_route}}": _quantile(0.95, "http_server_request_duration_seconds", "http_route")},
        SECONDS,
        "By route.",
    ),
)

SEEN: Final[tuple[Builder[Panel], ...]] = (
    lines(
        "Identities looked up",
        {
            "{{purpose}} {{outcome}}": (
                "sum by (purpose, outcome) (increase(registry_looked_up_identities_total[1h]))"
            )
        },
        COUNT,
        "In an hour, by what for; refused is beyond the limit of a subject and day.",
        width=12,
    ),
)

MONEY: Final[tuple[Builder[Panel], ...]] = (
    number(
        "Rupiah in suspense",
        "ledger:suspense_rupiah:sum",
        RUPIAH,
        "Released and not yet paid or returned: programme account, banks, blocked.",
    ),
    lines(
        "Where it is",
        {"{{account}}": 'account:ledger_balance_rupiah:max{account!~"state_.*|family_available"}'},
        RUPIAH,
        "Balance of each account that money only passes through.",
        width=12,
    ),
    bars(
        "Moved",
        "max by (movement) (ledger_moved_rupiah)",
        "{{movement}}",
        RUPIAH,
        "Since the ledger began, by what happened to it.",
    ),
)

SECTIONS: Final = {
    "Does everything run": HEALTH,
    "What waits": WAITING,
    "What is due": DUE,
    "What is done": THROUGHPUT,
    "What is asked": REQUESTS,
    "Who looks at whom": SEEN,
    "Money on its way": MONEY,
    "The programme": PROGRAMME,
}


def operations() -> Dashboard:
    """The dashboard."""
    built = (
        dashboard.Dashboard("PKH operations")
        .uid("pkh-operations")
        .tags(["pkh"])
        .description("Generated from deploy/grafana: change it there.")
        .readonly()
        .time("now-6h", "now")
        .refresh("1m")
        .timezone("Asia/Jakarta")
        .with_variable(
            dashboard.QueryVariable("tahap")
            .label("Tahap")
            .datasource(PROJECTION)
            .query(TAHAP_CHOICES)
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        )
    )
    identities = count(1)
    for title, panels in SECTIONS.items():
        built = built.with_row(dashboard.Row(title).id(next(identities)))
        for panel in panels:
            built = built.with_panel(_Identified(panel, next(identities)))
    return built.build()


class _Identified(Builder[Panel]):
    """A panel with a number, which Grafana needs to link to it."""

    def __init__(self, panel: Builder[Panel], identity: int) -> None:
        self._panel, self._identity = panel, identity

    def build(self) -> Panel:
        """The panel."""
        built = self._panel.build()
        built.id_val = self._identity
        return built
