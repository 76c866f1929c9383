//! What the daemon's answer means to a verb.

use daemon_api::{Fault, PodReply, route};
use serde_json::Value;
use thiserror::Error;

use crate::env::Verb;
use crate::http::Answer;
use crate::result::ReplyError;

/// The daemon says no.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Our daemon, which says why in a form of its own.
    #[error("{0}")]
    Fault(Fault),
    /// Upstream's daemon: a status and a text.
    #[error("{action} return {status} {text}")]
    Status {
        /// Upstream's words for the verb.
        action: &'static str,
        /// The HTTP status.
        status: u16,
        /// The text.
        text: String,
    },
    /// Upstream's daemon does not know our routes.
    #[error("it does not offer {path}")]
    NotOffered {
        /// The route.
        path: &'static str,
    },
}

/// The answer to an ADD does not say what was made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddError {
    /// The daemon refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The daemon agrees in words that we do not understand.
    #[error(transparent)]
    Reply(#[from] ReplyError),
}

/// Reads the answer to an ADD.
///
/// # Errors
/// [`AddError`].
pub fn added(answer: &Answer) -> Result<PodReply, AddError> {
    if answer.status != 200 {
        return Err(refusal(Verb::Add, answer).into());
    }
    if answer.body.is_empty() {
        return Err(ReplyError::Empty.into());
    }
    let reply = PodReply::decode(&answer.body).map_err(|e| ReplyError::Unreadable(e.to_string()))?;
    let is_success = reply.error.is_empty() && reply.fault.is_none();
    if is_success { Ok(reply) } else { Err(refusal(Verb::Add, answer).into()) }
}

/// Reads the answer to a verb that has no result.
///
/// # Errors
/// [`Refusal`].
pub fn done(verb: Verb, answer: &Answer) -> Result<(), Refusal> {
    if matches!(answer.status, 200 | 204) { Ok(()) } else { Err(refusal(verb, answer)) }
}

fn refusal(verb: Verb, answer: &Answer) -> Refusal {
    // Piece by piece: a newer daemon's fault may be of a kind that we do not know.
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let Ok(fault) = serde_json::from_value(body["fault"].clone()) {
        return Refusal::Fault(fault);
    }
    if let (404, Some(path)) = (answer.status, own_route(verb)) {
        return Refusal::NotOffered { path };
    }
    let text = match body["error"].as_str() {
        Some(error) => error.to_owned(),
        None => String::from_utf8_lossy(&answer.body).chars().take(300).collect(),
    };
    Refusal::Status { action: action(verb), status: answer.status, text }
}

fn own_route(verb: Verb) -> Option<&'static str> {
    match verb {
        Verb::Check => Some(route::CHECK),
        Verb::Gc => Some(route::GC),
        Verb::Status => Some(route::STATUS),
        Verb::Add | Verb::Del | Verb::Version => None,
    }
}

fn action(verb: Verb) -> &'static str {
    match verb {
        Verb::Add => "request ip",
        Verb::Del => "delete ip",
        Verb::Check => "check",
        Verb::Gc => "gc",
        Verb::Status => "status",
        Verb::Version => "version",
    }
}

#[cfg(test)]
mod tests {
    use daemon_api::FaultKind;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.into() }
    }

    #[test]
    fn our_daemons_fault_is_taken_as_it_is() {
        let fault = Fault::new(FaultKind::SubnetExhausted, "no address").hint("add some");
        let body = String::from_utf8(PodReply::refusal(&fault, true).encode()).unwrap();

        assert_eq!(added(&answer(500, &body)), Err(AddError::Refused(Refusal::Fault(fault.clone()))));
        assert_eq!(added(&answer(200, &body)), Err(AddError::Refused(Refusal::Fault(fault.clone()))));
        assert_eq!(done(Verb::Check, &answer(404, &body)), Err(Refusal::Fault(fault)));
    }

    #[test]
    fn any_other_refusal_is_told_in_upstreams_words() {
        let text = |status, body: &str| added(&answer(status, body)).unwrap_err().to_string();

        assert_eq!(text(400, r#"{"error":"no such subnet"}"#), "request ip return 400 no such subnet");
        assert_eq!(text(200, r#"{"error":"odd"}"#), "request ip return 200 odd");
        assert_eq!(text(404, "404: Page Not Found"), "request ip return 404 404: Page Not Found");
        assert_eq!(text(204, ""), "request ip return 204 ");
        let unknown_kind = r#"{"error":"e","fault":{"kind":"from-the-future","message":"m"}}"#;
        assert_eq!(text(500, unknown_kind), "request ip return 500 e");
        assert_eq!(
            done(Verb::Del, &answer(500, "busy")).unwrap_err().to_string(),
            "delete ip return 500 busy"
        );
    }

    #[test]
    fn a_success_that_cannot_be_read_is_none() {
        assert_eq!(added(&answer(200, "")), Err(AddError::Reply(ReplyError::Empty)));
        assert!(matches!(added(&answer(200, "ok")), Err(AddError::Reply(ReplyError::Unreadable(_)))));
    }

    #[test]
    fn verbs_without_a_result_accept_200_and_204() {
        for verb in [Verb::Check, Verb::Del, Verb::Gc, Verb::Status] {
            assert_eq!(done(verb, &answer(204, "")), Ok(()));
            assert_eq!(done(verb, &answer(200, "{}")), Ok(()));
        }
    }

    #[test]
    fn a_daemon_without_our_routes_does_not_offer_them() {
        for (verb, path) in
            [(Verb::Check, route::CHECK), (Verb::Gc, route::GC), (Verb::Status, route::STATUS)]
        {
            let refused = done(verb, &answer(404, "404: Page Not Found"));
            assert_eq!(refused, Err(Refusal::NotOffered { path }));
        }
    }
}
