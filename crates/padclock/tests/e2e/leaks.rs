//! Whether a planted value stands somewhere, in any of the forms in which it could leave unnoticed.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A value and its name.
pub type Planted = (String, Vec<u8>);

/// The texts that would give the value away: raw, percent-encoded, JSON-escaped, hex, and base64 at each of the three places
/// at which it can stand inside a longer text.
pub fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = value
        .iter()
        .map(|&byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                (byte as char).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let mut forms = vec![
        value.to_vec(),
        hex.to_uppercase().into(),
        hex.into(),
        percent.to_lowercase().into(),
        percent.clone().into(),
    ];
    forms.push(percent.replace("%20", "+").into());
    if let Ok(text) = std::str::from_utf8(value) {
        let quoted = serde_json::to_string(text).unwrap();
        forms.push(quoted[1..quoted.len() - 1].into());
    }
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for offset in 0..3 {
            let shifted = [&[0; 2][..offset], value].concat();
            let text = engine.encode(&shifted).into_bytes();
            // Only the characters that the value alone decides.
            let first = [0, 2, 3][offset];
            let last = shifted.len() / 3 * 4;
            if last > first {
                forms.push(text[first..last].to_vec());
            }
        }
    }
    forms.retain(|form| form.len() >= value.len().min(8));
    forms.sort();
    forms.dedup();
    forms
}

/// Where a value stands in these bytes, as "NAME in PLACE".
pub fn find(planted: &[Planted], place: &str, bytes: &[u8]) -> Vec<String> {
    let stands = |value: &[u8]| {
        forms(value)
            .iter()
            .any(|form| memchr::memmem::find(bytes, form).is_some())
    };
    planted
        .iter()
        .filter(|(_, value)| stands(value))
        .map(|(name, _)| format!("{name} in {place}"))
        .collect()
}

/// Looks through all files of a folder.
pub fn find_in_folder(planted: &[Planted], folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(find_in_folder(planted, &path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.extend(find(planted, &path.display().to_string(), &bytes));
        }
    }
    found
}

#[test]
fn every_form_of_a_value_is_found() {
    let value = "pa ss\"wörd%&<".as_bytes();
    let planted = [("it".to_owned(), value.to_vec())];
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let wrapped = |front: &str| {
        base64::engine::general_purpose::STANDARD
            .encode([front.as_bytes(), value, b"tail"].concat())
    };
    let json = serde_json::to_string(std::str::from_utf8(value).unwrap()).unwrap();
    let percent = "pa%20ss%22w%C3%B6rd%25%26%3C".to_owned();
    for text in [
        hex.to_uppercase(),
        hex,
        wrapped(""),
        wrapped("x"),
        wrapped("xy"),
        json,
        percent.to_lowercase(),
        percent,
    ] {
        assert_eq!(
            find(&planted, "here", format!("before {text} after").as_bytes()),
            ["it in here"],
            "{text}"
        );
    }
    assert!(find(&planted, "here", b"nothing of it: pa ss").is_empty());
}
