"""Faults of database and network: tried again, told from those that a message itself has."""

from __future__ import annotations

import asyncpg

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that the server has ended just now
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    OSError,
)
"""Errors of a database that went away, is coming back or is full."""

RETRIED = (
    *LOST,
    TimeoutError,
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.OperatorInterventionError,  # shutdown, cancelled
    asyncpg.InvalidTransactionStateError,  # idle in transaction too long
)
"""Faults of the infrastructure: never a message's own, so never parked."""


# What the driver says of a value that fits no column has the class of a lost connection, and is a
# ValueError besides. Tried again it would hold up its partition for ever.


def is_infrastructure_fault(error: Exception) -> bool:
    """True if the database or the network is at fault, so that trying again may do."""
    return isinstance(error, RETRIED) and not isinstance(error, ValueError)


def is_lost(error: Exception) -> bool:
    """True if the database went away, so that a statement may or may not have been carried out."""
    return isinstance(error, LOST) and not isinstance(error, ValueError)
