//! The map's colours: whoever sees no red, no green or no blue tells its states apart all the same.

const STYLE: &str = include_str!("../../../src/serve/assets/page.css");
const STATES: [&str; 10] = [
    "no_session",
    "data",
    "held",
    "degraded",
    "missing",
    "pending",
    "running",
    "gap",
    "failed",
    "not_listed",
];
/// How far two colours are apart in CIE L*a*b*; 2.3 can just be told apart side by side.
const APART_MIN: f64 = 15.0;

type Triple = [f64; 3];

/// What light comes to for people without one kind of cones (Machado, Oliveira and Fernandes 2009).
const SIGHTS: [(&str, [Triple; 3]); 4] = [
    (
        "all cones",
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    ),
    (
        "protanopia",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ),
];

/// The colours of one half of the stylesheet: the light one comes first.
fn colours(style: &str) -> Vec<(&'static str, Triple)> {
    let of = |state: &'static str| (state, light(style, &format!("--s-{state}:")));
    STATES.map(of).to_vec()
}

fn light(style: &str, name: &str) -> Triple {
    let (_, rest) = style
        .split_once(name)
        .unwrap_or_else(|| panic!("{name} is a colour"));
    let hex = rest.trim_start().strip_prefix('#').unwrap();
    [0, 2, 4].map(|at| {
        let part = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        match part <= 0.04045 {
            true => part / 12.92,
            false => ((part + 0.055) / 1.055).powf(2.4),
        }
    })
}

fn themes() -> [(&'static str, &'static str); 2] {
    let (bright, dark) = STYLE.split_once("prefers-color-scheme: dark").unwrap();
    [("light", bright), ("dark", dark)]
}

fn times(matrix: &[Triple; 3], of: Triple) -> Triple {
    matrix.map(|row| row.iter().zip(of).map(|(one, other)| one * other).sum())
}

fn lab(light: Triple) -> Triple {
    const TO_XYZ: [Triple; 3] = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ];
    let [x, y, z] = times(&TO_XYZ, light.map(|part| part.clamp(0.0, 1.0)));
    let bent = |part: f64| match part > 0.008856 {
        true => part.cbrt(),
        false => 7.787 * part + 16.0 / 116.0,
    };
    let [x, y, z] = [bent(x / 0.95047), bent(y), bent(z / 1.08883)];
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

#[test]
fn states_are_told_apart_by_colour_whichever_cones_one_has() {
    for (theme, style) in themes() {
        let colours = colours(style);
        for (sight, matrix) in &SIGHTS {
            for (index, (one, first)) in colours.iter().enumerate() {
                for (other, second) in &colours[index + 1..] {
                    // Both say that there is nothing to bring, and differ in their strokes.
                    if [*one, *other] == ["no_session", "not_listed"] {
                        continue;
                    }
                    let (first, second) = (lab(times(matrix, *first)), lab(times(matrix, *second)));
                    let apart = first
                        .iter()
                        .zip(second)
                        .map(|(a, b)| (a - b).powi(2))
                        .sum::<f64>()
                        .sqrt();
                    assert!(
                        apart > APART_MIN,
                        "{theme}, {sight}: {one} and {other} are {apart:.1} apart"
                    );
                }
            }
        }
    }
}

#[test]
fn words_can_be_read_on_what_they_stand_on() {
    let luminance = |light: Triple| 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
    for (theme, style) in themes() {
        for (ink, paper) in [
            ("--text:", "--panel:"),
            ("--text:", "--back:"),
            ("--quiet:", "--panel:"),
            ("--quiet:", "--back:"),
            ("--link:", "--panel:"),
            ("--good:", "--panel:"),
            ("--good:", "--good-back:"),
            ("--bad:", "--panel:"),
            ("--bad:", "--bad-back:"),
            ("--warn:", "--panel:"),
            ("--warn:", "--warn-back:"),
            ("--link:", "--busy-back:"),
        ] {
            let [one, other] = [ink, paper].map(|name| luminance(light(style, name)) + 0.05);
            let contrast = one.max(other) / one.min(other);
            assert!(contrast >= 4.5, "{theme}: {ink} on {paper} {contrast:.2}");
        }
    }
}
