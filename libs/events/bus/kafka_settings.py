"""Settings towards a Kafka cluster: where it is, who we are, and every limit."""

from __future__ import annotations

from dataclasses import dataclass, field
from ssl import create_default_context
from typing import Any, Final

# A broker that has not answered by then counts as away. Longer than a session, because a join is
# answered only when the last of the other members has come or has been given up.
REQUEST_BEYOND_SESSION_S: Final = 5.0

# The library itself repeats an idempotent batch without an end.
SEND_TIMEOUT_S: Final = 30.0

# Beyond a request that is not answered the library may take as long to stop, then it is told again.
STOP_BEYOND_REQUEST_S: Final = 2.0

# How soon a client learns that a topic was deleted, made again or moved without an error telling
# it; the library's five minutes would leave a member without partitions for as long.
METADATA_AGE_MAX_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """One principal over TLS: a user with a password, or the owner of a certificate.

    `ca_file` is the cluster's authority, the system's where None; `certificate` are the files of a
    certificate and its key. Whoever has a password needs none.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    mechanism: str = "SCRAM-SHA-512"
    ca_file: str | None = None
    certificate: tuple[str, str] | None = None

    def options(self) -> dict[str, Any]:
        """As aiokafka's clients take it. Raises `OSError` for files that are no certificates."""
        context = create_default_context(cafile=self.ca_file)
        if self.certificate:
            context.load_cert_chain(*self.certificate)
        if not self.username:
            return {"security_protocol": "SSL", "ssl_context": context}
        return {
            "security_protocol": "SASL_SSL",
            "ssl_context": context,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }


@dataclass(frozen=True, slots=True)
class Cluster:
    """The terms on which a process speaks to a Kafka cluster, beside its address.

    `security` says who it is there; None is anybody, in clear. `replication` is the copies of each
    record of topics made here, `in_sync` how many must hold it before it counts as published: all
    but one where it is None.
    """

    security: KafkaSecurity | None = None
    replication: int = 1
    in_sync: int | None = None


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """A cluster as one process sees it.

    `bootstrap` is "host:port[,host:port]", `session_s` how long a member may be silent in
    seconds, `send_s` how long a producer may take over what it is given, in seconds, and
    `stop_beyond_request_s` how long after an unanswered request a member's library that has not
    stopped is told again.
    """

    bootstrap: str
    session_s: float
    cluster: Cluster = field(default_factory=Cluster)
    send_s: float = SEND_TIMEOUT_S
    request_beyond_session_s: float = REQUEST_BEYOND_SESSION_S
    stop_beyond_request_s: float = STOP_BEYOND_REQUEST_S

    @property
    def request_s(self) -> float:
        """The seconds that a request may take before the broker counts as away."""
        return self.session_s + self.request_beyond_session_s

    def connection(self) -> dict[str, Any]:
        """The options of a single connection, as aiokafka takes them."""
        security = self.cluster.security
        return {
            "request_timeout_ms": round(self.request_s * 1000),
            **(security.options() if security else {}),
        }

    def client(self) -> dict[str, Any]:
        """The options that producer, consumer and admin client share, as aiokafka takes them."""
        return {
            "bootstrap_servers": self.bootstrap,
            "metadata_max_age_ms": round(METADATA_AGE_MAX_S * 1000),
            **self.connection(),
        }

    def topic_configs(self) -> dict[str, str]:
        """The configuration of a topic made here: nothing of it is ever deleted by age or size."""
        in_sync = self.cluster.in_sync or max(1, self.cluster.replication - 1)
        return {
            "cleanup.policy": "delete",
            "retention.ms": "-1",
            "retention.bytes": "-1",
            "min.insync.replicas": str(in_sync),
        }
