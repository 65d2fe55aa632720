//! What is told of wrong mapping files: all of it, at its place, in plain words.

use common::configuration::files::ConfigFiles;
use common::configuration::mapping::{Mapping, Mappings};
use dbn::Schema;
use testkit::sandbox::Sandbox;

use super::{COLUMNS, assert_shows, load, table, with};

#[test]
fn an_unknown_schema_and_an_unknown_key_are_refused() {
    let text = COLUMNS.replace("[trades]", "[trade]");
    let refusal = load(&text, Schema::Trades).unwrap_err();
    assert_shows(
        &refusal,
        &[
            "unknown schema \"trade\"",
            "trades.yaml:1:11",
            "did you mean `trades`?",
        ],
    );
    let text = with("size", "{name: size, typ: integer}");
    let refusal = load(&text, Schema::Trades).unwrap_err();
    assert_shows(&refusal, &["typ", "type", "trades.yaml:9:18"]);
}

#[test]
fn a_schema_is_mapped_once() {
    let refusal = load(COLUMNS, Schema::Tbbo).unwrap_err();
    assert_shows(
        &refusal,
        &[
            "no file maps the schema tbbo",
            "after the pattern of trades.yaml",
        ],
    );
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("schemas")).unwrap();
    sandbox.write("schemas/one.yaml", COLUMNS);
    sandbox.write("schemas/two.yaml", COLUMNS);
    let files = ConfigFiles::Folder(sandbox.path().to_owned());
    let refusal = Mapping::load(&files, Schema::Trades).unwrap_err();
    assert_shows(
        &refusal,
        &["mapped in", "one.yaml already", "two.yaml:1:11"],
    );
}

#[test]
fn rules_are_refused_at_their_place() {
    let rule = |name: &str, check: &str, more: &str| {
        format!("{COLUMNS}rules:\n  - name: {name}\n    check: {check}\n    severity: {more}\n")
    };
    for (file, shown) in [
        (
            rule("Small", "size > 0", "error"),
            &["can't name a rule", "trades.yaml:17:11"][..],
        ),
        (
            rule("small", "size > 0", "fatal"),
            &["fatal", "trades.yaml:19:15", "warning"],
        ),
        (
            rule("small", "sizes > 0", "error"),
            &["did you mean `size`?", "trades.yaml:18:12", "^^^^^"],
        ),
        (
            rule("small", "\"size >\"", "error"),
            &["rule \"small\"", "trades.yaml:18:"],
        ),
        (
            rule("small", "size > 0\n    chek: 1", "error"),
            &["chek", "trades.yaml:19:5"],
        ),
        (
            // What stands over several lines is shown on its own.
            rule("small", ">-\n      size > 0\n      and prise > 0", "error"),
            &[
                "unknown column `prise`",
                "| size > 0 and prise > 0",
                "|              ^^^^^",
            ],
        ),
        (
            format!(
                "{}  - name: small\n    check: size > 1\n    severity: info\n",
                rule("small", "size > 0", "error")
            ),
            &["rule \"small\" is written twice", "trades.yaml:20:11"],
        ),
    ] {
        let refusal = load(&file, Schema::Trades).unwrap_err();
        assert_shows(&refusal, shown);
    }
    let many: String = (0..65)
        .map(|number| format!("  - {{name: rule_{number}, check: size > 0, severity: info}}\n"))
        .collect();
    let refusal = load(&format!("{COLUMNS}rules:\n{many}"), Schema::Trades).unwrap_err();
    assert_shows(&refusal, &["at most 64 rules", "trades.yaml:81:"]);
}

#[test]
fn of_many_names_the_first_are_told() {
    let text = COLUMNS.replace("[trades]", "[definition]");
    let text = text.replace("{name: price}", "{name: price, field: xyzzy}");
    let refusal = load(&text, Schema::Definition).unwrap_err();
    assert_shows(&refusal, &["the fields are publisher_id, ", "more"]);
    let help = refusal.help.unwrap_or_default();
    assert!(help.len() < 300, "{help}");
}

#[test]
fn a_rule_without_a_check_or_a_severity_is_refused_by_name() {
    for (rest, shown) in [
        ("check:\n    severity: error", "rule \"small\" has no check"),
        (
            "check: ''\n    severity: error",
            "rule \"small\" has no check",
        ),
        ("check: size > 0", "rule \"small\" has no severity"),
        (
            "check: size > 0\n    severity:",
            "rule \"small\" has no severity",
        ),
    ] {
        let text = format!("{COLUMNS}rules:\n  - name: small\n    {rest}\n");
        let refusal = load(&text, Schema::Trades).unwrap_err();
        assert_shows(&refusal, &[shown, "trades.yaml:17:11", "write"]);
    }
}

#[test]
fn a_configuration_that_maps_nothing_is_refused() {
    let sandbox = Sandbox::new();
    let files = ConfigFiles::Folder(sandbox.path().to_owned());
    let found = Mappings::load(&files).unwrap();
    assert_shows(
        &found.refusals[0],
        &["the configuration maps no schema", "schemas", "trades.yaml"],
    );
    let refusal = load(&COLUMNS.replace("[trades]", "[]"), Schema::Trades).unwrap_err();
    assert_shows(&refusal, &["maps no schema", "trades.yaml:1:10"]);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_and_once() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("schemas")).unwrap();
    let text = COLUMNS
        .replace("[trades]", "[trades, tbbo]")
        .replace("{name: price}", "{name: price, field: prise}")
        .replace("{name: flags}", "{name: flags, field: ts_event}")
        .replace("{name: depth}", "{name: depth, expression: price + 1}");
    let rules = "rules:
  - {name: one, check: prise > 0, severity: error}
  - {name: two, check: price > 0, severity: error}
  - {name: three, check: size > 'a', severity: error}
";
    sandbox.write("schemas/one.yaml", &format!("{text}{rules}"));
    sandbox.write("schemas/two.yaml", "schemas: [mbo\n");
    sandbox.write(
        "schemas/zero.yaml",
        &COLUMNS.replace("[trades]", "[mbos, trades]"),
    );
    let files = ConfigFiles::Folder(sandbox.path().to_owned());
    let found = Mappings::load(&files).unwrap();
    let told: Vec<_> = found.refusals.iter().map(ToString::to_string).collect();
    // What rests on the refused price is not told: it may be well.
    let wanted = [
        "two.yaml",
        "unknown schema \"mbos\"",
        "mapped in",
        "no field \"prise\"",
        "unknown column `prise`",
        "text 'a' compared with integer",
    ];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (told, wanted) in told.iter().zip(wanted) {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    assert!(!found.all_read);
    let trades = &found.mappings[0];
    assert!(!trades.is_whole());
    let misfits = trades.misfits(&table("trades_data").await);
    let [flags] = misfits.as_slice() else {
        panic!("{misfits:#?}");
    };
    assert_shows(flags, &["\"flags\" is timestamp"]);
}

#[test]
fn what_is_empty_or_doubled_is_told_in_plain_words() {
    for (text, shown) in [
        (
            format!("{COLUMNS}rules:\n"),
            ["a list is needed here", ":16:6"],
        ),
        (
            format!("{COLUMNS}rules:\n  -\n"),
            ["keys with values are needed here", ":17:4"],
        ),
        (
            COLUMNS.replace("trades_data", ""),
            ["there is no value here, or null", ":2:6"],
        ),
        (
            format!("{COLUMNS}---\n{COLUMNS}"),
            [
                "more than one YAML document",
                "keep one of them, without `---`",
            ],
        ),
        (String::new(), ["the file ends too early", "trades.yaml"]),
    ] {
        let refusal = load(&text, Schema::Trades).unwrap_err();
        assert_shows(&refusal, &shown);
        assert!(!refusal.to_string().contains("from_str"), "{refusal}");
    }
}

#[test]
fn of_a_long_line_the_part_around_the_mistake_is_shown() {
    let many = "size > 0 and ".repeat(150);
    let text = format!(
        "{COLUMNS}rules:\n  - {{name: long, severity: error, check: '{many}\tprise > 1 and {many} size > 1'}}\n"
    );
    let refusal = load(&text, Schema::Trades).unwrap_err();
    let told = refusal.to_string();
    let lines: Vec<_> = told.lines().collect();
    let [.., excerpt, marks, _help] = lines.as_slice() else {
        panic!("{told}");
    };
    assert!(excerpt.chars().count() < 115, "{told}");
    assert!(excerpt.contains('…') && !excerpt.contains('\t'), "{told}");
    let (start, end) = (marks.find('^').unwrap(), marks.rfind('^').unwrap());
    let marked: String = excerpt.chars().skip(start).take(end - start + 1).collect();
    assert_eq!(marked, "prise", "{told}");
}
