"""Loads a day of trades as the shortest scripts do: the official client, and pandas' `to_sql`."""

import sys

import databento
import sqlalchemy

url, key, start, end, database = sys.argv[1:]
client = databento.Historical(key)
# By its constructor the client takes https alone.
client.timeseries._base_url = f"{url}/v0/timeseries"
data = client.timeseries.get_range(
    dataset="GLBX.MDP3",
    schema="trades",
    symbols=["ES.c.0"],
    stype_in="continuous",
    start=start,
    end=end,
)
engine = sqlalchemy.create_engine(database.replace("postgres://", "postgresql+psycopg://"))
with engine.begin() as connection:
    data.to_df().to_sql("peer", connection, if_exists="fail", chunksize=10_000)
