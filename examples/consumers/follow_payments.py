"""Follows payments from the first message on, goes on after a stop, counts each message once.

    python follow_payments.py --bootstrap 127.0.0.1:9092 --state payments.sqlite [--once]

It keeps what it makes of the messages (here: counts and rupiah by tahap and type) and how far it
is in one database, in one transaction. So nothing is lost or counted twice, wherever it stops.
"""

import argparse
import asyncio
import json
import sqlite3

from aiokafka import AIOKafkaConsumer

TOPIC = "pkh.payments.payment.v1"
TABLES = """
CREATE TABLE IF NOT EXISTS handled (partition INTEGER PRIMARY KEY, epoch TEXT, position INTEGER);
CREATE TABLE IF NOT EXISTS total (tahap TEXT, type TEXT, messages INTEGER, rupiah INTEGER,
                                  PRIMARY KEY (tahap, type));
"""
ADD = """
INSERT INTO total VALUES (?, ?, 1, ?) ON CONFLICT (tahap, type)
DO UPDATE SET messages = messages + 1, rupiah = rupiah + excluded.rupiah
"""


def handle(state, partition, records):
    """Take in a partition's records in one transaction; gives how many of them were new."""
    new = 0
    with state:  # commits at its end, or keeps nothing
        row = state.execute("SELECT epoch, position FROM handled WHERE partition = ?", (partition,))
        epoch, done = row.fetchone() or (None, 0)
        for record in records:
            headers = {name: value.decode() for name, value in record.headers}
            position, previous = int(headers["ce_position"]), int(headers["ce_previous"])
            if epoch not in (None, headers["ce_epoch"]):
                raise SystemExit("The platform was restored from a backup: begin with a new state.")
            if position <= done:
                continue  # sent again, or read again: we have it
            if previous > done:
                raise SystemExit(f"Position {previous} of partition {partition} never came.")
            body = json.loads(record.value)
            kind = headers["ce_type"].split(".")[-2]  # ...payment.PaymentCredited.v1
            state.execute(ADD, (body["tahap"], kind, body.get("amount", 0)))
            epoch, done, new = headers["ce_epoch"], position, new + 1
        state.execute("REPLACE INTO handled VALUES (?, ?, ?)", (partition, epoch, done))
    return new


async def follow(bootstrap, state, group, once):
    """Read for ever, or `once` until the end; the group's offset follows what we have kept."""
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with consumer:
        while True:
            batches = await consumer.getmany(timeout_ms=500)
            for partition, records in batches.items():
                new = handle(state, partition.partition, records)
                await consumer.commit({partition: records[-1].offset + 1})
                print(f"partition {partition.partition}: {new} new of {len(records)}", flush=True)
            places = consumer.assignment()
            if once and not batches and places:
                ends = await consumer.end_offsets(places)
                if all(
                    [await consumer.position(partition) >= ends[partition] for partition in places]
                ):
                    return


def main():
    """Follow, then print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bootstrap", required=True, help="a broker: host and port")
    parser.add_argument(
        "--state", default="payments.sqlite", help="a file that keeps how far it is"
    )
    parser.add_argument("--group", default="follow-payments", help="the consumer group's name")
    parser.add_argument("--once", action="store_true", help="stop where the topic ends")
    arguments = parser.parse_args()
    state = sqlite3.connect(arguments.state)
    state.executescript(TABLES)
    try:
        asyncio.run(follow(arguments.bootstrap, state, arguments.group, arguments.once))
    except KeyboardInterrupt:
        print("Stopped; start it again to go on.")
    for row in state.execute("SELECT * FROM total ORDER BY tahap, type"):
        print("{} {:<20} {:>7,} messages {:>18,} rupiah".format(*row))


if __name__ == "__main__":
    main()
