//! Waiting for something to become true, always with a deadline.

use std::time::{Duration, Instant};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks `ready` until it answers, and returns the answer.
///
/// # Panics
/// When `within` has passed; `what` names the thing waited for.
pub fn until<T>(what: &str, within: Duration, ready: impl FnMut() -> Option<T>) -> T {
    until_or(within, ready).unwrap_or_else(|| panic!("waited {within:?} in vain for {what}"))
}

/// As [`until`], `None` when the time has passed.
pub fn until_or<T>(within: Duration, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + within;
    loop {
        if let Some(answer) = ready() {
            return Some(answer);
        }
        if Instant::now() >= end {
            return None;
        }
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that polls: these conditions have no event")]
fn pause() {
    std::thread::sleep(PAUSE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_returned_as_soon_as_there_is_one() {
        let mut looks = 0;

        let answer = until("the third look", Duration::from_secs(10), || {
            looks += 1;
            (looks == 3).then_some(looks)
        });

        assert_eq!(answer, 3);
    }

    #[test]
    fn the_deadline_ends_the_wait() {
        assert_eq!(until_or(Duration::ZERO, || None::<()>), None);
    }
}
