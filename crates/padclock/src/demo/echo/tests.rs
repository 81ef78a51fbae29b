//! What the target answers holds the value in each line, and the search finds it in each: so there is something to redact.

use super::super::forms;
use super::super::search::Search;
use super::super::value::Planted;
use super::*;

#[test]
fn every_line_of_every_answer_holds_the_value() {
    let value = Planted::control().unwrap();
    let search = Search::new(&forms::all(value.text()));
    let query = format!(
        "key={}",
        percent_encode(value.text().as_bytes(), NON_ALPHANUMERIC)
    );
    let body = serde_json::json!({ "account": "acme", "key": value.text() }).to_string();
    let heard = Heard {
        authorization: value.text().as_bytes(),
        query: query.as_bytes(),
        body: body.as_bytes(),
    };
    for number in 0..6 {
        let answer = answer(&heard, number);
        let lines: Vec<&[u8]> = answer
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .collect();
        assert!(lines.len() >= 3, "answer {number}");
        for line in lines {
            assert!(
                search.find(line).is_some(),
                "answer {number}, {}",
                String::from_utf8_lossy(&line[..8])
            );
        }
    }
}

#[test]
fn json_in_ascii_is_json() {
    let text = "é\"\\ß😀x";
    let written = json_in_ascii(text.as_bytes());
    assert!(written.is_ascii());
    assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
}
