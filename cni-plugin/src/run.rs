//! One call from its variables to what is printed.

use std::io::Read;
use std::time::Duration;

use daemon_api::pending::PendingDel;
use serde_json::json;

use crate::answer;
use crate::args;
use crate::client;
use crate::env::{self, Invocation, Lookup, Sandbox, Verb};
use crate::error::{self, PluginError};
use crate::netconf::{Document, NetConf};
use crate::pending;
use crate::render;
use crate::result;
use crate::verb::{self, Request};
use crate::version::SpecVersion;

/// What the process prints and how it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The exit status.
    pub exit: u8,
    /// One JSON document, or nothing.
    pub stdout: String,
    /// Lines for people.
    pub stderr: String,
}

/// How long a verb waits for the daemon, from connecting to the answer's last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// ADD.
    pub add: Duration,
    /// CHECK.
    pub check: Duration,
    /// DEL; then it is left on disk.
    pub del: Duration,
    /// GC.
    pub gc: Duration,
    /// STATUS.
    pub status: Duration,
}

impl Default for Deadlines {
    /// Below the shortest limit of a runtime: CRI-O kills a plugin after 60 s.
    fn default() -> Self {
        let long = Duration::from_secs(55);
        Self {
            add: long,
            check: long,
            del: Duration::from_secs(10),
            gc: long,
            status: Duration::from_secs(5),
        }
    }
}

/// Serves one call.
pub fn run(lookup: Lookup<'_>, stdin: &mut dyn Read, deadlines: &Deadlines) -> Outcome {
    let mut version = SpecVersion::NEWEST;
    serve(lookup, stdin, deadlines, &mut version).unwrap_or_else(|e| Outcome {
        exit: 1,
        stdout: render::json(&e.report(version)),
        stderr: String::new(),
    })
}

/// `version` becomes the configuration's as soon as it is known, for the error object.
fn serve(
    lookup: Lookup<'_>,
    stdin: &mut dyn Read,
    deadlines: &Deadlines,
    version: &mut SpecVersion,
) -> Result<Outcome, PluginError> {
    let mut conf = |verb| -> Result<NetConf, PluginError> {
        let document = Document::read(stdin)?;
        *version = document.version().unwrap_or(*version);
        Ok(NetConf::new(&document, verb)?)
    };
    match env::read(lookup)? {
        Invocation::About => Ok(about()),
        Invocation::Version => Ok(version_reply(stdin)),
        Invocation::Add(sandbox) => add(&sandbox, &conf(Verb::Add)?, deadlines.add),
        Invocation::Check(sandbox) => check(&sandbox, &conf(Verb::Check)?, deadlines.check),
        Invocation::Del(sandbox) => del(&sandbox, &conf(Verb::Del)?, deadlines.del),
        Invocation::Gc => gc(&conf(Verb::Gc)?, deadlines.gc),
        Invocation::Status => status(&conf(Verb::Status)?, deadlines.status),
    }
}

fn about() -> Outcome {
    let versions = SpecVersion::ALL.map(SpecVersion::as_str).join(", ");
    let stderr = format!(
        "CNI plugin kube-ovn {}\nCNI protocol versions supported: {versions}\n",
        env!("CARGO_PKG_VERSION")
    );
    Outcome { stderr, ..Outcome::default() }
}

/// Answers whatever comes on stdin: a caller that asks for versions need not know them.
fn version_reply(stdin: &mut dyn Read) -> Outcome {
    let document = Document::read(stdin).ok();
    let given = document.as_ref().and_then(Document::version_text);
    let asked = json!(given.unwrap_or(SpecVersion::NEWEST.as_str()));
    let supported = json!(SpecVersion::ALL.map(SpecVersion::as_str));
    let stdout = format!("{{\"cniVersion\":{asked},\"supportedVersions\":{supported}}}\n");
    Outcome { stdout, ..Outcome::default() }
}

fn add(sandbox: &Sandbox, conf: &NetConf, limit: Duration) -> Result<Outcome, PluginError> {
    let args = args::for_add(&sandbox.args, &sandbox.container_id)?;
    let request = verb::add(sandbox, &args, conf, limit)?;
    let answer = client::exchange(&conf.socket, &request, limit)?;
    let reply = answer::added(&answer).map_err(|e| PluginError::of_add(conf.socket.clone(), e))?;
    let made = result::made(&reply, sandbox, conf)?;
    let stdout = render::result(conf.version, made, conf.prev_result.as_ref());
    Ok(Outcome { stdout, ..Outcome::default() })
}

fn check(sandbox: &Sandbox, conf: &NetConf, limit: Duration) -> Result<Outcome, PluginError> {
    let args = args::for_add(&sandbox.args, &sandbox.container_id)?;
    ask(Verb::Check, &verb::check(sandbox, &args, conf, limit)?, conf, limit)
}

/// Succeeds unless the request can neither be done nor be left for later: runtimes keep a sandbox whose DEL fails.
fn del(sandbox: &Sandbox, conf: &NetConf, limit: Duration) -> Result<Outcome, PluginError> {
    let args = args::for_del(&sandbox.args);
    let (pod, call) = verb::del_content(sandbox, &args, conf, limit);
    let asked = verb::del(&pod, &call)
        .map_err(PluginError::from)
        .and_then(|request| ask(Verb::Del, &request, conf, limit));
    let cause = match asked {
        Ok(done) => return Ok(done),
        Err(cause) => cause,
    };
    match pending::leave(&conf.socket, sandbox, &PendingDel { pod, call }) {
        Ok(file) => Ok(Outcome {
            stderr: format!(
                "kube-ovn: DEL of {} {} is left in {} for the daemon: {}\n",
                sandbox.container_id,
                sandbox.ifname,
                file.display(),
                error::chain(&cause)
            ),
            ..Outcome::default()
        }),
        Err(source) => Err(PluginError::NotLeft { cause: Box::new(cause), source }),
    }
}

fn gc(conf: &NetConf, limit: Duration) -> Result<Outcome, PluginError> {
    ask(Verb::Gc, &verb::gc(conf, limit)?, conf, limit)
}

fn status(conf: &NetConf, limit: Duration) -> Result<Outcome, PluginError> {
    ask(Verb::Status, &verb::status(conf, limit)?, conf, limit)
        .map_err(|e| PluginError::NotAvailable(Box::new(e)))
}

fn ask(verb: Verb, request: &Request, conf: &NetConf, limit: Duration) -> Result<Outcome, PluginError> {
    let answer = client::exchange(&conf.socket, request, limit)?;
    answer::done(verb, &answer)
        .map_err(|refusal| PluginError::Refused { socket: conf.socket.clone(), refusal })?;
    Ok(Outcome::default())
}
