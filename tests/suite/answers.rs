//! The parser that all these tests read answers with: what it takes, what it waits for and what it refuses.

use pws_testing::answer::Answer;

/// What is parsed of an answer to GET: how long it is, if it is whole; `Err` if it is malformed.
fn parse(bytes: &str, is_closed: bool) -> Result<Option<usize>, String> {
    Ok(Answer::parse(bytes.as_bytes(), false, is_closed)?.map(|(_, len)| len))
}

#[test]
fn an_answer_is_taken_once_it_is_whole_and_no_byte_behind_it() {
    for (bytes, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "ab"),
        ("HTTP/1.0 200 \r\nA:\tb \r\nContent-Length:0\r\n\r\n", ""),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n",
            "0123456789a",
        ),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", ""),
        ("HTTP/1.1 100 Continue\r\n\r\n", ""),
    ] {
        for len in 0..bytes.len() {
            assert_eq!(parse(&bytes[..len], false), Ok(None), "{:?}", &bytes[..len]);
        }
        let more = format!("{bytes}HTTP/1.1 ");
        let (answer, len) = Answer::parse(more.as_bytes(), false, false).expect(bytes).expect(bytes);
        assert_eq!((answer.text().as_str(), len), (body, bytes.len()), "{bytes:?}");
    }
    let endless = "HTTP/1.1 200 OK\r\n\r\nab";
    assert_eq!((parse(endless, false), parse(endless, true)), (Ok(None), Ok(Some(endless.len()))));
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let to_head = Answer::parse(head.as_bytes(), true, false);
    assert_eq!(to_head.expect("a head").map(|(_, len)| len), Some(head.len()));
}

#[test]
fn what_is_malformed_is_no_answer() {
    for head in [
        "HTTP/1.1 200",
        "HTTP/2 200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 +20 OK",
        "HTTP/1.1 999 OK",
        "HTTP/1.1 200 OK\nA: b",
        "HTTP/1.1 200 OK\r\nA : b",
        "HTTP/1.1 200 OK\r\n: b",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded",
        "HTTP/1.1 200 OK\r\nA: b\rc",
        "HTTP/1.1 200 OK\r\nContent-Length: +1",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
    ] {
        assert!(parse(&format!("{head}\r\n\r\na"), true).is_err(), "{head:?}");
    }
    for chunks in ["\r\n", "x\r\n", "+1\r\na\r\n", "1;a=b\r\na\r\n", "1\r\nab\r\n", "0\r\nA: b\r\n\r\n"] {
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        assert!(parse(&answer, false).is_err(), "{chunks:?}");
    }
}
