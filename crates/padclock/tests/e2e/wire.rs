//! What is no proper HTTP, or stops half-way: the connection ends or is told off, and the node serves the others.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::PATIENCE;
use crate::home::{Engine, on_both_stores};
use crate::server::{Server, TOKEN};

on_both_stores!(broken_calls_harm_nobody);

/// Sends bytes and reads what comes until the node closes the connection or `enough` was read.
async fn answer(server: &Server, bytes: &[u8], enough: &str) -> String {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    // It may be closed before all was sent.
    let _ = stream.write_all(bytes).await;
    let mut read = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&read).contains(enough) {
            if !matches!(stream.read_buf(&mut read).await, Ok(1..)) {
                break;
            }
        }
    };
    let ended = tokio::time::timeout(PATIENCE, reading).await;
    assert!(ended.is_ok(), "neither an answer nor an end");
    String::from_utf8_lossy(&read).into_owned()
}

async fn broken_calls_harm_nobody(engine: Engine) {
    let server = Server::new(engine).await;
    let head = format!(
        "POST /v1/secrets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    );
    let piece = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let endless = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{}",
        piece.repeat(24)
    );
    assert!(
        answer(&server, endless.as_bytes(), "\r\n")
            .await
            .starts_with("HTTP/1.1 413")
    );
    let promised = format!("{head}Content-Length: 99999999999\r\n\r\n{{\"name\"");
    let mut held = TcpStream::connect(&server.address).await.unwrap();
    held.write_all(promised.as_bytes()).await.unwrap();

    let long = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "y".repeat(1024 * 1024)
    );
    for (bytes, statuses) in [
        (
            "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}".to_owned(),
            ["", "HTTP/1.1 400"],
        ),
        ("nonsense\r\n\r\n".to_owned(), ["", "HTTP/1.1 400"]),
        (
            "GET /v1/jobs HTTP/1.1\r\nbad header\r\n\r\n".to_owned(),
            ["", "HTTP/1.1 400"],
        ),
        (
            "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n".to_owned(),
            ["", "HTTP/1.1 400"],
        ),
        (long, ["", "HTTP/1.1 431"]),
    ] {
        let told = answer(&server, bytes.as_bytes(), "\r\n").await;
        let status = told.get(..12).unwrap_or_default();
        assert!(
            statuses.contains(&status),
            "{:.40}: {told}",
            bytes.escape_debug().to_string()
        );
    }
    // Half a call, then gone.
    for end in [4, 20, 60, head.len()] {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(&head.as_bytes()[..end]).await.unwrap();
    }
    drop(held);
    assert!(server.client.all("/v1/secrets").await.is_empty());
    server.client.get("/readyz").await.expect(200);
}
