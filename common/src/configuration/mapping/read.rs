//! The mapping files of a configuration, each parsed once, and all that is wrong with them.

use dbn::Schema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::Mapping;
use super::column::WrittenColumn;
use super::rule::WrittenRule;
#[cfg(feature = "json-schema")]
use super::{rule::RULES_MAX, shape};
use crate::configuration::document::{Document, Refusal, extend_with_new_places};
use crate::configuration::files::ConfigFiles;
use crate::nearest::nearest;
use crate::request::SCHEMAS;
use crate::store::{Store, StoreError};

/// What to do where a schema is not mapped.
pub(super) const ADD_A_FILE: &str =
    "add one to the configuration folder, after the pattern of trades.yaml";

/// How records become rows of a market table, and the rules that the rows are held to.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::configuration) struct Written {
    /// The schemas that share the mapping; a schema has one mapping.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::schemas"))]
    schemas: Spanned<Vec<Spanned<String>>>,
    /// The market table.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "shape::table"))]
    pub(super) table: Spanned<String>,
    /// The columns of the table that are filled.
    pub(super) columns: Vec<WrittenColumn>,
    /// The rules that rows are held to, at most 64.
    #[serde(default)]
    #[cfg_attr(feature = "json-schema", schemars(length(max = RULES_MAX)))]
    pub(super) rules: Vec<WrittenRule>,
}

/// The mappings of a configuration, and what is refused of them.
#[derive(Debug)]
pub struct Mappings {
    /// One a schema, without what is refused of it.
    pub mappings: Vec<Mapping>,
    /// All that is refused.
    pub refusals: Vec<Refusal>,
    /// Whether each file could be read: then a schema that has no mapping is mapped nowhere.
    pub all_read: bool,
}

impl Mappings {
    /// The mappings of all schemas that the files of `configs/schemas/` map.
    ///
    /// # Errors
    /// [`Refusal`] when a file can't be opened.
    pub fn load(files: &ConfigFiles) -> Result<Self, Refusal> {
        Ok(Self::of(WrittenFiles::read(files)?))
    }

    /// The mappings that one document holds.
    #[must_use]
    pub fn parse(document: Document) -> Self {
        let mut read = WrittenFiles::default();
        read.add(document);
        Self::of(read)
    }

    fn of(read: WrittenFiles) -> Self {
        let mut refusals = read.refusals;
        let mut mappings = Vec::new();
        for file in &read.files {
            for schema in &file.schemas {
                let (mapping, refused) = Mapping::check(&file.document, &file.written, *schema);
                // Schemas that share a file repeat what is wrong with it.
                extend_with_new_places(&mut refusals, refused);
                mappings.push(mapping);
            }
        }
        let rank = |mapping: &Mapping| SCHEMAS.iter().position(|known| *known == mapping.schema);
        mappings.sort_by_key(rank);
        Self {
            mappings,
            refusals,
            all_read: !read.any_unread,
        }
    }
}

impl Mappings {
    /// Refuses also what keeps a mapping from filling its table.
    ///
    /// # Errors
    /// [`StoreError`] when the tables can't be looked at.
    pub async fn check_against(&mut self, store: &Store) -> Result<(), StoreError> {
        for mapping in &self.mappings {
            let misfits = mapping.misfits(&store.table(&mapping.table).await?);
            extend_with_new_places(&mut self.refusals, misfits);
        }
        Ok(())
    }
}

/// A file of which the schemas are known.
pub(super) struct WrittenFile {
    pub(super) document: Document,
    pub(super) written: Written,
    pub(super) schemas: Vec<Schema>,
}

/// All mapping files.
#[derive(Default)]
pub(super) struct WrittenFiles {
    pub(super) files: Vec<WrittenFile>,
    pub(super) refusals: Vec<Refusal>,
    /// Whether a file could not be read.
    any_unread: bool,
}

impl WrittenFiles {
    pub(super) fn read(files: &ConfigFiles) -> Result<Self, Refusal> {
        let documents = files.read_all("schemas")?;
        let mut read = Self::default();
        if documents.is_empty() {
            let message = "the configuration maps no schema";
            let refusal = Refusal::of(files.place("schemas"), message, ADD_A_FILE);
            read.refusals.push(refusal);
        }
        for document in documents {
            read.add(document);
        }
        Ok(read)
    }

    fn add(&mut self, document: Document) {
        match document.parse() {
            Ok(written) => self.take(document, written),
            Err(refusal) => {
                self.refusals.push(refusal);
                self.any_unread = true;
            }
        }
    }

    fn take(&mut self, document: Document, written: Written) {
        if written.schemas.value.is_empty() {
            let message = "the file maps no schema".to_owned();
            let help = "write for example `schemas: [trades]`";
            let refusal = document.refuse_at(&written.schemas, message, help);
            self.refusals.push(refusal);
        }
        let mut schemas = Vec::new();
        for name in &written.schemas.value {
            match known_schema(&document, name) {
                Err(refusal) => {
                    self.refusals.push(refusal);
                    self.any_unread = true;
                }
                Ok(schema) => {
                    let mut earlier = self.files.iter();
                    let earlier = earlier.find(|file| file.schemas.contains(&schema));
                    let earlier = match schemas.contains(&schema) {
                        true => Some(&document),
                        false => earlier.map(|file| &file.document),
                    };
                    let Some(earlier) = earlier else {
                        schemas.push(schema);
                        continue;
                    };
                    let message = format!("{schema} is mapped in {} already", earlier.origin);
                    let help = "keep one mapping for a schema";
                    self.refusals.push(document.refuse_at(name, message, help));
                }
            }
        }
        self.files.push(WrittenFile {
            document,
            written,
            schemas,
        });
    }
}

fn known_schema(document: &Document, name: &Spanned<String>) -> Result<Schema, Refusal> {
    let known = SCHEMAS.into_iter();
    let mut known = known.filter(|schema| schema.as_str() == name.value);
    known.next().ok_or_else(|| {
        let names = SCHEMAS.map(|schema| schema.as_str());
        let help = match nearest(&name.value, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", names.join(", ")),
        };
        let message = format!("unknown schema {:?}", name.value);
        document.refuse_at(name, message, &help)
    })
}
