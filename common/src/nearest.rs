//! The known name nearest to a mistyped one, for "did you mean".

/// Names of a list that a person still reads.
const NAMES_MAX: usize = 12;

/// The known name nearest to a mistyped one; `None` when none is near.
#[must_use]
pub fn nearest<'a>(mistyped: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name: &str| match name.eq_ignore_ascii_case(mistyped) {
        true => 1.0,
        false => strsim::jaro_winkler(mistyped, name),
    };
    known
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

/// What to write instead of a mistyped name: the nearest, or else `what` there is.
#[must_use]
pub fn did_you_mean<'a>(
    mistyped: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    what: &str,
) -> String {
    match nearest(mistyped, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => listed(what, known),
    }
}

/// What there is, cut short where it is much.
fn listed<'a>(what: &str, known: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = known.collect();
    match names.get(..NAMES_MAX) {
        Some(first) if names.len() > NAMES_MAX => {
            let more = names.len() - NAMES_MAX;
            format!("{what} are {} and {more} more", first.join(", "))
        }
        _ => format!("{what} are {}", names.join(", ")),
    }
}
