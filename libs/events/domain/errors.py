"""Errors of the corridor, each as a sentence.

    CorridorError
    ├── DomainError            a rule refuses the command; services derive their own
    │   └── NotFound           the thing that the command names does not exist
    ├── ConcurrencyConflict    somebody else moved the stream first
    ├── EventTooLarge          refused at append, because a bus would refuse it later
    ├── UnknownEvent           stops the consumer or the reader; never parked, never skipped
    ├── BusRefused             the bus does not take this: unknown topic, wrong partition count
    ├── StaleMember            this consumer no longer owns the partition
    ├── GapFound               messages are missing from a topic; names them
    └── UnknownEpoch           the producer's store was restored; a person must reconcile

An error's text is the first line of its class's docstring and the facts given to it. Facts are
ids, codes, counts and positions: never personal data.
"""

from __future__ import annotations


class CorridorError(Exception):
    """Something went wrong in the corridor."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        sentence = (self.__doc__ or type(self).__name__).strip().splitlines()[0]
        named = ", ".join(f"{name}={value}" for name, value in facts.items())
        super().__init__(f"{sentence} ({named})" if named else sentence)


class DomainError(CorridorError):
    """A rule of the programme refuses this."""


class NotFound(DomainError):
    """There is no such thing."""


class ConcurrencyConflict(CorridorError):
    """The stream was moved by somebody else."""


class EventTooLarge(CorridorError):
    """An event is larger than the bus will carry."""


class UnknownEvent(CorridorError):
    """An event of this type or version is not known here."""


class BusRefused(CorridorError):
    """The bus does not take this."""


class StaleMember(CorridorError):
    """This consumer no longer owns the partition."""


class GapFound(CorridorError):
    """Messages are missing from the topic."""


class UnknownEpoch(CorridorError):
    """The sender's store was restored since; reconcile before going on."""


def safe_text(error: BaseException) -> str:
    """The text of an error that may be logged or stored: our own, of others only the kind.

    Only errors of this hierarchy promise to hold no personal data; a driver's or a codec's text
    may quote the value it choked on.
    """
    return str(error) if isinstance(error, CorridorError) else type(error).__name__
