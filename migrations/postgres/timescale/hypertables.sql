-- Market tables as hypertables, where the database has TimescaleDB or can have it.
--
-- No migration: it is run after them, each time, and can be: what is a hypertable already, or what the
-- database can't do, is left as it is. Rows that a table holds are kept.
--
-- The tables are those of `column_kinds`. Time is cut into pieces of seven days by the index time:
-- `ts_recv` where there is one, else `ts_event`. The indexes stay as they are. The columnstore keeps the
-- rows of an instrument together and in the order of time. Builds under the Apache licence have none;
-- there the pieces stay as rows.
DO $hypertables$
DECLARE
    version INTEGER[];
    columnstore BOOLEAN;
    market RECORD;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        -- A server that hasn't loaded the library at its start ends the session of whoever asks for the
        -- extension. Where it has, there is this setting.
        IF current_setting('timescaledb.disable_load', true) IS NULL
            OR NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') THEN
            RETURN;
        END IF;
        BEGIN
            CREATE EXTENSION IF NOT EXISTS timescaledb;
        EXCEPTION WHEN insufficient_privilege THEN
            RETURN;
        END;
    END IF;

    -- '2.23.0-dev' is {2,23}.
    SELECT string_to_array(substring(extversion FROM '^\d+\.\d+'), '.')::integer[] INTO version
    FROM pg_extension WHERE extname = 'timescaledb';
    columnstore := current_setting('timescaledb.license', true) IS DISTINCT FROM 'apache';

    FOR market IN
        SELECT
            to_regclass(quote_ident(table_name)) AS name,
            CASE WHEN bool_or(column_name = 'ts_recv') THEN 'ts_recv' ELSE 'ts_event' END AS index_time
        FROM column_kinds
        WHERE to_regclass(quote_ident(table_name)) IS NOT NULL
        GROUP BY table_name
        ORDER BY table_name
    LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM timescaledb_information.hypertables AS known
            JOIN pg_namespace AS space ON space.nspname = known.hypertable_schema
            JOIN pg_class AS class
                ON class.relnamespace = space.oid AND class.relname = known.hypertable_name
            WHERE class.oid = market.name
        );
        PERFORM create_hypertable(
            market.name,
            market.index_time::name,
            chunk_time_interval => INTERVAL '7 days',
            create_default_indexes => false,
            migrate_data => true
        );
        CONTINUE WHEN NOT columnstore;
        EXECUTE format(
            CASE
                WHEN version >= '{2,18}' THEN
                    'ALTER TABLE %s SET (timescaledb.enable_columnstore, '
                    'timescaledb.segmentby = %L, timescaledb.orderby = %L)'
                ELSE
                    'ALTER TABLE %s SET (timescaledb.compress, '
                    'timescaledb.compress_segmentby = %L, timescaledb.compress_orderby = %L)'
            END,
            market.name, 'instrument_id', market.index_time
        );
    END LOOP;
END
$hypertables$;
