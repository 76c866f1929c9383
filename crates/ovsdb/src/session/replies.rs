//! What each message of the server means for the session.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Action, Awaited, Beginning, News, Phase, SERVER_MONITOR, Session};
use crate::failure::Loss;
use crate::monitor::Progress;
use crate::rpc::RpcError;
use crate::schema::Schema;
use crate::server::{self, Status, Unfit};

impl Session {
    pub(super) fn notified(&mut self, method: &str, params: &RawValue) -> Result<(), Loss> {
        match method {
            "update3" => {
                let progress: Progress = read("an update", params)?;
                if progress.monitor == SERVER_MONITOR {
                    self.server.apply(progress.updates).map_err(Loss::Inconsistent)?;
                    return self.judge_server();
                }
                let Some(subscription) = self.subscriptions.get_mut(&progress.monitor) else { return Ok(()) };
                let number = progress.monitor;
                let changes = subscription.follow(progress).map_err(Loss::Inconsistent)?;
                if !changes.is_empty() {
                    let news = News::Changes(changes);
                    self.actions.push_back(Action::Publish { subscription: number, news });
                }
                Ok(())
            }
            "monitor_canceled" => Err(Loss::Canceled),
            _ => Ok(()),
        }
    }

    pub(super) fn replied(&mut self, id: u64, result: Result<Box<RawValue>, RpcError>) -> Result<(), Loss> {
        let awaited = self.exchange.take(id);
        let awaited =
            awaited.ok_or_else(|| Loss::Protocol(format!("a reply to {id}, which nobody asked")))?;
        match awaited {
            Awaited::Transaction { ticket, operations, .. } => {
                let answer = super::exchange::read_answer(result, operations);
                self.actions.push_back(Action::Answer { ticket, answer });
                Ok(())
            }
            Awaited::Schema => {
                let new: Schema = read("the schema", &result.map_err(Loss::Refused)?)?;
                if let Phase::Greeting { schema, .. } = &mut self.phase {
                    *schema = Some(Arc::new(new));
                }
                Ok(())
            }
            Awaited::Server => {
                let beginning: Beginning = read("the server's description", &result.map_err(Loss::Refused)?)?;
                self.server.replace(server::shape(), beginning.updates).map_err(Loss::Inconsistent)?;
                if let Phase::Greeting { described, .. } = &mut self.phase {
                    *described = true;
                }
                self.judge_server()
            }
            Awaited::Monitor(number) => self.begun(number, result),
            Awaited::Probe | Awaited::Nothing => Ok(()),
        }
    }

    fn begun(&mut self, number: u64, result: Result<Box<RawValue>, RpcError>) -> Result<(), Loss> {
        let Some(subscription) = self.subscriptions.get_mut(&number) else { return Ok(()) };
        let news = match result {
            Ok(result) => {
                let beginning: Beginning = read("the answer to a monitor", &result)?;
                News::Changes(subscription.start(beginning).map_err(Loss::Inconsistent)?)
            }
            Err(error) => {
                subscription.refuse();
                News::Refused(error)
            }
        };
        self.actions.push_back(Action::Publish { subscription: number, news });
        Ok(())
    }

    fn judge_server(&mut self) -> Result<(), Loss> {
        let database = &self.settings.database;
        let status = Status::find(database, self.server.rows(server::TABLE).map(|(_, row)| &**row));
        let status = status.ok_or_else(|| Loss::Unfit(Unfit::NoDatabase(database.clone())))?;
        self.seen.admit(&status, self.settings.leader_only).map_err(Loss::Unfit)
    }
}

fn read<T: DeserializeOwned>(what: &str, raw: &RawValue) -> Result<T, Loss> {
    serde_json::from_str(raw.get()).map_err(|error| Loss::Protocol(format!("{what}: {error}")))
}
