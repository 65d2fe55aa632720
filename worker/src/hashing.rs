//! Hashing: an archived stream's bytes, with the proof that they are those that were archived.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// A reader that hashes what it reads.
pub struct Hashing<R> {
    reader: R,
    sha256: Sha256,
}

impl<R: Read> Hashing<R> {
    /// A reader of which nothing was read yet.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            sha256: Sha256::new(),
        }
    }

    /// The SHA-256 of all there is, read or not, in hexadecimal digits.
    ///
    /// # Errors
    /// When the rest can't be read.
    pub fn sha256(mut self) -> io::Result<String> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(common::hex(&self.sha256.finalize()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.sha256.update(&buffer[..read]);
        Ok(read)
    }
}
