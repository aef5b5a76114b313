//! The tensors that are tied in most files.

use std::collections::BTreeMap;

use crate::checkpoint::expected::ExpectedTensor;
use crate::checkpoint::expected::{DECODER_TABLE, HEAD, TIED};
use crate::checkpoint::header::Entry;
use crate::checkpoint::layout::Layout;
use crate::checkpoint::place::Place;
use crate::checkpoint::source::Source;
use crate::{Config, Result};

/// The tensors that are tied in most files.
pub(super) struct Tied<'a> {
    pub(super) layout: Layout,
    pub(super) config: &'a Config,
    pub(super) sources: &'a [Source],
    pub(super) tensors: &'a mut BTreeMap<String, Place>,
}

impl Tied<'_> {
    /// Takes the copies of the embedding table out of `entries`, keeps the head and the decoder's
    /// table where their values differ, and counts those. This is what transformers 5 does,
    /// whatever the configuration says; the encoder's own table is read by neither.
    pub(super) fn find_own(&mut self, entries: &mut BTreeMap<String, Entry>) -> Result<usize> {
        let shape = [self.config.text.vocab_size, self.config.text.d_model];
        let mut own = 0;
        for name in TIED {
            let name_in_file = self.layout.name_in_file(name);
            let Some(entry) = entries.remove(&name_in_file) else {
                continue;
            };
            let tensor = ExpectedTensor {
                name: name.to_owned(),
                shape: shape.to_vec(),
                required: false,
            };
            let copy = Place::check(entry, name_in_file, &tensor, self.layout, self.sources)?;
            if [HEAD, DECODER_TABLE].contains(&name)
                && let Some(table) = self.tensors.get(TIED[0])
                && !table.equals(&copy, self.sources)?
            {
                self.tensors.insert(name.to_owned(), copy);
                own += 1;
            }
        }
        Ok(own)
    }
}
