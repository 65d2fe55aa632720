"""Loads a day of trades as many scripts do: the official client, and a row at a time into COPY."""

import sys
from datetime import datetime, timezone
from decimal import Decimal

import databento
import psycopg

url, key, start, end, database = sys.argv[1:]
COLUMNS = "instrument_id, ts_recv, publisher_id, ts_event, price, size, action, side"
client = databento.Historical(key, gateway=url)
data = client.timeseries.get_range(
    dataset="GLBX.MDP3",
    schema="trades",
    symbols=["ES.c.0"],
    stype_in="continuous",
    start=start,
    end=end,
)


def instant(nanoseconds):
    """None where the vendor has none; microseconds, which is what Python's times hold."""
    if nanoseconds == databento.UNDEF_TIMESTAMP:
        return None
    return datetime.fromtimestamp(nanoseconds / 1e9, timezone.utc)


with psycopg.connect(database) as connection, connection.cursor() as cursor:
    cursor.execute(
        "CREATE TABLE peer (instrument_id bigint, ts_recv timestamptz, publisher_id bigint,"
        " ts_event timestamptz, price numeric(20,9), size bigint, action text, side text);"
        "CREATE INDEX ON peer (instrument_id, ts_recv)"
    )
    with cursor.copy(f"COPY peer ({COLUMNS}) FROM STDIN") as copy:
        for trade in data:
            copy.write_row(
                (
                    trade.instrument_id,
                    instant(trade.ts_recv),
                    trade.publisher_id,
                    instant(trade.ts_event),
                    Decimal(trade.price).scaleb(-9),
                    trade.size,
                    str(trade.action),
                    str(trade.side),
                )
            )
