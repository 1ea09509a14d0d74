"""Integrators' dashboard: how their requests are answered, and who looked up whom."""

from __future__ import annotations

from typing import Final

from deploy.grafana.layout import Audience, Panels
from deploy.grafana.panels import COUNT, PER_SECOND, RATE, SECONDS, SHARE, lines, quantile

REQUESTS: Final[Panels] = (
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
        {"{{http_route}}": quantile(0.95, "http_server_request_duration_seconds", "http_route")},
        SECONDS,
        "By route.",
    ),
)

SEEN: Final[Panels] = (
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

INTEGRATORS: Final = Audience(
    "integrators",
    "PKH integrators",
    "How requests are answered, and who looked up whom.",
    {"What is asked": REQUESTS, "Who looks at whom": SEEN},
)
