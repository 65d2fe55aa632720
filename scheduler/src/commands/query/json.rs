//! JSON: one array, or an object a line. Prices are strings, for a reader that takes numbers as floats
//! would lose some; times are RFC 3339 with nine digits of a second.

use std::io::{self, Write};

use common::query::{Row, Value};

use super::format::{Output, RowWriter};

pub(super) struct Json {
    output: Output,
    array: bool,
    rows: u64,
    text: Vec<u8>,
}

impl Json {
    pub(super) fn array(output: Output) -> Self {
        Self {
            output,
            array: true,
            rows: 0,
            text: Vec::new(),
        }
    }

    pub(super) fn lines(output: Output) -> Self {
        Self {
            array: false,
            ..Self::array(output)
        }
    }

    fn object(&mut self, row: &Row) -> io::Result<()> {
        let values = row.columns().iter().zip(row.values());
        for (place, (column, value)) in values.enumerate() {
            self.text.push(if place == 0 { b'{' } else { b',' });
            serde_json::to_writer(&mut self.text, &column.name)?;
            self.text.push(b':');
            match value {
                Value::Null => self.text.extend_from_slice(b"null"),
                Value::Integer(number) => write!(self.text, "{number}")?,
                Value::Text(text) => serde_json::to_writer(&mut self.text, text.as_ref())?,
                Value::Char(letter) => serde_json::to_writer(&mut self.text, letter)?,
                Value::Price(_) | Value::Time(_) => write!(self.text, "\"{value}\"")?,
            }
        }
        self.text.push(b'}');
        Ok(())
    }
}

impl RowWriter for Json {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.text.clear();
        match (self.array, self.rows) {
            (false, _) => {}
            (true, 0) => self.text.extend_from_slice(b"[\n"),
            (true, _) => self.text.extend_from_slice(b",\n"),
        }
        self.object(row)?;
        if !self.array {
            self.text.push(b'\n');
        }
        self.rows += 1;
        self.output.write_all(&self.text)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        match (self.array, self.rows) {
            (false, _) => {}
            (true, 0) => self.output.write_all(b"[]\n")?,
            (true, _) => self.output.write_all(b"\n]\n")?,
        }
        self.output.flush()
    }
}
