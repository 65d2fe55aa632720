//! Whether the environment asks for traces.

/// What the environment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nothing is traced.
    No,
    /// Traces are sent to a receiver.
    Yes,
    /// They would go somewhere that this program can't send them to.
    Elsewhere(String),
}

/// Reads it, by OpenTelemetry's rules; `set` tells a variable that is not empty.
pub(super) fn wanted(set: impl Fn(&str) -> Option<String>) -> Wanted {
    if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Wanted::No;
    }
    match set("OTEL_TRACES_EXPORTER").as_deref() {
        Some("none") => Wanted::No,
        Some("otlp") => Wanted::Yes,
        Some(other) => Wanted::Elsewhere(other.to_owned()),
        None => {
            let addresses = [
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            ];
            match addresses.iter().any(|name| set(name).is_some()) {
                true => Wanted::Yes,
                false => Wanted::No,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Wanted, wanted};

    fn by(set: &[(&str, &str)]) -> Wanted {
        wanted(|name| {
            let found = set.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_traced_unless_somebody_asks_for_it() {
        const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert_eq!(by(&[]), Wanted::No);
        assert_eq!(by(&[("OTEL_SERVICE_NAME", "mine")]), Wanted::No);
        assert_eq!(by(&[ENDPOINT]), Wanted::Yes);
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost");
        assert_eq!(by(&[traces]), Wanted::Yes);
        assert_eq!(by(&[("OTEL_TRACES_EXPORTER", "otlp")]), Wanted::Yes);
        assert_eq!(
            by(&[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")]),
            Wanted::No
        );
        assert_eq!(by(&[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")]), Wanted::No);
        assert_eq!(by(&[ENDPOINT, ("OTEL_SDK_DISABLED", "false")]), Wanted::Yes);
        let console = ("OTEL_TRACES_EXPORTER", "console");
        assert_eq!(by(&[console]), Wanted::Elsewhere("console".into()));
    }
}
