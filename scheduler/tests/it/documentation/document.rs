//! The project's documents, each taken apart: headings, links, code and tables with their lines.

use std::collections::BTreeMap;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::tree::Tree;

/// The documents, by their paths in the project.
#[derive(Clone)]
pub struct Documents(pub BTreeMap<String, String>);

/// What a document consists of.
#[derive(Default)]
pub struct Parts {
    /// Anchors of headings, as GitHub makes them.
    pub anchors: Vec<Placed<String>>,
    /// Where links and images lead.
    pub links: Vec<Placed<String>>,
    /// Code within sentences.
    pub spans: Vec<Placed<String>>,
    /// Fenced blocks; the line is that of their text.
    pub blocks: Vec<Placed<Block>>,
    /// Tables, by rows; the first is the head.
    pub tables: Vec<Vec<Placed<Vec<String>>>>,
}

/// Something and its line, from 1.
#[derive(Clone, Debug)]
pub struct Placed<T> {
    pub line: usize,
    pub what: T,
}

/// A fenced block.
#[derive(Clone, Debug)]
pub struct Block {
    /// What stands behind the fence.
    pub info: String,
    pub text: String,
}

impl Block {
    /// The language: the first word.
    pub fn language(&self) -> &str {
        self.info.split_whitespace().next().unwrap_or_default()
    }

    /// The words that say more.
    pub fn kind(&self) -> Vec<&str> {
        self.info.split_whitespace().skip(1).collect()
    }
}

impl Documents {
    /// All that people read: those at the top, and everything below docs/.
    pub fn read(tree: &Tree) -> Self {
        let is_ours = |path: &&String| {
            path.ends_with(".md") && (!path.contains('/') || path.starts_with("docs/"))
        };
        let read = |path: &String| (path.clone(), tree.read_file(path));
        Self(tree.files.iter().filter(is_ours).map(read).collect())
    }

    /// Each with its parts.
    pub fn parts(&self) -> impl Iterator<Item = (&str, Parts)> {
        let documents = self.0.iter();
        documents.map(|(path, text)| (path.as_str(), Parts::of(text)))
    }

    /// The same with one text in place of another, which stands there once.
    pub fn planted(&self, path: &str, from: &str, to: &str) -> Self {
        let mut documents = self.clone();
        let text = documents.0.get_mut(path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {path}");
        *text = text.replacen(from, to, 1);
        documents
    }
}

impl Parts {
    pub fn of(text: &str) -> Self {
        let mut reading = Reading {
            text,
            parts: Self::default(),
            heading: None,
            block: None,
            cell: None,
        };
        let options = Options::ENABLE_TABLES;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            reading.take(event, range.start);
        }
        reading.parts
    }
}

/// A document half read.
struct Reading<'a> {
    text: &'a str,
    parts: Parts,
    heading: Option<String>,
    block: Option<Block>,
    cell: Option<String>,
}

impl Reading<'_> {
    fn take(&mut self, event: Event, offset: usize) {
        let line = self.text[..offset].matches('\n').count() + 1;
        match event {
            Event::Start(tag) => self.begin(tag, line),
            Event::End(tag) => self.end(tag, line),
            Event::Text(text) => self.add(&text),
            Event::Code(code) => {
                self.add(&code);
                let what = code.into_string();
                self.parts.spans.push(Placed { line, what });
            }
            Event::SoftBreak | Event::HardBreak => self.add(" "),
            _ => {}
        }
    }

    fn begin(&mut self, tag: Tag, line: usize) {
        match tag {
            Tag::Heading { .. } => self.heading = Some(String::new()),
            Tag::CodeBlock(kind) => {
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.into_string(),
                    CodeBlockKind::Indented => "indented".to_owned(),
                };
                let text = String::new();
                self.block = Some(Block { info, text });
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                let what = dest_url.into_string();
                self.parts.links.push(Placed { line, what });
            }
            Tag::Table(_) => self.parts.tables.push(Vec::new()),
            Tag::TableHead | Tag::TableRow => {
                let row = Placed {
                    line,
                    what: Vec::new(),
                };
                self.parts.tables.last_mut().unwrap().push(row);
            }
            Tag::TableCell => self.cell = Some(String::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, line: usize) {
        match tag {
            TagEnd::Heading(_) => {
                let what = self.anchor();
                self.parts.anchors.push(Placed { line, what });
            }
            TagEnd::CodeBlock => {
                let what = self.block.take().unwrap();
                let line = line + 1;
                self.parts.blocks.push(Placed { line, what });
            }
            TagEnd::TableCell => {
                let cell = self.cell.take().unwrap();
                let table = self.parts.tables.last_mut().unwrap();
                table.last_mut().unwrap().what.push(cell);
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        if let Some(block) = &mut self.block {
            block.text.push_str(text);
        }
        for open in [&mut self.heading, &mut self.cell].into_iter().flatten() {
            open.push_str(text);
        }
    }

    /// The heading's anchor: lower case, blanks as hyphens, no punctuation, a number where it was
    /// there before.
    fn anchor(&mut self) -> String {
        let heading = self.heading.take().unwrap().to_lowercase();
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let plain: String = heading.chars().filter(kept).collect();
        let plain = plain.replace(' ', "-");
        let is_same = |anchor: &&Placed<String>| {
            let rest = anchor.what.strip_prefix(&plain);
            rest.is_some_and(|rest| rest.is_empty() || rest[1..].parse::<u32>().is_ok())
        };
        match self.parts.anchors.iter().filter(is_same).count() {
            0 => plain,
            before => format!("{plain}-{before}"),
        }
    }
}
