//! Sources one after the other.

use std::io;

use super::Source;

/// Sources of which each is opened when the one before is at its end.
pub(crate) struct Chain<I> {
    sources: I,
    current: Option<Box<dyn Source>>,
}

impl<I> Chain<I>
where
    I: Iterator<Item = io::Result<Box<dyn Source>>>,
{
    pub(crate) fn new(sources: I) -> Self {
        Self {
            sources,
            current: None,
        }
    }
}

impl<I> Source for Chain<I>
where
    I: Iterator<Item = io::Result<Box<dyn Source>>> + Send,
{
    fn refill(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        loop {
            if let Some(current) = &mut self.current {
                current.refill(block)?;
                if !block.is_empty() {
                    return Ok(());
                }
            }
            let Some(next) = self.sources.next() else {
                return Ok(());
            };
            self.current = Some(next?);
        }
    }
}
