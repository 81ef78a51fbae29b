//! The answer that jobs get.

use super::{ANSWER, KEY, answer};

#[test]
fn the_answer_is_json_of_the_right_size_and_holds_no_secret() {
    let answer = answer();
    assert_eq!(answer.len(), ANSWER);
    assert!(!answer.contains(KEY));
    let json: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert!(json["items"].as_array().unwrap().len() > 5);
}
