"""Loads a day of trades as many scripts do: the official client, and a row at a time into COPY.

All that a trade has, to the nanosecond, as Backhaul keeps it; without lineage, checks or an archive.
"""

import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import databento
import history
import psycopg

*asked, database = sys.argv[1:]
COLUMNS = (
    "instrument_id, ts_recv, ts_recv_ns, publisher_id, ts_event, ts_event_ns, price, size, action, side,"
    " flags, depth, ts_in_delta, sequence"
)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def instant(nanoseconds):
    """Microseconds, which is what Python's times hold, and the rest; None where the vendor has none."""
    if nanoseconds == databento.UNDEF_TIMESTAMP:
        return None, None
    microseconds, rest = divmod(nanoseconds, 1000)
    return EPOCH + timedelta(microseconds=microseconds), rest


with psycopg.connect(database) as connection, connection.cursor() as cursor:
    cursor.execute(
        "CREATE TABLE peer (instrument_id bigint, ts_recv timestamptz, ts_recv_ns smallint,"
        " publisher_id bigint, ts_event timestamptz, ts_event_ns smallint, price numeric(20,9), size bigint,"
        " action text, side text, flags bigint, depth bigint, ts_in_delta bigint, sequence bigint);"
        "CREATE INDEX ON peer (instrument_id, ts_recv)"
    )
    with cursor.copy(f"COPY peer ({COLUMNS}) FROM STDIN") as copy:
        for trade in history.day(*asked):
            copy.write_row(
                (
                    trade.instrument_id,
                    *instant(trade.ts_recv),
                    trade.publisher_id,
                    *instant(trade.ts_event),
                    Decimal(trade.price).scaleb(-9),
                    trade.size,
                    str(trade.action),
                    str(trade.side),
                    int(trade.flags),
                    trade.depth,
                    trade.ts_in_delta,
                    trade.sequence,
                )
            )
