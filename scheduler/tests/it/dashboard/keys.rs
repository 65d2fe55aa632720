//! What the keys do.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use scheduler::dashboard::{Next, Pane, State};
use tokio::time::Instant;

use super::drawing::{drawn, state_of, text_of};
use super::sample;

fn fleet() -> State {
    state_of(sample::fleet(), Instant::now())
}

fn control(character: char) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(character), KeyModifiers::CONTROL)
}

#[test]
fn q_escape_and_ctrl_c_leave() {
    assert_eq!(fleet().press(KeyCode::Char('q').into()), Next::Leave);
    assert_eq!(fleet().press(KeyCode::Esc.into()), Next::Leave);
    assert_eq!(fleet().press(control('c')), Next::Leave);
    assert_eq!(fleet().press(control('l')), Next::DrawAnew);
    assert_eq!(fleet().press(KeyCode::Char('x').into()), Next::Draw);
}

#[test]
fn escape_closes_what_lies_above_first() {
    for opens in [KeyCode::Char('?'), KeyCode::Enter] {
        let mut state = fleet();
        state.press(opens.into());
        assert!(state.is_help_shown || state.is_detail_shown);
        assert_eq!(state.press(KeyCode::Esc.into()), Next::Draw);
        assert!(!state.is_help_shown && !state.is_detail_shown);
        assert_eq!(state.press(KeyCode::Esc.into()), Next::Leave);
    }
}

#[test]
fn tab_goes_round_the_lists_and_arrows_stay_within_one() {
    let mut state = fleet();
    for pane in [Pane::Work, Pane::Failures, Pane::Jobs] {
        state.press(KeyCode::Tab.into());
        assert_eq!(state.pane, pane);
    }
    state.press(KeyCode::BackTab.into());
    assert_eq!(state.pane, Pane::Failures);
    state.press(KeyCode::Up.into());
    assert_eq!(state.cursor(Pane::Failures, 2), 0);
    for _ in 0..5 {
        state.press(KeyCode::Down.into());
    }
    assert_eq!(state.cursor(Pane::Failures, 2), 1);
    // Another look may find fewer.
    assert_eq!(state.cursor(Pane::Failures, 1), 0);
    assert_eq!(state.cursor(Pane::Failures, 0), 0);
}

#[test]
fn jobs_that_are_not_finished_come_first_in_their_order() {
    let mut overview = sample::fleet();
    overview.jobs.reverse();
    overview.jobs[1].status.id.0 = 9;
    let state = state_of(overview, Instant::now());
    let jobs = state.picture.unwrap().overview.jobs.into_iter();
    let order: Vec<_> = jobs.map(|job| job.status.id.0).collect();
    assert_eq!(order, [3, 4, 9, 1]);
}

#[test]
fn a_list_that_is_longer_than_its_room_moves_with_the_cursor() {
    let now = Instant::now();
    let mut overview = sample::fleet();
    let last = overview.failures[1].clone();
    for chunk in 100..150 {
        let mut failure = last.clone();
        failure.part.chunk.0 = chunk;
        overview.failures.push(failure);
    }
    let mut state = state_of(overview, now);
    let text = text_of(&drawn(&state, (80, 24), now));
    assert!(text.contains("#21 ") && !text.contains("#149 "), "{text}");
    state.press(KeyCode::BackTab.into());
    state.press(KeyCode::End.into());
    let text = text_of(&drawn(&state, (80, 24), now));
    assert!(text.contains("#149 ") && !text.contains("#21 "), "{text}");
    assert!(text.contains('↑'), "{text}");
}

#[test]
fn enter_tells_all_of_the_item_at_the_cursor() {
    let now = Instant::now();
    let mut state = fleet();
    state.press(KeyCode::BackTab.into());
    state.press(KeyCode::Enter.into());
    let text = text_of(&drawn(&state, (80, 24), now));
    for words in [
        "the vendor answers 422: symbol ES.c.9 can't be resolved",
        "to try again: scheduler retry 4",
        "trades 2024-03-05..2024-03-06 ES.c.0, NQ.c.0",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    state.press(KeyCode::Tab.into());
    let text = text_of(&drawn(&state, (80, 24), now));
    assert!(text.contains("chunks: 700 pending, 3 running"), "{text}");
}
