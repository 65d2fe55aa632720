-- Market tables: one for each kind of record.
--
-- A time is two columns: `ts_event` holds whole microseconds, all that the type can, and `ts_event_ns`
-- the 0 to 999 nanoseconds above them; before 1970 too the time is their sum, and an undefined time is
-- NULL in both. Prices are exact decimals with nine digits, undefined ones NULL. The views of 0003 show
-- both as text. There is no unique key, because real feeds hold identical records, and because it would
-- cost half the speed of a load: a chunk and the row's number within it tell rows apart.
--
-- Within a table come first the columns of eight bytes, then the remainders of the times, then what
-- varies in length: a row in the order of the views is a tenth longer, of nothing but alignment.
--
-- Each table has two indexes. One is for a symbol's day: instrument and index time. The other finds a
-- chunk's rows when it is replayed. Rows of a chunk are written together, so the second keeps the chunks
-- of each range of pages instead of an entry for each row: it has some kilobytes where a B-tree has
-- megabytes, and a load hardly notices it, while a B-tree makes one half as long again. Several intervals
-- a range, and not one from the least to the greatest: chunks loaded at the same time, or long after
-- their neighbours by a replay, share ranges. New ranges are summarised at once, not by the next vacuum.

-- Every trade.
CREATE TABLE trades_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    size BIGINT,
    flags BIGINT NOT NULL,
    depth BIGINT NOT NULL,
    ts_in_delta BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    price NUMERIC(20, 9),
    action TEXT,
    side TEXT
);

CREATE INDEX trades_data_by_instrument ON trades_data (instrument_id, ts_recv);
CREATE INDEX trades_data_by_chunk ON trades_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- Every trade, with the best bid and ask before it.
CREATE TABLE tbbo_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    size BIGINT,
    flags BIGINT NOT NULL,
    depth BIGINT NOT NULL,
    ts_in_delta BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    bid_sz_00 BIGINT NOT NULL,
    ask_sz_00 BIGINT NOT NULL,
    bid_ct_00 BIGINT NOT NULL,
    ask_ct_00 BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    price NUMERIC(20, 9),
    action TEXT,
    side TEXT,
    bid_px_00 NUMERIC(20, 9),
    ask_px_00 NUMERIC(20, 9)
);

CREATE INDEX tbbo_data_by_instrument ON tbbo_data (instrument_id, ts_recv);
CREATE INDEX tbbo_data_by_chunk ON tbbo_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- Every change of the best bid and ask, and every trade.
CREATE TABLE mbp_1_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    size BIGINT,
    flags BIGINT NOT NULL,
    depth BIGINT NOT NULL,
    ts_in_delta BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    bid_sz_00 BIGINT NOT NULL,
    ask_sz_00 BIGINT NOT NULL,
    bid_ct_00 BIGINT NOT NULL,
    ask_ct_00 BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    price NUMERIC(20, 9),
    action TEXT,
    side TEXT,
    bid_px_00 NUMERIC(20, 9),
    ask_px_00 NUMERIC(20, 9)
);

CREATE INDEX mbp_1_data_by_instrument ON mbp_1_data (instrument_id, ts_recv);
CREATE INDEX mbp_1_data_by_chunk ON mbp_1_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- Every change of the ten best bids and asks, and every trade.
CREATE TABLE mbp_10_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    size BIGINT,
    flags BIGINT NOT NULL,
    depth BIGINT NOT NULL,
    ts_in_delta BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    bid_sz_00 BIGINT NOT NULL,
    ask_sz_00 BIGINT NOT NULL,
    bid_ct_00 BIGINT NOT NULL,
    ask_ct_00 BIGINT NOT NULL,
    bid_sz_01 BIGINT NOT NULL,
    ask_sz_01 BIGINT NOT NULL,
    bid_ct_01 BIGINT NOT NULL,
    ask_ct_01 BIGINT NOT NULL,
    bid_sz_02 BIGINT NOT NULL,
    ask_sz_02 BIGINT NOT NULL,
    bid_ct_02 BIGINT NOT NULL,
    ask_ct_02 BIGINT NOT NULL,
    bid_sz_03 BIGINT NOT NULL,
    ask_sz_03 BIGINT NOT NULL,
    bid_ct_03 BIGINT NOT NULL,
    ask_ct_03 BIGINT NOT NULL,
    bid_sz_04 BIGINT NOT NULL,
    ask_sz_04 BIGINT NOT NULL,
    bid_ct_04 BIGINT NOT NULL,
    ask_ct_04 BIGINT NOT NULL,
    bid_sz_05 BIGINT NOT NULL,
    ask_sz_05 BIGINT NOT NULL,
    bid_ct_05 BIGINT NOT NULL,
    ask_ct_05 BIGINT NOT NULL,
    bid_sz_06 BIGINT NOT NULL,
    ask_sz_06 BIGINT NOT NULL,
    bid_ct_06 BIGINT NOT NULL,
    ask_ct_06 BIGINT NOT NULL,
    bid_sz_07 BIGINT NOT NULL,
    ask_sz_07 BIGINT NOT NULL,
    bid_ct_07 BIGINT NOT NULL,
    ask_ct_07 BIGINT NOT NULL,
    bid_sz_08 BIGINT NOT NULL,
    ask_sz_08 BIGINT NOT NULL,
    bid_ct_08 BIGINT NOT NULL,
    ask_ct_08 BIGINT NOT NULL,
    bid_sz_09 BIGINT NOT NULL,
    ask_sz_09 BIGINT NOT NULL,
    bid_ct_09 BIGINT NOT NULL,
    ask_ct_09 BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    price NUMERIC(20, 9),
    action TEXT,
    side TEXT,
    bid_px_00 NUMERIC(20, 9),
    ask_px_00 NUMERIC(20, 9),
    bid_px_01 NUMERIC(20, 9),
    ask_px_01 NUMERIC(20, 9),
    bid_px_02 NUMERIC(20, 9),
    ask_px_02 NUMERIC(20, 9),
    bid_px_03 NUMERIC(20, 9),
    ask_px_03 NUMERIC(20, 9),
    bid_px_04 NUMERIC(20, 9),
    ask_px_04 NUMERIC(20, 9),
    bid_px_05 NUMERIC(20, 9),
    ask_px_05 NUMERIC(20, 9),
    bid_px_06 NUMERIC(20, 9),
    ask_px_06 NUMERIC(20, 9),
    bid_px_07 NUMERIC(20, 9),
    ask_px_07 NUMERIC(20, 9),
    bid_px_08 NUMERIC(20, 9),
    ask_px_08 NUMERIC(20, 9),
    bid_px_09 NUMERIC(20, 9),
    ask_px_09 NUMERIC(20, 9)
);

CREATE INDEX mbp_10_data_by_instrument ON mbp_10_data (instrument_id, ts_recv);
CREATE INDEX mbp_10_data_by_chunk ON mbp_10_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- Every order: added, changed, cancelled, filled.
CREATE TABLE mbo_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    size BIGINT,
    flags BIGINT NOT NULL,
    channel_id BIGINT,
    ts_in_delta BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    order_id TEXT NOT NULL,
    price NUMERIC(20, 9),
    action TEXT,
    side TEXT
);

CREATE INDEX mbo_data_by_instrument ON mbo_data (instrument_id, ts_recv);
CREATE INDEX mbo_data_by_chunk ON mbo_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- Bars of one second to one day; `granularity` tells them apart.
CREATE TABLE ohlcv_data (
    instrument_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    volume BIGINT NOT NULL,
    ts_event_ns SMALLINT NOT NULL,
    open_price NUMERIC(20, 9),
    high_price NUMERIC(20, 9),
    low_price NUMERIC(20, 9),
    close_price NUMERIC(20, 9),
    granularity TEXT NOT NULL
);

CREATE INDEX ohlcv_data_by_instrument ON ohlcv_data (instrument_id, ts_event);
CREATE INDEX ohlcv_data_by_chunk ON ohlcv_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- What the venue publishes: settlement, open interest, session highs and lows.
CREATE TABLE statistics_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    ts_ref TIMESTAMPTZ,
    quantity BIGINT,
    sequence BIGINT NOT NULL,
    ts_in_delta BIGINT NOT NULL,
    stat_type BIGINT NOT NULL,
    channel_id BIGINT,
    update_action BIGINT NOT NULL,
    stat_flags BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    ts_ref_ns SMALLINT,
    price NUMERIC(20, 9)
);

CREATE INDEX statistics_data_by_instrument ON statistics_data (instrument_id, ts_recv);
CREATE INDEX statistics_data_by_chunk ON statistics_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- What an instrument is: expiration, tick size, legs. Each is as it was on its day.
CREATE TABLE definitions_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    expiration TIMESTAMPTZ,
    activation TIMESTAMPTZ,
    inst_attrib_value BIGINT,
    underlying_id BIGINT NOT NULL,
    market_depth_implied BIGINT,
    market_depth BIGINT,
    market_segment_id BIGINT,
    max_trade_vol BIGINT,
    min_lot_size BIGINT,
    min_lot_size_block BIGINT,
    min_lot_size_round_lot BIGINT,
    min_trade_vol BIGINT,
    contract_multiplier BIGINT,
    decay_quantity BIGINT,
    original_contract_size BIGINT,
    leg_instrument_id BIGINT NOT NULL,
    leg_ratio_price_numerator BIGINT NOT NULL,
    leg_ratio_price_denominator BIGINT NOT NULL,
    leg_ratio_qty_numerator BIGINT NOT NULL,
    leg_ratio_qty_denominator BIGINT NOT NULL,
    leg_underlying_id BIGINT NOT NULL,
    appl_id BIGINT,
    maturity_year BIGINT,
    decay_start_date BIGINT,
    channel_id BIGINT,
    leg_count BIGINT NOT NULL,
    leg_index BIGINT NOT NULL,
    main_fraction BIGINT,
    price_display_format BIGINT,
    sub_fraction BIGINT,
    underlying_product BIGINT,
    maturity_month BIGINT,
    maturity_day BIGINT,
    maturity_week BIGINT,
    contract_multiplier_unit BIGINT,
    flow_schedule_type BIGINT,
    tick_rule BIGINT,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    expiration_ns SMALLINT,
    activation_ns SMALLINT,
    min_price_increment NUMERIC(20, 9),
    display_factor NUMERIC(20, 9),
    high_limit_price NUMERIC(20, 9),
    low_limit_price NUMERIC(20, 9),
    max_price_variation NUMERIC(20, 9),
    unit_of_measure_qty NUMERIC(20, 9),
    min_price_increment_amount NUMERIC(20, 9),
    price_ratio NUMERIC(20, 9),
    strike_price NUMERIC(20, 9),
    raw_instrument_id TEXT NOT NULL,
    leg_price NUMERIC(20, 9),
    leg_delta NUMERIC(20, 9),
    currency TEXT,
    settl_currency TEXT,
    secsubtype TEXT,
    raw_symbol TEXT,
    security_group TEXT,
    exchange TEXT,
    asset TEXT,
    cfi TEXT,
    security_type TEXT,
    unit_of_measure TEXT,
    underlying TEXT,
    strike_price_currency TEXT,
    leg_raw_symbol TEXT,
    instrument_class TEXT,
    match_algorithm TEXT,
    security_update_action TEXT,
    user_defined_instrument TEXT,
    leg_instrument_class TEXT,
    leg_side TEXT
);

CREATE INDEX definitions_data_by_instrument ON definitions_data (instrument_id, ts_recv);
CREATE INDEX definitions_data_by_chunk ON definitions_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- Trading halts, openings and the like.
CREATE TABLE status_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    action BIGINT NOT NULL,
    reason BIGINT NOT NULL,
    trading_event BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    is_trading TEXT,
    is_quoting TEXT,
    is_short_sell_restricted TEXT
);

CREATE INDEX status_data_by_instrument ON status_data (instrument_id, ts_recv);
CREATE INDEX status_data_by_chunk ON status_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- Auction imbalances.
CREATE TABLE imbalance_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    auction_time TIMESTAMPTZ,
    paired_qty BIGINT,
    total_imbalance_qty BIGINT,
    market_imbalance_qty BIGINT,
    unpaired_qty BIGINT,
    auction_status BIGINT NOT NULL,
    freeze_status BIGINT NOT NULL,
    num_extensions BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    auction_time_ns SMALLINT,
    ref_price NUMERIC(20, 9),
    cont_book_clr_price NUMERIC(20, 9),
    auct_interest_clr_price NUMERIC(20, 9),
    ssr_filling_price NUMERIC(20, 9),
    ind_match_price NUMERIC(20, 9),
    upper_collar NUMERIC(20, 9),
    lower_collar NUMERIC(20, 9),
    auction_type TEXT,
    side TEXT,
    unpaired_side TEXT,
    significant_imbalance TEXT
);

CREATE INDEX imbalance_data_by_instrument ON imbalance_data (instrument_id, ts_recv);
CREATE INDEX imbalance_data_by_chunk ON imbalance_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- The best bid and ask, sampled each second or minute.
CREATE TABLE bbo_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    size BIGINT,
    flags BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    bid_sz_00 BIGINT NOT NULL,
    ask_sz_00 BIGINT NOT NULL,
    bid_ct_00 BIGINT NOT NULL,
    ask_ct_00 BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    price NUMERIC(20, 9),
    side TEXT,
    bid_px_00 NUMERIC(20, 9),
    ask_px_00 NUMERIC(20, 9),
    granularity TEXT NOT NULL
);

CREATE INDEX bbo_data_by_instrument ON bbo_data (instrument_id, ts_recv);
CREATE INDEX bbo_data_by_chunk ON bbo_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- The consolidated best bid and ask, sampled each second or minute.
CREATE TABLE cbbo_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    size BIGINT,
    flags BIGINT NOT NULL,
    bid_sz_00 BIGINT NOT NULL,
    ask_sz_00 BIGINT NOT NULL,
    bid_pb_00 BIGINT NOT NULL,
    ask_pb_00 BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    price NUMERIC(20, 9),
    side TEXT,
    bid_px_00 NUMERIC(20, 9),
    ask_px_00 NUMERIC(20, 9),
    granularity TEXT NOT NULL
);

CREATE INDEX cbbo_data_by_instrument ON cbbo_data (instrument_id, ts_recv);
CREATE INDEX cbbo_data_by_chunk ON cbbo_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- Every change of the consolidated best bid and ask, and every trade.
CREATE TABLE cmbp_1_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    size BIGINT,
    flags BIGINT NOT NULL,
    ts_in_delta BIGINT NOT NULL,
    bid_sz_00 BIGINT NOT NULL,
    ask_sz_00 BIGINT NOT NULL,
    bid_pb_00 BIGINT NOT NULL,
    ask_pb_00 BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    price NUMERIC(20, 9),
    action TEXT,
    side TEXT,
    bid_px_00 NUMERIC(20, 9),
    ask_px_00 NUMERIC(20, 9)
);

CREATE INDEX cmbp_1_data_by_instrument ON cmbp_1_data (instrument_id, ts_recv);
CREATE INDEX cmbp_1_data_by_chunk ON cmbp_1_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);

-- Every trade, with the consolidated best bid and ask before it.
CREATE TABLE tcbbo_data (
    instrument_id BIGINT NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    chunk_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    publisher_id BIGINT NOT NULL,
    ts_event TIMESTAMPTZ,
    size BIGINT,
    flags BIGINT NOT NULL,
    ts_in_delta BIGINT NOT NULL,
    bid_sz_00 BIGINT NOT NULL,
    ask_sz_00 BIGINT NOT NULL,
    bid_pb_00 BIGINT NOT NULL,
    ask_pb_00 BIGINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    ts_event_ns SMALLINT,
    price NUMERIC(20, 9),
    action TEXT,
    side TEXT,
    bid_px_00 NUMERIC(20, 9),
    ask_px_00 NUMERIC(20, 9)
);

CREATE INDEX tcbbo_data_by_instrument ON tcbbo_data (instrument_id, ts_recv);
CREATE INDEX tcbbo_data_by_chunk ON tcbbo_data
USING brin (chunk_id int8_minmax_multi_ops) WITH (autosummarize = on);
