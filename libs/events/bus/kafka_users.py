"""Requests about users and their passwords, which the library does not have (KIP-554)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

ITERATIONS: Final = 4_096
"""The least that a broker takes; passwords are drawn, so that more would protect nothing."""

SALT_BYTES: Final = 32
SCRAM_SHA_512: Final = 2


class _UsersDescribed(Response):  # type: ignore[misc]  # the library has no types
    API_KEY, API_VERSION = 50, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("error_message", CompactString()),
        (
            "results",
            CompactArray(
                ("user", CompactString()),
                ("error_code", Int16),
                ("error_message", CompactString()),
                (
                    "credentials",
                    CompactArray(
                        ("mechanism", Int8), ("iterations", Int32), ("tags", TaggedFields)
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _DescribeUsers(RequestStruct):  # type: ignore[misc]  # the library has no types
    FLEXIBLE_VERSION, API_KEY, API_VERSION = True, 50, 0
    RESPONSE_TYPE = _UsersDescribed
    SCHEMA = Schema(
        ("users", CompactArray(("name", CompactString()), ("tags", TaggedFields))),
        ("tags", TaggedFields),
    )


class DescribeUsersRequest(Request[_DescribeUsers]):  # type: ignore[misc]  # the library has no types
    """Asks for all users that have a password."""

    API_KEY = 50

    def build(self, struct: type[_DescribeUsers]) -> _DescribeUsers:
        """The request in a version of the protocol."""
        return struct(None, {})


class _UsersAltered(Response):  # type: ignore[misc]  # the library has no types
    API_KEY, API_VERSION = 51, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString()),
                ("error_code", Int16),
                ("error_message", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterUsers(RequestStruct):  # type: ignore[misc]  # the library has no types
    FLEXIBLE_VERSION, API_KEY, API_VERSION = True, 51, 0
    RESPONSE_TYPE = _UsersAltered
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(("name", CompactString()), ("mechanism", Int8), ("tags", TaggedFields)),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString()),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterUsersRequest(Request[_AlterUsers]):  # type: ignore[misc]  # the library has no types
    """Removes users, and gives others their password."""

    API_KEY = 51

    def __init__(self, removed: Sequence[str], passwords: Mapping[str, str]) -> None:
        tags: dict[int, bytes] = {}
        self._removed = [(user, SCRAM_SHA_512, tags) for user in removed]
        self._given = [_credential(*one) for one in passwords.items()]

    def build(self, struct: type[_AlterUsers]) -> _AlterUsers:
        """The request in a version of the protocol."""
        return struct(self._removed, self._given, {})


def _credential(user: str, password: str) -> tuple[object, ...]:
    """The part of a password that the cluster keeps; the password itself it is never sent."""
    salt = secrets.token_bytes(SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return user, SCRAM_SHA_512, ITERATIONS, salt, salted, {}
