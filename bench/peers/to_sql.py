"""Loads a day of trades as the shortest scripts do: the official client, and pandas' `to_sql`."""

import sys

import history
import sqlalchemy

*asked, database = sys.argv[1:]
engine = sqlalchemy.create_engine(database.replace("postgres://", "postgresql+psycopg://"))
with engine.begin() as connection:
    history.day(*asked).to_df().to_sql("peer", connection, if_exists="fail", chunksize=10_000)
