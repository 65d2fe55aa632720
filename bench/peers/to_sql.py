"""Loads a day of trades as the shortest scripts do: the official client, and pandas' `to_sql`."""

import sys

import databento
import sqlalchemy

url, key, start, end, database = sys.argv[1:]
client = databento.Historical(key, gateway=url)
data = client.timeseries.get_range(
    dataset="GLBX.MDP3",
    schema="trades",
    symbols=["ES.c.0"],
    stype_in="continuous",
    start=start,
    end=end,
)
engine = sqlalchemy.create_engine(database.replace("postgres://", "postgresql+psycopg://"))
columns = ["instrument_id", "publisher_id", "ts_event", "price", "size", "action", "side"]
with engine.begin() as connection:
    data.to_df()[columns].to_sql("peer", connection, if_exists="fail", chunksize=10_000)
