//! Several sources as one, merged by time.

use std::{cmp::Reverse, collections::BinaryHeap, io};

use super::{BLOCK_RECORDS, Layout, Source};
use crate::clock::Nanos;

/// Several sources as one. Records of equal time keep the order of their sources.
pub(crate) struct Merge {
    layout: Layout,
    inputs: Vec<Input>,
    /// The next record's time and input; an input without records is absent.
    heads: BinaryHeap<Reverse<(Nanos, usize)>>,
    begun: bool,
}

struct Input {
    source: Box<dyn Source>,
    block: Vec<u8>,
    read: usize,
}

impl Input {
    /// The time of the next record; `None` at the end.
    fn head(&mut self, layout: Layout) -> io::Result<Option<Nanos>> {
        if self.read == self.block.len() {
            self.block.clear();
            self.read = 0;
            self.source.refill(&mut self.block)?;
        }
        let rest = &self.block[self.read..];
        Ok((!rest.is_empty()).then(|| layout.index_time(rest)))
    }
}

impl Merge {
    pub(crate) fn new(layout: Layout, sources: impl IntoIterator<Item = Box<dyn Source>>) -> Self {
        let inputs = sources
            .into_iter()
            .map(|source| Input {
                source,
                block: Vec::new(),
                read: 0,
            })
            .collect();
        Self {
            layout,
            inputs,
            heads: BinaryHeap::new(),
            begun: false,
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        for (index, input) in self.inputs.iter_mut().enumerate() {
            if let Some(time) = input.head(self.layout)? {
                self.heads.push(Reverse((time, index)));
            }
        }
        self.begun = true;
        Ok(())
    }
}

impl Source for Merge {
    fn refill(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        if let [only] = self.inputs.as_mut_slice() {
            return only.source.refill(block);
        }
        if !self.begun {
            self.begin()?;
        }
        for _ in 0..BLOCK_RECORDS {
            let Some(Reverse((_, index))) = self.heads.pop() else {
                break;
            };
            let input = &mut self.inputs[index];
            let end = input.read + self.layout.size;
            block.extend_from_slice(&input.block[input.read..end]);
            input.read = end;
            if let Some(time) = input.head(self.layout)? {
                self.heads.push(Reverse((time, index)));
            }
        }
        Ok(())
    }
}
