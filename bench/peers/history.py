"""What each script begins with: a day of trades by the official client."""

import databento


def day(url, key, start, end):
    client = databento.Historical(key)
    # By its constructor the client takes https alone.
    client.timeseries._base_url = f"{url}/v0/timeseries"
    return client.timeseries.get_range(
        dataset="GLBX.MDP3",
        schema="trades",
        symbols=["ES.c.0"],
        stype_in="continuous",
        start=start,
        end=end,
    )
