//! Console blocks: what a document does, and whether what is printed is what it shows.

use super::document::{Block, Parts, Placed};

/// What is run where a block begins with no command: it fails, and says so.
const NO_COMMAND: &str = "echo 'a console block begins with `$ ` and a command'; false";

/// Something that a reader does.
#[derive(Debug)]
pub enum Act {
    /// Types a command.
    Type { command: String, shown: Vec<String> },
    /// Writes a file that the document shows: ` ```yaml job my-job.yaml `.
    Write { name: String, text: String },
}

/// What a document does, in its order.
pub fn acts(parts: &Parts) -> Vec<Placed<Act>> {
    let mut acts = Vec::new();
    for block in &parts.blocks {
        match (block.what.language(), &block.what.kind()[..]) {
            ("console", _) => acts.extend(typed(block)),
            (_, [.., name]) if name.contains('.') => {
                let (name, text) = ((*name).to_owned(), block.what.text.clone());
                let what = Act::Write { name, text };
                acts.push(Placed {
                    line: block.line,
                    what,
                });
            }
            _ => {}
        }
    }
    acts
}

fn typed(block: &Placed<Block>) -> Vec<Placed<Act>> {
    let mut acts: Vec<Placed<Act>> = Vec::new();
    for (n, text) in block.what.text.lines().enumerate() {
        let line = block.line + n;
        if let Some(command) = text.strip_prefix("$ ") {
            let (command, shown) = (command.to_owned(), Vec::new());
            let what = Act::Type { command, shown };
            acts.push(Placed { line, what });
            continue;
        }
        let Some(Placed {
            what: Act::Type { command, shown },
            ..
        }) = acts.last_mut()
        else {
            let (command, shown) = (NO_COMMAND.to_owned(), Vec::new());
            let what = Act::Type { command, shown };
            acts.push(Placed { line, what });
            continue;
        };
        match text.strip_prefix("> ") {
            Some(more) if shown.is_empty() => command.push_str(&format!("\n{more}")),
            _ => shown.push(text.trim_end().to_owned()),
        }
    }
    acts
}

/// Where the first line differs: what is shown, and what is printed there. A line `…` stands for any
/// lines, and `…` within one for any text.
pub fn difference(shown: &[String], printed: &[&str]) -> Option<(String, String)> {
    let mut furthest = (0, 0);
    if agree(shown, printed, (0, 0), &mut furthest) {
        return None;
    }
    let (at, reached) = furthest;
    let nothing = || "nothing more".to_owned();
    let quoted = |line: &str| format!("`{line}`");
    let shown = shown.get(at).map_or_else(nothing, |line| quoted(line));
    let printed = printed
        .get(reached)
        .map_or_else(nothing, |line| quoted(line));
    Some((shown, printed))
}

fn agree(
    shown: &[String],
    printed: &[&str],
    at: (usize, usize),
    furthest: &mut (usize, usize),
) -> bool {
    *furthest = (*furthest).max(at);
    let next = |more: usize| (at.0 + 1, at.1 + more);
    match shown.get(at.0).map(String::as_str) {
        None => at.1 == printed.len(),
        Some("…") => {
            let left = printed.len() - at.1;
            (0..=left).any(|skipped| agree(shown, printed, next(skipped), furthest))
        }
        Some(line) => {
            let is_alike = |printed: &&str| is_like(line, printed);
            printed.get(at.1).is_some_and(is_alike) && agree(shown, printed, next(1), furthest)
        }
    }
}

fn is_like(shown: &str, printed: &str) -> bool {
    let Some((before, rest)) = shown.split_once('…') else {
        return shown == printed.trim_end();
    };
    let Some(printed) = printed.trim_end().strip_prefix(before) else {
        return false;
    };
    let mut places = printed
        .char_indices()
        .map(|(at, _)| at)
        .chain([printed.len()]);
    places.any(|at| is_like(rest, &printed[at..]))
}

#[test]
fn three_dots_stand_for_any_text_or_lines() {
    let shown = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (wanted, printed) in [
        ("a … c", vec!["a b c"]),
        ("a … c …", vec!["a  c 9"]),
        ("…\nz", vec!["x", "z", "z"]),
        ("…", vec![]),
        ("a\n…\nb\n…", vec!["a", "b", "b", "c"]),
    ] {
        assert_eq!(difference(&shown(wanted), &printed), None, "{wanted:?}");
    }
    let differs = |wanted: &str, printed: &[&str]| difference(&shown(wanted), printed).unwrap();
    assert_eq!(
        differs("a\nb", &["a"]),
        ("`b`".into(), "nothing more".into())
    );
    assert_eq!(
        differs("a", &["a", "b"]),
        ("nothing more".into(), "`b`".into())
    );
    assert_eq!(
        differs("a … c", &["a b d"]),
        ("`a … c`".into(), "`a b d`".into())
    );
    assert_eq!(
        differs("…\nz\nq", &["x", "z", "p"]),
        ("`q`".into(), "`p`".into())
    );
}
