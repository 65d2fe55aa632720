//! An expression as it was written, before anything is known about its types.

use super::error::Place;

/// A part of an expression and where it stands, parentheses included.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) place: Place,
}

/// What a part is. Chains such as `a and b and c` are one part each, so that a long one is not deep.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Number {
        mantissa: i128,
        scale: u8,
    },
    Text(String),
    Truth(bool),
    Null,
    Name(String),
    Negate(Box<Node>),
    Sum(Vec<(Sign, Node)>),
    Product(Vec<Node>),
    Compare(Comparison, Box<[Node; 2]>),
    /// The value, the least and the greatest.
    Between(Box<[Node; 3]>),
    /// The value, then the list.
    In(Vec<Node>),
    Like {
        value: Box<Node>,
        pattern: Quoted,
        escape: Option<Quoted>,
    },
    IsNull(Box<Node>),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// A text in quotes and its place.
#[derive(Clone, Debug)]
pub(super) struct Quoted {
    pub(super) text: String,
    pub(super) place: Place,
}

/// Whether a term is added or taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(super) fn of(symbol: &str) -> Option<Self> {
        Some(match symbol {
            "=" => Self::Equal,
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }
}
