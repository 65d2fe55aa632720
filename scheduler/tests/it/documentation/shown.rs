//! What the documents show happens: each document's commands run, in their order.

use super::complaint::{Complaint, assert_none};
use super::console::{Act, acts, difference};
use super::document::{Documents, Parts, Placed};
use super::session::{Done, Session};
use super::stage::Stage;
use super::tree::Tree;

/// A test a document, side by side.
macro_rules! stories {
    ($($name:ident: $path:literal,)*) => {
        /// The documents whose commands run.
        const STORIES: &[&str] = &[$($path),*];
        $(
            #[tokio::test]
            async fn $name() {
                let tree = Tree::read();
                let documents = Documents::read(&tree);
                assert_none(&play(&documents, $path, &tree).await);
            }
        )*
    };
}

stories! {
    readme: "README.md",
    jobs: "docs/jobs.md",
    files: "docs/files.md",
    rules: "docs/rules.md",
    fleet: "docs/fleet.md",
    verify: "docs/verify.md",
    serve: "docs/serve.md",
    runbook: "docs/runbook.md",
    recovery: "docs/recovery.md",
    query: "docs/query.md",
    database: "docs/database.md",
    chunk: "docs/contributing/chunk.md",
    simulator: "docs/contributing/simulator.md",
}

#[test]
fn every_document_with_commands_has_a_story() {
    let documents = Documents::read(&Tree::read());
    let with_commands = documents
        .parts()
        .filter(|(_, parts)| !acts(parts).is_empty());
    let mut with_commands: Vec<_> = with_commands.map(|(path, _)| path).collect();
    let mut stories = STORIES.to_vec();
    with_commands.sort_unstable();
    stories.sort_unstable();
    assert_eq!(stories, with_commands, "the list of stories in shown.rs");
}

/// Does what a document shows, up to the first thing that goes otherwise.
pub async fn play(documents: &Documents, path: &str, tree: &Tree) -> Vec<Complaint> {
    let text = &documents.0[path];
    let Some(stage) = Stage::set(text, tree).await else {
        return Vec::new();
    };
    let mut session = stage.session().await;
    let acts = acts(&Parts::of(text));
    for (n, act) in acts.iter().enumerate() {
        let next = acts.get(n + 1);
        if let Some(why) = perform(&act.what, next, &stage, &mut session).await {
            return vec![Complaint::new(path, act.line, why)];
        }
    }
    Vec::new()
}

/// Does one thing; what went otherwise.
async fn perform(
    act: &Act,
    next: Option<&Placed<Act>>,
    stage: &Stage,
    session: &mut Session,
) -> Option<String> {
    let (command, shown) = match act {
        Act::Write { name, text } => {
            std::fs::write(stage.project().join(name), text).unwrap();
            return None;
        }
        Act::Type { command, shown } => (command, shown),
    };
    let Some(done) = session.run(&stage.meant(command)).await else {
        return Some(format!("`{command}` doesn't end, or ends the shell"));
    };
    let is_told = next.is_some_and(|next| asks_for_code(&next.what));
    otherwise(command, shown, &done, is_told)
}

fn otherwise(command: &str, shown: &[String], done: &Done, code_is_told: bool) -> Option<String> {
    let printed = &done.printed;
    if done.code != 0 && !code_is_told {
        return Some(format!(
            "`{command}` ends with exit code {}:\n{printed}",
            done.code
        ));
    }
    if shown.is_empty() {
        return None;
    }
    let lines: Vec<_> = printed.lines().collect();
    let (shown, differs) = difference(shown, &lines)?;
    Some(format!(
        "`{command}` prints {differs} where {shown} is shown; all of it:\n{printed}"
    ))
}

fn asks_for_code(act: &Act) -> bool {
    matches!(act, Act::Type { command, .. } if command == "echo $?")
}
