//! Every failure → the error object that the runtime gets (CNI specification, section 5 "Error").

use std::error::Error as StdError;
use std::path::PathBuf;

use serde::Serialize;
use thiserror::Error;

use crate::answer::{AddError, Refusal};
use crate::args::ArgsError;
use crate::client::ClientError;
use crate::env::EnvError;
use crate::netconf::ConfError;
use crate::pending::PendingError;
use crate::result::ReplyError;
use crate::verb::TooLarge;
use crate::version::SpecVersion;

/// Why a call failed.
#[derive(Debug, Error)]
pub enum PluginError {
    /// The variables.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// `CNI_ARGS`.
    #[error(transparent)]
    Args(#[from] ArgsError),
    /// stdin.
    #[error(transparent)]
    Conf(#[from] ConfError),
    /// The request would not be read.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// No answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The daemon refuses.
    #[error("the daemon on {}: {refusal}", socket.display())]
    Refused {
        /// Its socket.
        socket: PathBuf,
        /// Why.
        refusal: Refusal,
    },
    /// The daemon agrees in words that we do not understand.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// A DEL that could neither be done nor be left for later.
    #[error("DEL could not be done ({}) and not be left for later", chain(cause))]
    NotLeft {
        /// Why it could not be done.
        cause: Box<PluginError>,
        /// Why it could not be left.
        source: PendingError,
    },
    /// STATUS: an ADD would fail now.
    #[error(transparent)]
    NotAvailable(Box<PluginError>),
}

/// The error object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The version spoken.
    #[serde(rename = "cniVersion")]
    pub cni_version: &'static str,
    /// 1 to 99 as in the specification, from 100 on as in [`daemon_api::fault`].
    pub code: u32,
    /// What happened.
    pub msg: String,
    /// Why, and what to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub details: String,
}

mod code {
    pub(super) const INCOMPATIBLE_VERSION: u32 = 1;
    pub(super) const INVALID_ENVIRONMENT: u32 = 4;
    pub(super) const IO_FAILURE: u32 = 5;
    pub(super) const DECODE_FAILURE: u32 = 6;
    pub(super) const INVALID_CONFIG: u32 = 7;
    pub(super) const TRY_AGAIN_LATER: u32 = 11;
    pub(super) const NOT_AVAILABLE: u32 = 50;
}

const RPC_FAILED: &str = "RPC failed";
const INVALID_CONFIGURATION: &str = "Invalid Configuration";

/// An error with all its causes, joined by `: `.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text.push_str(": ");
        text.push_str(&e.to_string());
        cause = e.source();
    }
    text
}

impl PluginError {
    /// Takes apart what went wrong with an ADD's answer.
    pub fn of_add(socket: PathBuf, error: AddError) -> Self {
        match error {
            AddError::Refused(refusal) => Self::Refused { socket, refusal },
            AddError::Reply(error) => Self::Reply(error),
        }
    }

    /// The object for the runtime.
    pub fn report(&self, version: SpecVersion) -> Report {
        let (code, msg, details) = self.parts();
        Report { cni_version: version.as_str(), code, msg, details }
    }

    /// Code, message, details. Runtimes show the last two joined by `; `.
    fn parts(&self) -> (u32, String, String) {
        match self {
            Self::Env(e) => (code::INVALID_ENVIRONMENT, e.to_string(), String::new()),
            Self::Args(e) => (code::INVALID_ENVIRONMENT, e.to_string(), args_hint(e).to_owned()),
            Self::Conf(e) => conf_parts(e),
            Self::TooLarge(e) => (code::INVALID_CONFIG, INVALID_CONFIGURATION.into(), e.to_string()),
            Self::Client(e) => {
                (code::TRY_AGAIN_LATER, RPC_FAILED.into(), format!("{}; {}", chain(e), e.hint()))
            }
            Self::Refused { refusal: Refusal::Fault(fault), .. } => {
                (fault.kind.row().cni_code, fault.message.clone(), fault.hint.clone())
            }
            Self::Refused { refusal: refusal @ Refusal::Status { .. }, .. } => {
                (code::TRY_AGAIN_LATER, RPC_FAILED.into(), refusal.to_string())
            }
            Self::Refused { socket, refusal: Refusal::NotOffered { path } } => (
                code::TRY_AGAIN_LATER,
                RPC_FAILED.into(),
                format!("the daemon on {} does not offer {path}", socket.display()),
            ),
            Self::Reply(e @ (ReplyError::Unreadable(_) | ReplyError::Value { .. })) => {
                (code::DECODE_FAILURE, RPC_FAILED.into(), e.to_string())
            }
            Self::Reply(e @ (ReplyError::Empty | ReplyError::NoInterface | ReplyError::NoAddress)) => {
                (code::TRY_AGAIN_LATER, RPC_FAILED.into(), e.to_string())
            }
            Self::NotLeft { source, .. } => (code::IO_FAILURE, self.to_string(), chain(source)),
            Self::NotAvailable(inner) => {
                let (_, msg, details) = inner.parts();
                (code::NOT_AVAILABLE, msg, details)
            }
        }
    }
}

fn args_hint(error: &ArgsError) -> &'static str {
    match error {
        ArgsError::UnknownKeys(_) => "IgnoreUnknown=1 in CNI_ARGS has unknown keys ignored",
        ArgsError::NotAPair(_) | ArgsError::UnsafeValue { .. } | ArgsError::Pod(_) => "",
    }
}

fn conf_parts(error: &ConfError) -> (u32, String, String) {
    let text = chain(error);
    match error {
        ConfError::Version(_) => (code::INCOMPATIBLE_VERSION, "incompatible CNI versions".into(), text),
        ConfError::TooOldFor(_) => (code::INCOMPATIBLE_VERSION, text, String::new()),
        ConfError::Unreadable(_) => (code::IO_FAILURE, text, String::new()),
        ConfError::TooLong | ConfError::NotJson(_) | ConfError::NotAnObject | ConfError::WrongType(_) => {
            (code::DECODE_FAILURE, "failed to load netconf".into(), text)
        }
        ConfError::Name(_)
        | ConfError::NoSocket { .. }
        | ConfError::BadSocket(_)
        | ConfError::Provider(_)
        | ConfError::NoPrevResult
        | ConfError::NoAttachmentList => (code::INVALID_CONFIG, INVALID_CONFIGURATION.into(), text),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use daemon_api::{Fault, FaultKind};

    use super::*;
    use crate::env::Verb;

    fn refused(refusal: Refusal) -> PluginError {
        PluginError::Refused { socket: "/run/d.sock".into(), refusal }
    }

    fn absent() -> PluginError {
        let source = io::ErrorKind::ConnectionRefused.into();
        PluginError::Client(ClientError::Connect { socket: "/run/d.sock".into(), source })
    }

    #[test]
    fn every_fault_keeps_its_code_message_and_hint() {
        for kind in FaultKind::ALL {
            let fault = Fault::new(kind, "message").hint("hint");
            let report = refused(Refusal::Fault(fault)).report(SpecVersion::V1_0_0);
            assert_eq!(
                (report.cni_version, report.code, report.msg.as_str(), report.details.as_str()),
                ("1.0.0", kind.row().cni_code, "message", "hint")
            );
        }
    }

    #[test]
    fn a_status_that_fails_is_50_whatever_the_cause() {
        let fault = Refusal::Fault(Fault::new(FaultKind::Ledger, "no ledger"));
        let missing = Refusal::NotOffered { path: "/api/v1/status" };
        for cause in [absent(), refused(fault), refused(missing)] {
            let text = cause.report(SpecVersion::NEWEST);
            let report = PluginError::NotAvailable(Box::new(cause)).report(SpecVersion::NEWEST);
            assert_eq!((report.code, &report.msg, &report.details), (50, &text.msg, &text.details));
        }
    }

    #[test]
    fn an_absent_daemon_is_told_with_what_to_do() {
        let report = absent().report(SpecVersion::V0_3_1);

        assert_eq!((report.code, report.msg.as_str()), (11, "RPC failed"));
        assert_eq!(
            report.details,
            "connect to /run/d.sock: connection refused; is kube-ovn-daemon running on this node, and is this its \
             --bind-socket? look at its pod or service and at its log"
        );
    }

    #[test]
    fn a_del_that_is_lost_says_both_reasons() {
        let source =
            PendingError { step: "write", path: "/run/x".into(), source: io::ErrorKind::StorageFull.into() };
        let report = PluginError::NotLeft { cause: Box::new(absent()), source }.report(SpecVersion::NEWEST);

        assert_eq!(report.code, 5);
        assert_eq!(
            report.msg,
            "DEL could not be done (connect to /run/d.sock: connection refused) and not be left for later"
        );
        assert_eq!(report.details, "write /run/x: no storage space");
    }

    #[test]
    fn configuration_errors_have_the_specifications_codes() {
        let table = [
            (ConfError::TooOldFor(Verb::Check), 1),
            (ConfError::Unreadable(io::ErrorKind::BrokenPipe.into()), 5),
            (ConfError::TooLong, 6),
            (ConfError::NotAnObject, 6),
            (ConfError::NoPrevResult, 7),
            (ConfError::NoAttachmentList, 7),
            (ConfError::BadSocket("x".into()), 7),
        ];
        for (error, code) in table {
            let text = error.to_string();
            assert_eq!(PluginError::Conf(error).report(SpecVersion::NEWEST).code, code, "{text}");
        }
    }
}
