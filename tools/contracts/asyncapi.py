"""Describes the platform's topics as one AsyncAPI document, contracts/asyncapi.yaml.

It is made of contracts/topics.yaml, of the publishers' dataclasses and of the golden examples, so
that nothing in it is written twice. `python -m tools.contracts.generate` writes it and finds it
drifted.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from libs.events.bus.envelope import CONTENT_TYPE, type_prefix
from libs.events.bus.topics import Topics, is_inbound

DOCUMENT: Final = "asyncapi.yaml"
EXAMPLE: Final = ".example.json"

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "string", "pattern": "^[0-9]+$"}
_HEADERS: Final[Mapping[str, Mapping[str, str]]] = {
    "ce_specversion": {**_TEXT, "const": "1.0"},
    "ce_id": {**_TEXT, "description": "Names the event for ever; drop what you have seen."},
    "ce_source": {**_TEXT, "description": "The service that says it."},
    "ce_type": _TEXT,
    "ce_subject": {**_TEXT, "description": "The stream that it belongs to."},
    "ce_time": {**_TEXT, "format": "date-time", "description": "When it happened."},
    "ce_position": {**_NUMBER, "description": "Its place in the log of its source."},
    "ce_previous": {
        **_NUMBER,
        "description": "The position before it in this partition, 0 for the first: a message that "
        "names another one than the last that you have seen is behind a gap.",
    },
    "ce_epoch": {**_TEXT, "description": "Changes when the source was restored from a backup."},
    "traceparent": {**_TEXT, "description": "W3C trace context of the request behind it."},
}
_INBOUND_HEADERS: Final[Mapping[str, Mapping[str, str]]] = {
    "ce_specversion": _HEADERS["ce_specversion"],
    "ce_id": {
        **_TEXT,
        "pattern": "^[!-~]{1,200}$",
        "description": "Names the message for ever among its writer's; sent again it changes "
        "nothing. Never a person's number.",
    },
    "ce_source": {**_TEXT, "description": "/inbound/ and the name under which you are registered."},
    "ce_type": _TEXT,
    "ce_time": {**_TEXT, "format": "date-time", "description": "When it was written."},
    "traceparent": {**_TEXT, "description": "W3C trace context, if there is one."},
}
_OPTIONAL: Final = ("traceparent",)


def document(contracts: Path, messages: Mapping[Path, type[Any]]) -> dict[str, Any]:
    """The AsyncAPI 3 document of {contracts/<topic>/<Type>.v1: the publisher's dataclass}."""
    topics = Topics.load(contracts)
    references, schemas = msgspec.json.schema_components(
        messages.values(), ref_template="#/components/schemas/{name}"
    )
    payloads = dict(zip(messages, references, strict=True))
    return {
        "asyncapi": "3.1.0",
        "info": _info(topics),
        "defaultContentType": CONTENT_TYPE.decode(),
        "channels": {name: _channel(topics, name, messages) for name in sorted(topics.partitions)},
        "operations": {name: _operation(topics, name) for name in sorted(topics.partitions)},
        "components": {
            "messages": {
                _id(stem): _message(topics, stem, payloads[stem]) for stem in sorted(messages)
            },
            "messageTraits": {
                "cloudEvent": _cloud_event(_HEADERS, _OPTIONAL),
                "inboundEvent": _cloud_event(_INBOUND_HEADERS, _OPTIONAL),
            },
            "schemas": {name: _described(schemas[name]) for name in sorted(schemas)},
        },
    }


def text(contracts: Path, messages: Mapping[Path, type[Any]]) -> str:
    """The document as it stands in the file."""
    # JSON first: YAML would write what stands twice, such as a header's form, as an anchor.
    plain = json.loads(json.dumps(document(contracts, messages)))
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100))


def _info(topics: Topics) -> dict[str, Any]:
    return {
        "title": "PKH platform: event topics",
        "version": "1",
        "description": "Everything that the services tell each other and integrators, as "
        "CloudEvents 1.0 in Kafka's binary mode. Partition = crc32(key) mod the topic's count. "
        "Fields are only ever added within a major version: pass over those you do not know.",
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        "tags": [{"name": owner} for owner in dict.fromkeys(topics.owners.values())],
    }


def _channel(topics: Topics, name: str, stems: Iterable[Path]) -> dict[str, Any]:
    own = [_id(stem) for stem in sorted(stems) if stem.parent.name == name]
    return {
        "address": name,
        "description": f"From {_from(topics, name)}, keyed by {topics.keys[name]}; its data is "
        f"{topics.data_classes[name]}.{_relation(topics, name)}",
        "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in own},
        "bindings": {
            "kafka": {
                "topic": name,
                "partitions": topics.partitions[name],
                "bindingVersion": "0.5.0",
            }
        },
    }


def _from(topics: Topics, name: str) -> str:
    """The names of who says it: the owner, or those outside who are registered to."""
    return " and ".join(topics.writers.get(name) or [topics.owners[name]])


def _relation(topics: Topics, name: str) -> str:
    """The sentences on when a topic ends, and which one it narrows."""
    ends = f" Its last day is {topics.ends[name]}." if name in topics.ends else ""
    wide = topics.stored_as(name)
    return ends if wide == name else f"{ends} It tells what {wide} tells, with fewer fields."


def _operation(topics: Topics, name: str) -> dict[str, Any]:
    return {
        "action": "receive" if is_inbound(name) else "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": f"{topics.describes(name)} {_does(name)}",
        "tags": [{"name": topics.describes(name)}],
    }


def _does(name: str) -> str:
    return "takes in what is reported." if is_inbound(name) else "says what has happened."


def _message(topics: Topics, stem: Path, payload: Mapping[str, Any]) -> dict[str, Any]:
    topic, (name, _, _) = stem.parent.name, stem.name.partition(".")
    prefix, suffix = type_prefix(topics.namespace, topic)
    example = json.loads(stem.with_name(stem.name + EXAMPLE).read_text("utf-8"))
    return {
        "name": f"{prefix}{name}{suffix}",
        "title": name,
        "traits": [{"$ref": f"#/components/messageTraits/{_trait(topic)}"}],
        "payload": payload,
        "examples": [{"name": name, "payload": example}],
    }


def _trait(topic: str) -> str:
    return "inboundEvent" if is_inbound(topic) else "cloudEvent"


def _cloud_event(
    headers: Mapping[str, Mapping[str, str]], optional: Collection[str]
) -> dict[str, Any]:
    return {
        "headers": {
            "type": "object",
            "properties": headers,
            "required": [name for name in headers if name not in optional],
        },
        "bindings": {"kafka": {"key": _TEXT, "bindingVersion": "0.5.0"}},
    }


def _described(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "description" not in schema:
        return dict(schema)
    return {**schema, "description": inspect.cleandoc(schema["description"])}


def _id(stem: Path) -> str:
    return f"{stem.parent.name}.{stem.name.partition('.')[0]}"
