use std::os::unix::net::UnixListener;

use tempfile::TempDir;

use super::*;

/// Serves one connection with `answer` and returns what was asked; `None` keeps the peer waiting.
fn ask(answer: Option<&'static [u8]>) -> (Result<Value, Failure>, String) {
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("d.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let daemon = thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        let mut asked = [0; 512];
        let length = peer.read(&mut asked).unwrap();
        let kept = match answer {
            Some(answer) => {
                peer.write_all(answer).unwrap();
                None
            }
            None => Some(peer),
        };
        (String::from_utf8_lossy(&asked[..length]).into_owned(), kept)
    });
    let client = Client { socket, deadline: Duration::from_millis(300) };

    let answer = client.get("/x");

    (answer, daemon.join().unwrap().0)
}

#[test]
fn a_question_is_one_get_and_the_answer_is_json() {
    let (answer, asked) = ask(Some(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"a\":1}"));

    assert_eq!(answer.unwrap()["a"], 1);
    assert!(asked.starts_with("GET /x HTTP/1.1\r\nHost: localhost\r\n"), "{asked}");
}

#[test]
fn an_answer_may_end_with_the_connection() {
    assert_eq!(ask(Some(b"HTTP/1.1 200 OK\r\n\r\n[1]")).0.unwrap()[0], 1);
}

#[test]
fn what_is_not_there_is_a_finding() {
    let (answer, _) = ask(Some(b"HTTP/1.1 404 Not Found\r\n\r\n{\"error\":\"pod ns1/x is not known\"}"));

    let failure = answer.unwrap_err();
    assert_eq!((failure.code(), failure.to_string().as_str()), (1, "pod ns1/x is not known"));
}

#[test]
fn a_refusal_says_what_the_daemon_says() {
    for body in ["{\"fault\":{\"message\":\"busy\"}}", "{\"kind\":\"busy\",\"message\":\"busy\"}", "busy\n"] {
        let answer = format!("HTTP/1.1 503 Service Unavailable\r\n\r\n{body}");
        let failure = ask(Some(Box::leak(answer.into_boxed_str()).as_bytes())).0.unwrap_err();

        assert_eq!(failure.code(), 2);
        assert_eq!(failure.to_string(), "the daemon refused /x with status 503: busy");
    }
}

#[test]
fn what_is_no_answer_is_named() {
    for (answer, why) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}"[..], "it is cut off"),
        (b"HTTP/1.1 200 OK\r\n", "it ends inside its head"),
        (b"", "it ends inside its head"),
        (b"SSH-2.0\r\n\r\n", "it is not HTTP"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "it is sent in chunks"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "expected value"),
    ] {
        let failure = ask(Some(answer)).0.unwrap_err();

        assert!(matches!(failure, Failure::BadAnswer { .. }), "{failure}");
        assert!(failure.to_string().contains(why), "{failure}");
    }
}

#[test]
fn a_silent_daemon_is_given_up() {
    assert!(matches!(ask(None).0.unwrap_err(), Failure::Late { .. }));
}

#[test]
fn a_missing_socket_is_named_with_what_to_do() {
    let failure = Client::new(Path::new("/nonexistent/d.sock")).get::<Value>("/x").unwrap_err();

    assert_eq!(failure.code(), 2);
    assert!(crate::error::chain(&failure).contains("/nonexistent/d.sock"));
    assert!(failure.hint().contains("--socket"));
}
