//! The known name nearest to a mistyped one, for "did you mean".

/// Names of a list that a person still reads.
const NAMES_MAX: usize = 12;

/// The likeness, of at most 1, above which a name is near.
const LIKE: f64 = 0.75;

fn likeness(mistyped: &str, name: &str) -> f64 {
    match name.eq_ignore_ascii_case(mistyped) {
        true => 1.0,
        false => strsim::jaro_winkler(mistyped, name),
    }
}

/// The known name nearest to a mistyped one; `None` when none is near.
#[must_use]
pub fn nearest<'a>(mistyped: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (likeness(mistyped, name), name))
        .filter(|(likeness, _)| *likeness > LIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

/// The known names nearest to a mistyped one, the nearest first.
#[must_use]
pub fn nearest_few<'a>(
    mistyped: &str,
    known: impl IntoIterator<Item = &'a str>,
    count: usize,
) -> Vec<String> {
    let known = known.into_iter();
    let mut alike: Vec<_> = known
        .map(|name| (likeness(mistyped, name), name))
        .filter(|(likeness, _)| *likeness > LIKE)
        .collect();
    alike.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
    alike.dedup_by(|left, right| left.1 == right.1);
    let nearest = alike.into_iter().take(count);
    nearest.map(|(_, name)| name.to_owned()).collect()
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
