//! Records as CSV or JSON lines, which the service gives to those who don't ask for DBN.

use std::io;

use dbn::{
    Schema,
    decode::{DbnRecordDecoder, DecodeRecordRef},
    encode::{CsvEncoder, EncodeRecordRef, JsonEncoder},
};

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextStyle {
    pub(crate) json: bool,
    pub(crate) pretty_px: bool,
    pub(crate) pretty_ts: bool,
}

impl TextStyle {
    /// The line of column names that CSV begins with.
    pub(crate) fn header(self, schema: Schema) -> io::Result<Vec<u8>> {
        if self.json {
            return Ok(Vec::new());
        }
        let mut encoder = CsvEncoder::new(Vec::new(), self.pretty_px, self.pretty_ts);
        encoder
            .encode_header_for_schema(dbn::DBN_VERSION, schema, false, false)
            .map_err(io::Error::other)?;
        encoder.into_inner().map_err(io::Error::other)
    }

    /// Appends the lines of encoded records to `out`.
    pub(crate) fn write(self, records: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let lines = if self.json {
            let mut encoder = JsonEncoder::new(Vec::new(), false, self.pretty_px, self.pretty_ts);
            encode(records, &mut encoder)?;
            encoder.get_ref().clone()
        } else {
            let builder = CsvEncoder::builder(Vec::new()).write_header(false);
            let styled = builder
                .use_pretty_px(self.pretty_px)
                .use_pretty_ts(self.pretty_ts);
            let mut encoder = styled.build().map_err(io::Error::other)?;
            encode(records, &mut encoder)?;
            encoder.into_inner().map_err(io::Error::other)?
        };
        out.extend_from_slice(&lines);
        Ok(())
    }
}

fn encode(records: &[u8], encoder: &mut impl EncodeRecordRef) -> io::Result<()> {
    let mut decoder = DbnRecordDecoder::new(records);
    while let Some(record) = decoder.decode_record_ref().map_err(io::Error::other)? {
        encoder
            .encode_record_ref(record)
            .map_err(io::Error::other)?;
    }
    Ok(())
}
