//! The least that can be around a JSON-RPC call (RFC 7047): one unix socket, nothing planned, nothing remembered.

use std::io::{BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Deserializer, Value, json};

/// A connection to an ovsdb-server.
pub(crate) struct Rpc {
    database: &'static str,
    output: UnixStream,
    input: serde_json::StreamDeserializer<'static, serde_json::de::IoRead<BufReader<UnixStream>>, Value>,
}

impl Rpc {
    pub(crate) fn open(socket: &Path, database: &'static str) -> Self {
        let failed = |e| panic!("connect to {}: {e}", socket.display());
        let output = UnixStream::connect(socket).unwrap_or_else(failed);
        let input = output.try_clone().unwrap_or_else(failed);
        Self { database, output, input: Deserializer::from_reader(BufReader::new(input)).into_iter() }
    }

    /// Makes one transaction; each of its operations has to succeed.
    pub(crate) fn transact(&mut self, operations: &[Value]) -> Value {
        let params: Vec<_> =
            std::iter::once(json!(self.database)).chain(operations.iter().cloned()).collect();
        let result = self.call("transact", &json!(params));
        let refused = result.as_array().into_iter().flatten().find(|outcome| outcome["error"].is_string());
        assert!(refused.is_none(), "{refused:?} of {params:?}");
        result
    }

    /// Follows one column of one table from now on.
    pub(crate) fn monitor(&mut self, table: &str, column: &str) {
        let params = json!([self.database, "bench", {table: [{"columns": ["name", column]}]}]);
        self.call("monitor", &params);
    }

    /// Reads updates until one of them is what is waited for.
    pub(crate) fn until(&mut self, is_it: impl Fn(&Value) -> bool) {
        while !self.read("update").is_some_and(|message| is_it(&message["params"][1])) {}
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.write(&json!({"method": method, "params": params, "id": 1}));
        loop {
            if let Some(mut answer) = self.read("") {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
        }
    }

    /// The next message, if it is of this method; none is an answer's. Questions are answered on the way.
    fn read(&mut self, method: &str) -> Option<Value> {
        let message = self.input.next().and_then(Result::ok);
        let message = message.unwrap_or_else(|| panic!("{} hung up", self.database));
        if message["method"] == "echo" {
            self.write(&json!({"id": message["id"], "result": message["params"], "error": null}));
        }
        (message["method"].as_str().unwrap_or_default() == method).then_some(message)
    }

    fn write(&mut self, message: &Value) {
        let written = self.output.write_all(message.to_string().as_bytes());
        written.unwrap_or_else(|e| panic!("write to {}: {e}", self.database));
    }
}
