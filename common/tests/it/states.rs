//! The state machine: every transition that there is, and no other.

use common::chunk::ChunkEvent as Event;
use common::chunk::ChunkState as State;

const EVENTS: [Event; 9] = [
    Event::Refresh,
    Event::Vanish,
    Event::Claim,
    Event::Load,
    Event::FindEmpty,
    Event::PutOff,
    Event::GiveUp,
    Event::Revive,
    Event::Cancel,
];

/// All legal transitions; what is not here is an error.
const LEGAL: [(State, Event, State); 14] = [
    (State::Done, Event::Refresh, State::Done),
    (State::Empty, Event::Refresh, State::Done),
    (State::Done, Event::Vanish, State::Empty),
    (State::Empty, Event::Vanish, State::Empty),
    (State::Pending, Event::Claim, State::Running),
    (State::Pending, Event::Cancel, State::Cancelled),
    (State::Running, Event::Claim, State::Running),
    (State::Running, Event::Load, State::Done),
    (State::Running, Event::FindEmpty, State::Empty),
    (State::Running, Event::PutOff, State::Pending),
    (State::Running, Event::GiveUp, State::Dead),
    (State::Running, Event::Cancel, State::Cancelled),
    (State::Dead, Event::Revive, State::Pending),
    (State::Dead, Event::Cancel, State::Cancelled),
];

#[test]
fn every_transition_is_in_the_table_or_an_error() {
    for from in State::ALL {
        for event in EVENTS {
            let legal = LEGAL
                .iter()
                .find(|(state, happens, _)| (*state, *happens) == (from, event));
            let after = from.after(event).ok();
            assert_eq!(after, legal.map(|(.., to)| *to), "{from} and {event:?}");
        }
    }
}

#[test]
fn an_illegal_transition_says_from_where_and_what() {
    let error = State::Done.after(Event::Claim).unwrap_err();
    assert_eq!(error.to_string(), "a chunk that is done can't Claim");
}

#[test]
fn a_state_survives_its_name() {
    for state in State::ALL {
        assert_eq!(state.name().parse::<State>().ok(), Some(state));
    }
    assert!("finished".parse::<State>().is_err());
}
