//! What the operating system could give away: no core dumps, a process that others can't look into, and no copy of a value
//! left in memory once it was stored and used.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use serde_json::json;

use crate::client::{Client, until};
use crate::home::{Engine, Home, on_both_stores};
use crate::leaks;
use crate::server::{Launch, Server, TOKEN};
use crate::target::{Reply, Target, response};

/// Put together at run time, so that it stands in no program text.
fn unlikely(part: &str) -> String {
    format!("{part}-{}-{part}", "qZ7x".repeat(6))
}

/// What of the process' memory can be read.
enum Memory {
    /// Where these values stand, if anywhere, and how many bytes were looked through.
    Read(Vec<String>, u64),
    /// The operating system lets nobody look, which is what was asked of it.
    Refused,
}

fn memory(server: &Server, planted: &[leaks::Planted]) -> Memory {
    let process = format!("/proc/{}", server.process.pid().as_raw_nonzero());
    let maps = match std::fs::read_to_string(format!("{process}/maps")) {
        Ok(maps) => maps,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Memory::Refused,
        Err(error) => panic!("{error}"),
    };
    let memory = match File::open(format!("{process}/mem")) {
        Ok(memory) => memory,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Memory::Refused,
        Err(error) => panic!("{error}"),
    };
    let (mut found, mut looked_at) = (Vec::new(), 0);
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, access) = (words.next().unwrap(), words.next().unwrap());
        let name = words.nth(3).unwrap_or("anonymous");
        if !access.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let at = |text| u64::from_str_radix(text, 16).unwrap();
        let (from, to) = (at(from), at(to));
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        // A range that went away meanwhile, or is not there yet.
        let Ok(count) = memory.read_at(&mut bytes, from) else {
            continue;
        };
        looked_at += count as u64;
        let place = format!("{name} {range}");
        for (value, needle) in planted {
            let hits = memchr::memmem::find_iter(&bytes[..count], needle);
            for hit in hits {
                let around = &bytes[hit.saturating_sub(80)..(hit + needle.len() + 60).min(count)];
                found.push(format!(
                    "{value} in {place} at +{hit}: {:?}",
                    String::from_utf8_lossy(around)
                ));
            }
        }
    }
    Memory::Read(found, looked_at)
}

on_both_stores!(no_copy_of_a_value_outlives_its_use);

async fn no_copy_of_a_value_outlives_its_use(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let server = Launch::of(&home).start().await;
    let (first, second, third) = (unlikely("first"), unlikely("second"), unlikely("third"));
    // The target echoes all it is sent and closes the connection, so no buffer of an open one remains.
    let target = Target::new(|seen| {
        let echo = [
            seen.raw_header("authorization"),
            seen.path.as_bytes(),
            &seen.body,
        ]
        .join(&b' ');
        Reply::Close(response(200, "Connection: close\r\n", &echo))
    })
    .await;
    // A connection of its own for each caller that has to do with values: it ends with the client.
    let values = Client::new(format!("http://{}", server.address), Some(TOKEN));
    let stored = values.secret("FIRST", home.plant("FIRST", &first)).await;
    values.secret("SECOND", home.plant("SECOND", &second)).await;
    // In JSON it is escaped, so the parser makes a copy of its own.
    let escaped = third.replace('-', "\\u002d");
    let body = format!("{{\"name\":\"THIRD\",\"value\":\"{escaped}\"}}");
    home.plant("THIRD", &third);
    values
        .call("POST", "/v1/secrets")
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .expect(201);
    values
        .get(&format!("/v1/secrets/{stored}/value"))
        .await
        .expect(200);
    let job = server
        .client
        .manual(
            "sends all",
            json!({"url": target.url("/?q={{secret.SECOND}}"), "method": "POST",
                "headers": {"Authorization": "Bearer {{secret.FIRST}}"}, "body": "b={{secret.THIRD}}&f={{secret.FIRST}}"}),
        )
        .await;
    for _ in 0..3 {
        assert_eq!(server.client.run(&job).await["status"], "succeeded");
    }
    assert!(
        target
            .seen()
            .iter()
            .all(|seen| seen.text().contains(&third))
    );
    drop(values);
    let planted: Vec<leaks::Planted> = [("FIRST", &first), ("SECOND", &second), ("THIRD", &third)]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .into();
    let mut last = Vec::new();
    let look = || {
        let found = memory(&server, &planted);
        last.clear();
        let clean = match found {
            Memory::Refused => true,
            Memory::Read(found, looked_at) => {
                assert!(looked_at > 1_000_000, "{looked_at}");
                last.extend(found);
                last.is_empty()
            }
        };
        // What is said last, should it never be clean.
        eprintln!("{}", last.join("\n"));
        let answered = server.client.get("/healthz");
        async move {
            answered.await.expect(200);
            clean.then_some(())
        }
    };
    until("no value stands in the process' memory", look).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_leaves_no_core_and_can_not_be_looked_into() {
    let server = Server::new(Engine::Sqlite).await;
    let process = format!("/proc/{}", server.process.pid().as_raw_nonzero());
    let limits = std::fs::read_to_string(format!("{process}/limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let words: Vec<_> = core.split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{core}");
    // The files of a process that may not be dumped belong to root, whoever runs it.
    let owner =
        std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(format!("{process}/mem")).unwrap());
    assert_eq!(owner, 0);
    let own = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self/mem").unwrap());
    if own != 0 {
        let refused = File::open(format!("{process}/mem")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    }
}
