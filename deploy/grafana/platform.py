"""The platform's dashboard: does everything run, and what waits."""

from __future__ import annotations

from typing import Final

from deploy.grafana.layout import Audience, Panels
from deploy.grafana.panels import (
    COUNT,
    DAYS,
    EVENTS,
    MESSAGES,
    PER_SECOND,
    RATE,
    SECONDS,
    lines,
    number,
    quantile,
)

HEALTH: Final[Panels] = (
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

PROVEN: Final[Panels] = (
    number(
        "Since the last verification",
        'time() - max(projection_proved_timestamp_seconds{kind="VERIFICATION"})',
        SECONDS,
        "Of the hash chains, snapshots, ledger and positions, by pkh verify.",
        red_from=86_400,
    ),
    number(
        "Faults found",
        "max(max_over_time(projection_proof_findings[1d]))",
        COUNT,
        "By a verification or a witness within a day; pkh verify names each.",
        red_from=1,
    ),
)

WAITING: Final[Panels] = (
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
)

CERTIFICATES: Final[Panels] = (
    lines(
        "Certificates of servers",
        {"{{server}}, {{kind}}": "min by (server, kind) (server_certificate_days)"},
        DAYS,
        "Days for which each of Kafka and PostgreSQL still counts; below zero nobody gets in.",
    ),
)

UNDER_WAY: Final[Panels] = (
    lines(
        "Jobs under way",
        {"{{store}}, {{kind}}": "max by (store, kind) (corridor_running_jobs)"},
        COUNT,
        "Lists, evaluations and runs that go on by themselves; pkh jobs list says how far each is.",
        width=12,
    ),
    lines(
        "What they have done",
        {"{{store}}, {{kind}}": "max by (store, kind) (corridor_running_jobs_done_items)"},
        COUNT,
        "Lines, families or payments; a line that is level stands still.",
        width=12,
    ),
)

THROUGHPUT: Final[Panels] = (
    lines(
        "Events appended",
        {"{{store}}": f"sum by (store) (rate(corridor_append_events_sum[{RATE}]))"},
        PER_SECOND,
        "Events a second.",
    ),
    lines(
        "Events of an append",
        {
            "{{store}}, half": quantile(0.5, "corridor_append_events", "store"),
            "{{store}}, 19 of 20": quantile(0.95, "corridor_append_events", "store"),
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

PLATFORM: Final = Audience(
    "platform",
    "PKH platform",
    "Does everything run, and what waits.",
    {
        "Does everything run": HEALTH,
        "Is it proven": PROVEN,
        "What waits": WAITING,
        "What is under way": UNDER_WAY,
        "Who is let in at the servers": CERTIFICATES,
        "What is done": THROUGHPUT,
    },
)
