//! CSV as RFC 4180 has it, with a line of names; what is undefined is empty.

use std::fmt::Write as _;
use std::io::{self, Write};

use common::query::{Column, Row};

use super::format::{Output, RowWriter};

pub(super) struct Csv {
    output: Output,
    line: String,
    field: String,
}

impl Csv {
    pub(super) fn new(columns: &[Column], output: Output) -> io::Result<Self> {
        let mut csv = Self {
            output,
            line: String::new(),
            field: String::new(),
        };
        csv.write(columns.iter().map(|column| &column.name))?;
        Ok(csv)
    }

    fn write(&mut self, fields: impl Iterator<Item = impl std::fmt::Display>) -> io::Result<()> {
        self.line.clear();
        for (place, field) in fields.enumerate() {
            if place > 0 {
                self.line.push(',');
            }
            self.field.clear();
            let _infallible = write!(self.field, "{field}");
            match self.field.contains([',', '"', '\n', '\r']) {
                true => {
                    let escaped = self.field.replace('"', "\"\"");
                    let _infallible = write!(self.line, "\"{escaped}\"");
                }
                false => self.line.push_str(&self.field),
            }
        }
        self.line.push('\n');
        self.output.write_all(self.line.as_bytes())
    }
}

impl RowWriter for Csv {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.write(row.values().iter())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.output.flush()
    }
}
