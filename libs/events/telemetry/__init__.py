"""The names under which the platform is watched: its metrics, its spans and their attributes.

Everything that is measured or traced is named here and nowhere else, and docs/telemetry.md,
dashboards and alerts are held to it. Names follow OpenTelemetry's conventions where they have
one, in Prometheus' spelling where it is a metric. A metric's name ends in its unit. A label has
few values that are known beforehand: never a key, an id, a path or anything of a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

# -- Labels ---------------------------------------------------------------------------------------

STORE: Final = "store"
"""The service whose database it is."""

SUBSCRIPTION: Final = "subscription"
TOPIC: Final = "topic"
PARTITION: Final = "partition"
OUTCOME: Final = "outcome"
WORK: Final = "work"
"""The work that needs a leader: the relay, or one of a service's jobs."""

METHOD: Final = "http_request_method"
ROUTE: Final = "http_route"
"""A route's template, such as /tahap/{tahap}; never the path that was asked for."""

STATUS: Final = "http_response_status_code"
ACCOUNT: Final = "account"
MOVEMENT: Final = "movement"
KIND: Final = "kind"
"""A kind of job, hold, reporter or change, as the service's interface names it; of a certificate
CLIENT, SERVER, CA, or KEY for one that signs."""

PARTNER: Final = "partner"
"""TREASURY or a bank; BANKS for what all of them share, PKH for ourselves."""

SERVER: Final = "server"
"""A server of our own: KAFKA, POSTGRESQL."""

REASON: Final = "reason"
"""The limit that a client went beyond."""

LEVEL: Final = "level"
TERM: Final = "term"
"""A level of complaints' ladder, and how the term that it has for a case stands."""

CYCLE: Final = "cycle"
"""LATEST, of the last tahap that has any of it, or BEFORE, of the one before that."""

RESULT: Final = "result"
"""The result of a cycle, as the read models name it."""

PURPOSE: Final = "purpose"
"""A purpose of a look-up, as the policy file names it."""

OTHER_METHOD: Final = "_OTHER"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# -- Metrics --------------------------------------------------------------------------------------

Kind = Literal["counter", "gauge", "histogram"]

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
COUNTS: Final = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 10_000.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as Prometheus sees it; `name` without the `_total` that a counter ends in."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names that a query may use."""
        match self.kind:
            case "counter":
                return (f"{self.name}_total",)
            case "gauge":
                return (self.name,)
            case "histogram":
                return tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))


APPEND_EVENTS: Final = Metric(
    "corridor_append_events",
    "histogram",
    (STORE,),
    "Events of one append; its count is appends, its sum is events.",
    COUNTS,
)
APPEND_SECONDS: Final = Metric(
    "corridor_append_duration_seconds",
    "histogram",
    (STORE,),
    "From the beginning of an append's transaction to the answer to its commit.",
    SECONDS,
)
HEAD_EVENTS: Final = Metric(
    "corridor_head_events",
    "gauge",
    (STORE,),
    "Position of the store's last event, which is how many there are.",
)
RELAY_LAG_EVENTS: Final = Metric(
    "corridor_relay_lag_events",
    "gauge",
    (STORE,),
    "Events behind the last one that the bus has acknowledged.",
)
RELAY_LAG_SECONDS: Final = Metric(
    "corridor_relay_lag_seconds",
    "gauge",
    (STORE,),
    "Since when the oldest of these events is stored; 0 where there are none.",
)
RELAY_MESSAGES: Final = Metric(
    "corridor_relay_messages",
    "counter",
    (STORE,),
    "Messages that this relay has sent and the bus has acknowledged.",
)
RELAY_SEND_SECONDS: Final = Metric(
    "corridor_relay_send_duration_seconds",
    "histogram",
    (STORE,),
    "From a window's first message to the bus's acknowledgement of all.",
    SECONDS,
)
RELAY_FAULTS: Final = Metric(
    "corridor_relay_faults",
    "counter",
    (STORE,),
    "Times that the relay had to begin anew.",
)
CONSUMER_LAG_MESSAGES: Final = Metric(
    "corridor_consumer_lag_messages",
    "gauge",
    (SUBSCRIPTION, TOPIC, PARTITION),
    "Messages on the bus that the subscription has not taken in.",
)
CONSUMER_LAG_SECONDS: Final = Metric(
    "corridor_consumer_lag_seconds",
    "gauge",
    (SUBSCRIPTION, TOPIC, PARTITION),
    "For how long the oldest of these messages was seen on the bus; as exact as looks are often.",
)
CONSUMER_MESSAGES: Final = Metric(
    "corridor_consumer_messages",
    "counter",
    (STORE, OUTCOME),
    "Messages that this process took: handled, parked, passed (not wanted), skipped (known).",
)
CONSUMER_STOPPED: Final = Metric(
    "corridor_consumer_stopped",
    "gauge",
    (STORE,),
    "1 where this process's consumer has stopped at something that a person must mend.",
)
PROCESS_SECONDS: Final = Metric(
    "messaging_process_duration_seconds",
    "histogram",
    (STORE, TOPIC),
    "One batch of messages, from its parsing to the commit of what it caused.",
    SECONDS,
)
PARKED_MESSAGES: Final = Metric(
    "corridor_parked_messages",
    "gauge",
    (SUBSCRIPTION, TOPIC),
    "Messages that could not be handled, or wait behind one of their key.",
)
PARKED_KEYS: Final = Metric(
    "corridor_parked_keys",
    "gauge",
    (SUBSCRIPTION, TOPIC),
    "Keys of which anything is parked: mostly families, whose messages all wait.",
)
LEADERS: Final = Metric(
    "corridor_leaders",
    "gauge",
    (STORE, WORK),
    "1 while somebody leads this work on the store, 0 while nobody does.",
)
FAILING_ITEMS: Final = Metric(
    "corridor_failing_items",
    "gauge",
    (STORE, WORK),
    "Tahaps, buckets, runs, cycles and payments that this work fails at again and again.",
)
RUNNING_JOBS: Final = Metric(
    "corridor_running_jobs",
    "gauge",
    (STORE, KIND),
    "Jobs of a kind that go on by themselves; those that wait for a person are not among them.",
)
RUNNING_JOBS_DONE: Final = Metric(
    "corridor_running_jobs_done_items",
    "gauge",
    (STORE, KIND),
    "Lines, families or payments that these jobs have done so far.",
)
STORE_REACHED: Final = Metric(
    "corridor_store_reached",
    "gauge",
    (STORE,),
    "1 where this process's last look at its store succeeded.",
)
BUS_REACHED: Final = Metric(
    "corridor_bus_reached",
    "gauge",
    (STORE,),
    "1 where this process's last look at the bus succeeded.",
)
REQUEST_SECONDS: Final = Metric(
    "http_server_request_duration_seconds",
    "histogram",
    (METHOD, ROUTE, STATUS),
    "From a request's arrival to the end of its answer.",
    SECONDS,
)
HTTP_REFUSALS: Final = Metric(
    "http_server_refusals",
    "counter",
    (REASON,),
    "Connections ended and requests refused because a client went beyond one of the limits.",
)

# What a service knows beside its corridor.
BALANCE_RUPIAH: Final = Metric(
    "ledger_balance_rupiah",
    "gauge",
    (ACCOUNT,),
    "Balance of an account of the ledger, debits less credits.",
)
MOVED_RUPIAH: Final = Metric(
    "ledger_moved_rupiah",
    "gauge",
    (MOVEMENT,),
    "Whole rupiah moved under each name since the ledger began.",
)
HELD_FAMILIES: Final = Metric(
    "payments_held_families",
    "gauge",
    (KIND,),
    "Families whose money two people hold: HOLD, or EXCLUSION without an end.",
)
PARTNER_INCIDENTS: Final = Metric(
    "payments_partner_incidents",
    "gauge",
    (PARTNER,),
    "Words of a partner that cannot be its own, each of which waits for a person's judgement.",
)
CERTIFICATE_DAYS: Final = Metric(
    "payments_certificate_days",
    "gauge",
    (PARTNER, KIND),
    "Days for which a certificate or a key that signs still counts; below zero it has ended.",
)
SERVER_CERTIFICATE_DAYS: Final = Metric(
    "server_certificate_days",
    "gauge",
    (SERVER, KIND),
    "Days for which a certificate still counts by which a process knows Kafka or PostgreSQL, or "
    "they know it; below zero it has ended.",
)
PROPOSED_CLOSINGS: Final = Metric(
    "payments_proposed_closings",
    "gauge",
    (),
    "Closings that one person proposed and nobody has announced yet.",
)
WAITING_CHANGES: Final = Metric(
    "registry_waiting_changes",
    "gauge",
    (KIND,),
    "Changes that wait for a second person; what nobody approves before a closing is not in it.",
)
OPEN_CASES: Final = Metric(
    "complaints_open_cases",
    "gauge",
    (LEVEL, TERM),
    "Open cases of a level: IN_TERM, DUE by the next working day, OVER, or UNDATED for want of a "
    "decree of holidays.",
)
DECREED_DAYS: Final = Metric(
    "complaints_decreed_days",
    "gauge",
    (),
    "Days up to the last whose national holidays are decreed; a term beyond has no due day.",
)
UNMATCHED_FACTS: Final = Metric(
    "conditionality_unmatched_facts",
    "gauge",
    (KIND,),
    "Facts of persons whom no registered family has, by who reported them: SCHOOL, FACILITY.",
)
PROVED_AT: Final = Metric(
    "projection_proved_timestamp_seconds",
    "gauge",
    (KIND,),
    "When the last verification or witness's look was reported, in seconds since 1970.",
)
PROOF_FINDINGS: Final = Metric(
    "projection_proof_findings",
    "gauge",
    (KIND,),
    "Faults that the last verification or witness's look found; pkh verify names each.",
)
EVALUATED_FAMILIES: Final = Metric(
    "projection_evaluated_families",
    "gauge",
    (CYCLE, RESULT),
    "Families of the last tahap that was judged and of the one before, by how they were judged.",
)
ANSWERED_PAYMENTS: Final = Metric(
    "projection_answered_payments",
    "gauge",
    (CYCLE, OUTCOME),
    "Payments of the last tahap that banks have answered and of the one before: CREDITED, FAILED.",
)
LOOKED_UP_IDENTITIES: Final = Metric(
    "registry_looked_up_identities",
    "counter",
    (PURPOSE, OUTCOME),
    "Identities that were asked for: told, or refused because of the limit of a subject and day.",
)

METRICS: Final = (
    APPEND_EVENTS,
    APPEND_SECONDS,
    HEAD_EVENTS,
    RELAY_LAG_EVENTS,
    RELAY_LAG_SECONDS,
    RELAY_MESSAGES,
    RELAY_SEND_SECONDS,
    RELAY_FAULTS,
    CONSUMER_LAG_MESSAGES,
    CONSUMER_LAG_SECONDS,
    CONSUMER_MESSAGES,
    CONSUMER_STOPPED,
    PROCESS_SECONDS,
    PARKED_MESSAGES,
    PARKED_KEYS,
    LEADERS,
    FAILING_ITEMS,
    RUNNING_JOBS,
    RUNNING_JOBS_DONE,
    STORE_REACHED,
    BUS_REACHED,
    REQUEST_SECONDS,
    HTTP_REFUSALS,
    BALANCE_RUPIAH,
    MOVED_RUPIAH,
    HELD_FAMILIES,
    PARTNER_INCIDENTS,
    CERTIFICATE_DAYS,
    SERVER_CERTIFICATE_DAYS,
    PROPOSED_CLOSINGS,
    WAITING_CHANGES,
    OPEN_CASES,
    DECREED_DAYS,
    UNMATCHED_FACTS,
    PROVED_AT,
    PROOF_FINDINGS,
    EVALUATED_FAMILIES,
    ANSWERED_PAYMENTS,
    LOOKED_UP_IDENTITIES,
)
"""Every metric of ours; a process shows its own CPU, memory and files beside them."""

# -- Spans ----------------------------------------------------------------------------------------

SPAN_REQUEST: Final = "{method} {route}"
SPAN_APPEND: Final = "append {store}"
SPAN_SEND: Final = "send {topic}"
SPAN_SEND_TO_SEVERAL: Final = "send"
SPAN_PROCESS: Final = "process {topic}"

SPANS: Final = {
    SPAN_REQUEST: "One HTTP request, by its route's template.",
    SPAN_APPEND: "One append: its transaction, from its beginning to the answer to its commit.",
    SPAN_SEND: "One window of a relay, to one topic, until the bus has acknowledged it.",
    SPAN_SEND_TO_SEVERAL: "The same, to several topics.",
    SPAN_PROCESS: "One batch of messages, from its parsing to the commit of what it caused.",
}
"""Every span's name and what it covers: a batch or a window each, never a message."""

# -- Attributes of spans --------------------------------------------------------------------------

HTTP_METHOD: Final = "http.request.method"
HTTP_ROUTE: Final = "http.route"
HTTP_STATUS: Final = "http.response.status_code"
ERROR_TYPE: Final = "error.type"
MESSAGING_SYSTEM: Final = "messaging.system"
MESSAGING_OPERATION: Final = "messaging.operation.name"
MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"
MESSAGING_DESTINATION: Final = "messaging.destination.name"
MESSAGING_PARTITION: Final = "messaging.destination.partition.id"
MESSAGING_GROUP: Final = "messaging.consumer.group.name"
MESSAGING_BATCH: Final = "messaging.batch.message_count"
APPENDED_STORE: Final = "corridor.store"
APPENDED_EVENTS: Final = "corridor.events"
APPENDED_POSITION: Final = "corridor.position"

ATTRIBUTES: Final = {
    HTTP_METHOD: f"The method; `{OTHER_METHOD}` for one that no route has.",
    HTTP_ROUTE: "The route's template; never path, query or body.",
    HTTP_STATUS: "The answer's status.",
    ERROR_TYPE: "The status, or the kind of error that ended it; never its text.",
    MESSAGING_SYSTEM: "`kafka`, or `postgresql` where the embedded bus serves.",
    MESSAGING_OPERATION: "`send` or `process`.",
    MESSAGING_OPERATION_TYPE: "The same.",
    MESSAGING_DESTINATION: "The topic, where it is one.",
    MESSAGING_PARTITION: "The partitions that the messages are of.",
    MESSAGING_GROUP: "The consuming service.",
    MESSAGING_BATCH: "How many messages.",
    APPENDED_STORE: "The service whose store it is.",
    APPENDED_EVENTS: "How many events the append wrote.",
    APPENDED_POSITION: "Position of the last of them.",
}
"""Every attribute of our spans."""
