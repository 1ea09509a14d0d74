"""One JSON object a line on standard output, for our own log lines and for the libraries' alike.

Logs name routes, ids, codes and counts. The text of an exception that is not ours is not written,
because nobody can promise what it quotes (a constraint's detail, a model's input): its kind and
the places it passed are. A library's message is cut at its first line for the same reason.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor

from libs.events.domain.errors import safe_text

FRAMES_MAX: Final = 12

_encode = msgspec.json.Encoder(enc_hook=str).encode


def describe(error: BaseException) -> dict[str, object]:
    """An exception as far as it may be told: what it is, what caused it, the places it passed."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
    kinds = [safe_text(error)]
    cause = error.__cause__ or error.__context__
    while cause is not None and len(kinds) < FRAMES_MAX:
        kinds.append(safe_text(cause))
        cause = cause.__cause__ or cause.__context__
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": kinds, "passed": places}


def configure(service: str, level: str, to: TextIO | None = None) -> None:
    """Send every log line of this process to a stream; `level` is a word of Settings.

    That is standard output, unless a program answers there what another one reads.
    """

    def name_service(_logger: object, _method: str, line: EventDict) -> EventDict:
        line["service"] = service
        return line

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        name_service,
        _without_texts_of_errors,
    ]
    handler = logging.StreamHandler(to or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_first_line, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _as_json],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # It says of each connection to a broker, of which there are several a second, who made it.
    logging.getLogger("aiokafka.conn").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _without_texts_of_errors(_logger: object, _method: str, line: EventDict) -> EventDict:
    given = line.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        line.update(describe(error))
    return line


def _first_line(_logger: object, _method: str, line: EventDict) -> EventDict:
    line["event"] = str(line["event"]).strip().partition("\n")[0]
    return line


def _as_json(_logger: object, _method: str, line: Mapping[str, Any]) -> str:
    return _encode(line).decode()
