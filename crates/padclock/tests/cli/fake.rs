//! A server that answers what it is told to and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;

/// The one token that is right.
pub(crate) const TOKEN: &str = "pck_7fKq2TESTTOKENtoken0000000000xyz";

/// A request, as a case file shows it.
struct Asked {
    line: String,
    authorization: String,
}

/// A fake server, on a port of its own.
pub(crate) struct Fake {
    pub(crate) url: String,
    asked: mpsc::Receiver<Asked>,
}

impl Fake {
    /// Answers with `replies`, one after the other, and with 500 when they are used up.
    pub(crate) fn start(replies: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, asked) = mpsc::channel();
        std::thread::spawn(move || {
            let mut replies = replies.into_iter();
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let Some(request) = read(&stream) else {
                    continue;
                };
                if tell.send(request).is_err() {
                    return;
                }
                answer(
                    stream,
                    &replies
                        .next()
                        .unwrap_or_else(|| r#"500 {"unexpected":"request"}"#.to_owned()),
                );
            }
        });
        Self { url, asked }
    }

    /// What it was asked so far; each with the right token.
    pub(crate) fn requests(&self) -> Vec<String> {
        let check = |asked: Asked| {
            assert_eq!(
                asked.authorization,
                format!("Bearer {TOKEN}"),
                "the token is shown as it is"
            );
            asked.line
        };
        self.asked.try_iter().map(check).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let (method, rest) = first.split_once(' ')?;
    let path = rest.split(' ').next()?;
    let (mut length, mut authorization, mut conditions) = (0, String::new(), String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => value.clone_into(&mut authorization),
            name @ ("if-match" | "if-none-match") => conditions += &format!(" [{name}: {value}]"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = match serde_json::from_slice::<serde_json::Value>(&body) {
        Ok(json) => format!(" {json}"),
        Err(_) => String::from_utf8(body).unwrap(),
    };
    Some(Asked {
        line: format!("{method} {path}{conditions}{body}"),
        authorization,
    })
}

/// Writes a reply like `200 [ETag: "1"] @secret`.
fn answer(mut stream: TcpStream, reply: &str) {
    let (status, mut rest) = reply.split_once(' ').unwrap_or((reply, ""));
    let mut headers = String::new();
    while let Some((header, after)) = rest.strip_prefix('[').and_then(|rest| {
        rest.split_once("] ")
            .or(rest.strip_suffix(']').map(|all| (all, "")))
    }) {
        headers += &format!("{header}\r\n");
        rest = after;
    }
    let body = match rest.strip_prefix('@') {
        Some(name) => fixture(name),
        None => rest.to_owned(),
    };
    let length = body.len();
    // A client that has gone has what it wanted.
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    );
}

/// A file in `replies`.
fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/replies");
    std::fs::read_to_string(folder.join(name).with_extension("json")).unwrap()
}
