-- In a book of ten levels each bid is below the one before it, and each ask above. That the best
-- bid is above the best ask is legal, before the open and in auctions.
--
-- Severity: warning
--
-- When it finds something: compare the records with the vendor's; queries deliver them as they
-- came.

SELECT chunk_id, row_number, instrument_id, bid_px_00, bid_px_01, ask_px_00, ask_px_01
FROM mbp_10_data
WHERE
    bid_px_00 < bid_px_01 OR ask_px_00 > ask_px_01
    OR bid_px_01 < bid_px_02 OR ask_px_01 > ask_px_02
    OR bid_px_02 < bid_px_03 OR ask_px_02 > ask_px_03
    OR bid_px_03 < bid_px_04 OR ask_px_03 > ask_px_04
    OR bid_px_04 < bid_px_05 OR ask_px_04 > ask_px_05
    OR bid_px_05 < bid_px_06 OR ask_px_05 > ask_px_06
    OR bid_px_06 < bid_px_07 OR ask_px_06 > ask_px_07
    OR bid_px_07 < bid_px_08 OR ask_px_07 > ask_px_08
    OR bid_px_08 < bid_px_09 OR ask_px_08 > ask_px_09
LIMIT 20;
