"""Signs that operations rely on, each broken once."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

EVENTS: Final = "tests/integration/events"
TRACES: Final = f"{EVENTS}/test_traces.py"
READINGS: Final = f"{EVENTS}/test_gauges.py"

TELEMETRY: Final = (
    Mutant(
        "trace-ends-at-the-consumer",
        "what a batch causes does not go on from its trace",
        (
            Change(
                "libs/events/consumer/inbox.py",
                "return Context(last.time, actor, trace, last.id)",
                "return Context(last.time, actor, None, last.id)",
            ),
        ),
        f"{TRACES}::test_a_batch_is_one_span_that_what_it_causes_goes_on_from",
        f"{TRACES}::test_a_batch_is_linked_to_each_of_its_traces",
    ),
    Mutant(
        "all-of-a-batch-in-one-trace",
        "what a message causes is recorded under the trace of its batch's last message",
        (
            Change(
                "libs/events/telemetry/tracing.py",
                "    batch = trace_id(parent)\n",
                "    batch = trace_id(parent)\n    return {}\n",
            ),
        ),
        f"{TRACES}::test_what_a_message_causes_is_recorded_under_its_own_trace",
        f"{TRACES}::test_a_batch_is_one_span_that_what_it_causes_goes_on_from",
    ),
    Mutant(
        "lag-of-an-idle-relay",
        "the relay's lag is counted from the log's beginning",
        (
            Change(
                "libs/events/monitoring/gauges.py",
                'lag = row["head"] - row["relayed"]',
                'lag = row["head"]',
            ),
        ),
        f"{READINGS}::test_the_lag_ends_with_the_last_acknowledgement",
        f"{READINGS}::test_an_empty_log_has_no_lag",
    ),
)
