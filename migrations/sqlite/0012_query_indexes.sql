-- A table of bars or samples holds several sizes, and those of one second are nearly all of it: a year of
-- daily bars is found without reading them. The finest rows are in no such index and cost nothing.
CREATE INDEX ohlcv_data_coarse ON ohlcv_data (instrument_id, granularity, ts_event)
WHERE granularity <> '1s';
CREATE INDEX bbo_data_coarse ON bbo_data (instrument_id, granularity, ts_recv)
WHERE granularity <> '1s';
CREATE INDEX cbbo_data_coarse ON cbbo_data (instrument_id, granularity, ts_recv)
WHERE granularity <> '1s';

-- Which instruments a raw symbol or an asset ever named, without reading every definition.
CREATE INDEX definitions_data_by_raw_symbol ON definitions_data (raw_symbol);
CREATE INDEX definitions_data_by_asset ON definitions_data (asset, instrument_class);
