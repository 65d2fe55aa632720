//! What is refused: the words, the place (between ⟦ and ⟧), and what to write instead.

use common::expression::{Condition, ExpressionError, Value, ValueType};

use super::{column, trades};

/// The text with its place marked, the message and the help.
const CONDITIONS: [(&str, &str, &str); 65] = [
    (
        "⟦prise⟧ > 0",
        "unknown column `prise`",
        "did you mean `price`?",
    ),
    (
        "⟦PRICE⟧ > 0",
        "unknown column `PRICE`",
        "did you mean `price`?",
    ),
    (
        "ts_event < ⟦chunk_stop⟧",
        "unknown column `chunk_stop`",
        "did you mean `chunk_start`?",
    ),
    (
        "⟦xyz⟧ > 1",
        "unknown column `xyz`",
        "the columns are ts_recv, ts_event, action, side, price, size, symbol",
    ),
    (
        "price > ⟦'0'⟧",
        "text '0' compared with price",
        "write 0 without quotes",
    ),
    (
        "price > ⟦'abc'⟧",
        "text 'abc' compared with price",
        "write a number",
    ),
    (
        "side > ⟦5⟧",
        "number 5 compared with a char column",
        "quote it: '5'",
    ),
    (
        "side in ('A', ⟦5⟧)",
        "number 5 compared with a char column",
        "quote it: '5'",
    ),
    (
        "side in ('A',⟦'Buy'⟧)",
        "'Buy' is compared with a one-character column",
        "use one ASCII character, for example 'A'",
    ),
    (
        "symbol <> ⟦''⟧",
        "empty text is NULL here, and a comparison with it always unknown",
        "use `is null` / `is not null`",
    ),
    (
        "⟦''⟧ = side",
        "empty text is NULL here, and a comparison with it always unknown",
        "use `is null` / `is not null`",
    ),
    (
        "symbol in ('ES', ⟦''⟧)",
        "empty text is NULL here, and a comparison with it always unknown",
        "use `is null` / `is not null`",
    ),
    (
        "side = ⟦'é'⟧",
        "'é' is compared with a one-character column",
        "use one ASCII character, for example 'A'",
    ),
    (
        "⟦side > 'A'⟧",
        "text has no order here: databases differ in it",
        "text is compared by `=`, `<>`, `in` and `like`",
    ),
    (
        "⟦symbol between 'A' and 'B'⟧",
        "text has no order here: databases differ in it",
        "text is compared by `=`, `<>`, `in` and `like`",
    ),
    (
        "⟦price + 1⟧",
        "a condition is needed here, and `price + 1` is price",
        "compare it, for example `price + 1 > 0` or `price + 1 is not null`",
    ),
    (
        "⟦side⟧",
        "a condition is needed here, and `side` is char",
        "compare it, for example `side = 'A'` or `side is not null`",
    ),
    (
        "not ⟦price⟧",
        "a condition is needed here, and `price` is price",
        "compare it, for example `price > 0` or `price is not null`",
    ),
    (
        "price > 0 and ⟦ts_recv⟧",
        "a condition is needed here, and `ts_recv` is timestamp",
        "compare it, for example `ts_recv < chunk_end` or `ts_recv is not null`",
    ),
    (
        "⟦price > ts_event⟧",
        "cannot compare price `price` with timestamp `ts_event`",
        "",
    ),
    (
        "⟦size = side⟧",
        "cannot compare integer `size` with char `side`",
        "",
    ),
    (
        "⟦side = size⟧",
        "cannot compare char `side` with integer `size`",
        "",
    ),
    (
        "⟦size between 10 and 1⟧",
        "the bounds of `between` are reversed: this is never true",
        "write `between 1 and 10`",
    ),
    (
        "price = ⟦null⟧",
        "comparison with NULL is always unknown",
        "use `is null` / `is not null`",
    ),
    (
        "price in (1, ⟦NULL⟧)",
        "comparison with NULL is always unknown",
        "use `is null` / `is not null`",
    ),
    (
        "price + ⟦null⟧ > 0",
        "`null` is not a value to compare or compute with",
        "use `is null` / `is not null`",
    ),
    (
        "price > 0 and⟦⟧",
        "a value is expected here, and the expression ends",
        "",
    ),
    (
        "⟦⟧",
        "a value is expected here, and the expression ends",
        "",
    ),
    (
        "(price > 0⟦⟧",
        "`)` is expected here, and the expression ends",
        "",
    ),
    (
        "price > ⟦and⟧ true",
        "unexpected `and` where a value is expected",
        "",
    ),
    (
        "⟦0 < price < 10⟧",
        "a value is needed here, not a condition: comparisons can't be chained",
        "write `0 < price and price < 10`",
    ),
    (
        "⟦(price > 0)⟧ = true",
        "a value is needed here, not a condition",
        "conditions are joined by `and`, `or` and `not`",
    ),
    (
        "⟦price = 1⟧ is null",
        "a value is needed here, not a condition",
        "conditions are joined by `and`, `or` and `not`",
    ),
    (
        "⟦abs(price - (1))⟧ > 0",
        "the function `abs` is not supported",
        "supported: comparisons, and, or, not, in, between, like, is null, +, - and *",
    ),
    (
        "price > ⟦0.0000000001⟧",
        "`0.0000000001` has more than 9 decimals",
        "",
    ),
    (
        "price > ⟦1e9⟧",
        "`1e9` has an exponent",
        "write all digits, for example 1000000 for 1e6",
    ),
    (
        "price > ⟦1_000⟧",
        "`1_000` is not a number",
        "write the digits without `_`",
    ),
    ("price > ⟦1.2.3⟧", "`1.2.3` is not a number", ""),
    (
        "price > ⟦9999999999999999999999999999999999999999⟧",
        "`9999999999999999999999999999999999999999` is too large",
        "",
    ),
    (
        "price > 0 ⟦price⟧",
        "unexpected `price` after the end of the expression",
        "",
    ),
    (
        "price > 0⟦)⟧",
        "unexpected `)` after the end of the expression",
        "",
    ),
    (
        "price ⟦/⟧ 2 > 0",
        "division is not supported",
        "multiply by a decimal instead, for example `* 0.5`",
    ),
    ("price ⟦==⟧ 2", "`==` is not SQL", "write `=`"),
    ("price > 0 ⟦&&⟧ size > 0", "`&&` is not SQL", "write `and`"),
    ("⟦!⟧ price > 0", "`!` is not SQL", "write `not`"),
    (
        "price > 1 ⟦--⟧ 1",
        "comments are not supported",
        "between two minus signs, leave a blank",
    ),
    (
        "side = ⟦\"⟧A\"",
        "double quotes are not supported",
        "write text as 'text', and column names as they are",
    ),
    (
        "side = ⟦'A⟧",
        "the text that starts here has no end",
        "close it with ', and write '' for a quote within it",
    ),
    ("price > ⟦€⟧", "unexpected character '€'", ""),
    (
        "price is ⟦true⟧",
        "after `is`, `null` or `not null` is expected",
        "",
    ),
    (
        "price not ⟦null⟧",
        "after `not`, `between`, `in` or `like` is expected here",
        "write `is not null`",
    ),
    (
        "price in ⟦1⟧",
        "unexpected `1` where a list in parentheses is expected",
        "",
    ),
    (
        "price in (⟦)⟧",
        "unexpected `)` where a value is expected",
        "",
    ),
    (
        "symbol like ⟦side⟧",
        "unexpected `side` where a pattern in quotes is expected",
        "",
    ),
    (
        "⟦price⟧ like '1%'",
        "`like` is for text, and `price` is price",
        "",
    ),
    (
        "symbol like ⟦'a\\%'⟧",
        "databases differ in what a backslash in a pattern means",
        "say so, with `escape '\\'` after the pattern",
    ),
    (
        "symbol like ⟦'a!'⟧ escape '!'",
        "the pattern ends with its escape character",
        "double it to mean itself",
    ),
    (
        "symbol like 'a' escape ⟦'!!'⟧",
        "`escape` takes one character, other than % and _",
        "write for example `escape '!'`",
    ),
    (
        "ts_event > ⟦0⟧",
        "number 0 compared with a timestamp",
        "write an instant, for example '2024-01-31T00:00:00Z'",
    ),
    (
        "ts_event > ⟦'2024-01-02'⟧",
        "'2024-01-02' is not an instant",
        "write '2024-01-02T00:00:00Z'",
    ),
    (
        "ts_event > ⟦'now'⟧",
        "'now' is not an instant",
        "write for example '2024-01-31T00:00:00Z'",
    ),
    (
        "ts_event > ⟦'2300-01-01T00:00:00Z'⟧",
        "'2300-01-01T00:00:00Z' is outside of the years 1677 to 2262",
        "",
    ),
    (
        "ts_event + ⟦ts_recv⟧ > ts_recv",
        "two timestamps can't be added",
        "subtract them, for the nanoseconds between them",
    ),
    (
        "ts_event + ⟦0.5⟧ > ts_recv",
        "a timestamp moves by whole nanoseconds, not by decimal",
        "for example `+ 1000000000` for a second",
    ),
    (
        "⟦price * price * price⟧ > 0",
        "`price * price * price` can get too large for exact arithmetic in 128 bits",
        "use fewer or smaller factors and decimals",
    ),
];

/// The text without its marks, and where they were.
fn unmarked(marked: &str) -> (String, usize, usize) {
    let start = marked.find('⟦').unwrap();
    let end = marked.find('⟧').unwrap() - '⟦'.len_utf8();
    (marked.replace(['⟦', '⟧'], ""), start, end)
}

#[track_caller]
fn assert_refused<T>(marked: &str, result: Result<T, ExpressionError>, message: &str, help: &str) {
    let (text, start, end) = unmarked(marked);
    let error = result
        .err()
        .unwrap_or_else(|| panic!("{text:?} was accepted"));
    assert_eq!(error.message, message, "{text}");
    assert_eq!(error.help.unwrap_or_default(), help, "{text}");
    let place = text.get(error.start..error.end);
    assert_eq!((error.start, error.end), (start, end), "{text}: {place:?}");
}

#[test]
fn a_wrong_condition_is_refused_with_its_place_and_what_to_write() {
    for (marked, message, help) in CONDITIONS {
        let (text, ..) = unmarked(marked);
        assert_refused(marked, Condition::compile(&text, &trades()), message, help);
    }
}

#[test]
fn a_wrong_value_is_refused_with_its_place() {
    let values = [
        (
            "⟦price > 0⟧",
            "a value is needed here, not a condition",
            "conditions are joined by `and`, `or` and `not`",
        ),
        (
            "⟦null⟧",
            "`null` is not a value to compare or compute with",
            "use `is null` / `is not null`",
        ),
        (
            "⟦side⟧ * 2",
            "`side` is char, which can't be computed with",
            "",
        ),
        (
            "size + ⟦'5'⟧",
            "`'5'` is text, which can't be computed with",
            "write 5 without quotes",
        ),
        (
            "- ⟦ts_recv⟧",
            "`ts_recv` is timestamp, which can't be negated",
            "",
        ),
        (
            "2 * ⟦ts_recv⟧",
            "`ts_recv` is timestamp, which can't be multiplied",
            "",
        ),
        (
            "5 - ⟦ts_recv⟧",
            "the timestamp `ts_recv` can't be taken from a number",
            "",
        ),
    ];
    for (marked, message, help) in values {
        let (text, ..) = unmarked(marked);
        assert_refused(marked, Value::compile(&text, &trades()), message, help);
    }
}

#[test]
fn a_column_with_a_parameters_name_is_refused_where_it_is_read() {
    let columns = [column("chunk_end", ValueType::Timestamp)];
    let result = Condition::compile("chunk_end is null", &columns);
    let message = "`chunk_end` is a column, and an end of the chunk as well";
    assert_refused("⟦chunk_end⟧ is null", result, message, "rename the column");
}

#[test]
fn hostile_text_is_refused_and_never_overflows_the_stack() {
    for (opening, inner, closing) in [("(", "price > 0", ")"), ("not ", "true", "")] {
        let deep = |levels: usize| opening.repeat(levels) + inner + &closing.repeat(levels);
        assert!(Condition::compile(&deep(64), &trades()).is_ok());
        let error = Condition::compile(&deep(65), &trades()).unwrap_err();
        assert_eq!(
            error.message,
            "the expression is nested deeper than 64 levels"
        );
        assert_eq!(error.start, opening.len() * 64);
        assert!(Condition::compile(&deep(2_000 / opening.len()), &trades()).is_err());
    }
    assert!(Value::compile(&"- ".repeat(2_000), &trades()).is_err());
    assert!(Condition::compile(&"(".repeat(4_096), &trades()).is_err());
    let error = Condition::compile(&" ".repeat(4_097), &trades()).unwrap_err();
    assert_eq!(
        error.message,
        "the expression has 4097 bytes, and may have 4096"
    );
}

#[test]
fn any_text_is_read_or_refused_within_it() {
    let mut random = super::random::Random::new(7);
    let parts = [
        "price", "side", "ts_recv", "'A'", "'", "(", ")", "and", "or", "not", "in", "like", "is",
        "null", "between", "1", ".5", "0.1e", "-", "*", "+", "<", ">=", "=", ",", "é", "⟦", "\n",
        "f(", "escape", "%", "true",
    ];
    for _ in 0..20_000 {
        let count = random.bits() % 12;
        let text: Vec<&str> = (0..count).map(|_| random.pick(&parts)).collect();
        let text = text.join(if random.chance(80) { " " } else { "" });
        if let Err(error) = Condition::compile(&text, &trades()) {
            assert!(
                text.get(error.start..error.end).is_some(),
                "{text:?}: {error:?}"
            );
        }
    }
}
