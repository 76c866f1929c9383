//! Answers in every framing, cut at every byte, and answers that are none.

use super::*;

const LENGTH: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &[u8] =
    b"HTTP/1.1 500 No\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n";
const PLAIN: &[u8] = b"HTTP/1.0 404 Not Found\r\n\r\nhello";
const NO_BODY: &[u8] = b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n";

fn hello(status: u16) -> Answer {
    Answer { status, body: b"hello".to_vec() }
}

fn answer(head: &str, body: &[u8]) -> Result<Option<Answer>, HttpError> {
    let mut bytes = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    decode(&bytes, true)
}

#[test]
fn every_framing_is_understood() {
    assert_eq!(decode(LENGTH, false), Ok(Some(hello(200))));
    assert_eq!(decode(CHUNKED, false), Ok(Some(hello(500))));
    assert_eq!(decode(PLAIN, true), Ok(Some(hello(404))));
    assert_eq!(decode(NO_BODY, false), Ok(Some(Answer { status: 204, body: Vec::new() })));
}

#[test]
fn a_part_waits_for_more_and_a_closed_part_is_cut() {
    for whole in [LENGTH, NO_BODY] {
        for end in 0..whole.len() {
            assert_eq!(decode(&whole[..end], false), Ok(None), "{end}");
            assert_eq!(decode(&whole[..end], true), Err(HttpError::Cut), "{end}");
        }
    }
    // The last chunk's size line ends the body.
    for end in 0..CHUNKED.len() - 2 {
        assert_eq!(decode(&CHUNKED[..end], false), Ok(None), "{end}");
    }
    assert_eq!(decode(PLAIN, false), Ok(None));
}

#[test]
fn what_we_do_not_understand_is_refused() {
    assert!(matches!(decode(b"SSH-2.0-x\r\n\r\n", true), Err(HttpError::NotHttp(_))));
    assert!(matches!(answer("Transfer-Encoding: gzip, chunked", b""), Err(HttpError::Header { .. })));
    assert!(matches!(answer("Content-Encoding: br", b""), Err(HttpError::Header { .. })));
    assert!(matches!(answer("Content-Length: -1", b""), Err(HttpError::Header { .. })));
    assert!(matches!(answer("Content-Length: 1\r\nContent-Length: 2", b"ab"), Err(HttpError::Header { .. })));
    assert_eq!(answer("Transfer-Encoding: chunked", b"zz\r\n"), Err(HttpError::Chunk));
    assert_eq!(answer("Transfer-Encoding: chunked", b"1\r\nabc"), Err(HttpError::Chunk));
    assert!(matches!(answer("Content-Encoding: gzip", b"hello"), Err(HttpError::Gzip(_))));
}

#[test]
fn long_answers_are_refused_before_they_are_read() {
    assert_eq!(answer("Content-Length: 1048577", b""), Err(HttpError::TooLong));
    assert_eq!(answer("Transfer-Encoding: chunked", b"fffffff\r\n"), Err(HttpError::TooLong));
    assert_eq!(decode(&vec![b'H'; MAX_ANSWER_BYTES + 1], false), Err(HttpError::TooLong));
}

#[test]
fn a_request_has_the_recorded_order_of_headers_and_our_own() {
    let request = Request { path: route::DEL, body: b"{}".to_vec(), call: "{\"a\":1}".into() };

    let text = String::from_utf8(encode(&request)).unwrap();

    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        text,
        format!(
            "POST /api/v1/del HTTP/1.1\r\nHost: dummy\r\nUser-Agent: kube-ovn-cni/{version}\r\nContent-Length: 2\r\n\
             Content-Type: application/json\r\nkube-ovn-call: {{\"a\":1}}\r\nConnection: close\r\n\r\n{{}}"
        )
    );
}
