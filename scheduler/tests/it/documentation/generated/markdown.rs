//! Pieces of Markdown.

/// The line that says where a page comes from.
pub(super) const NOTICE: &str =
    "<!-- Generated from the types; `cargo xtask docs` writes it. -->\n";

/// A table; cells are Markdown.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&head.map(str::to_owned));
    text += &line(&head.map(|_| "---".to_owned()));
    for row in rows {
        let cells = row
            .each_ref()
            .map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        text += &line(&cells);
    }
    text
}

/// Text as it is written on a command line or in a file.
pub(super) fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A sentence with an end.
pub(super) fn sentence(text: &str) -> String {
    match text.trim_end() {
        ended if ended.ends_with(['.', ':', '?', '!']) => ended.to_owned(),
        text => format!("{text}."),
    }
}

/// Several things in words: `a`, `b` or `c`.
pub(super) fn one_of(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| code(name)).collect();
    match names.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => names.join(""),
    }
}

/// A help text without the default that it ends with, `[default: …]`, and that.
pub(super) fn split_default(help: &str) -> (&str, Option<&str>) {
    let split = help
        .strip_suffix(']')
        .and_then(|help| help.split_once(" [default: "));
    split.map_or((help, None), |(help, default)| (help, Some(default)))
}
