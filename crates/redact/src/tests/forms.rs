//! Every form that the redaction contract names, each written by an encoder that others use where there is one.

use std::borrow::Cow;

use ::base64::Engine as _;
use ::base64::engine::GeneralPurpose;
use ::base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode};

use super::{KEY, gone, key, redacted};
use crate::Redactor;

#[test]
fn raw_and_hex() {
    let digits: String = KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
    for text in [KEY, &digits, &digits.to_uppercase()] {
        gone(&key(), text);
    }
}

#[test]
fn percent_encoding() {
    const SPACE_AND_UP: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'%');
    let most = percent_encode(KEY.as_bytes(), NON_ALPHANUMERIC).to_string();
    let few = percent_encode(KEY.as_bytes(), SPACE_AND_UP).to_string();
    let all: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let form = most.replace("%20", "+");
    for text in [
        &most,
        &few,
        &all,
        &form,
        &most.to_lowercase(),
        &all.to_lowercase(),
        &most.replace("%3C", "%3c"),
    ] {
        gone(&key(), text);
    }
    // URL parsers keep a percent sign that is there already.
    gone(&key(), &few.replace("%25", "%"));
}

#[test]
fn form_encoded_spaces_alone() {
    let redactor = Redactor::new([("KEY", b"correct horse battery".as_slice())]);
    for text in [
        "correct+horse+battery",
        "correct%20horse+battery",
        "correct horse%20battery",
    ] {
        gone(&redactor, text);
    }
}

#[test]
fn json_strings() {
    let plain = serde_json::to_string(KEY).unwrap();
    let plain = plain.trim_matches('"');
    let slashes = plain.replace('/', "\\/");
    let html = slashes
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003E");
    let ascii = html
        .replace('é', "\\u00e9")
        .replace('😀', "\\ud83d\\uDE00")
        .replace("\\t", "\\u0009");
    let units: String = KEY
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04X}"))
        .collect();
    for text in [
        plain,
        &slashes,
        &html,
        &ascii,
        &units,
        &units.to_lowercase().replace("\\U", "\\u"),
    ] {
        gone(&key(), text);
    }
}

#[test]
fn entities() {
    let named = KEY
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let quoted = named.replace('"', "&quot;");
    let wide = quoted.replace('é', "&eacute;").replace('\'', "&apos;");
    for text in [
        &named,
        &quoted,
        &wide,
        &quoted.replace('\'', "&#39;"),
        &quoted.replace('\'', "&#x27;"),
        &quoted.replace('\'', "&#0039;"),
        &quoted.replace('\'', "&#X00000027;"),
        &quoted.replace('😀', "&#128512;").replace('é', "&#xE9;"),
        &KEY.chars()
            .map(|c| format!("&#{};", u32::from(c)))
            .collect(),
        &KEY.chars()
            .map(|c| format!("&#x{:x};", u32::from(c)))
            .collect(),
    ] {
        gone(&key(), text);
    }
}

#[test]
fn shells_and_quoted_literals() {
    let backslashed: String = KEY
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '\t' {
                c.to_string()
            } else {
                format!("\\{c}")
            }
        })
        .collect();
    let octal: String = KEY.bytes().map(|byte| format!("\\{byte:03o}")).collect();
    let bytes: String = KEY.bytes().map(|byte| format!("\\x{byte:02X}")).collect();
    let long: String = KEY
        .chars()
        .map(|c| format!("\\U{:08x}", u32::from(c)))
        .collect();
    for text in [
        &KEY.replace('\'', r"'\''"),
        &KEY.replace('\'', r#"'"'"'"#),
        &KEY.replace('\'', "''"),
        &backslashed,
        &octal,
        &bytes,
        &bytes.to_lowercase(),
        &long,
        &KEY.escape_default().to_string(),
        &KEY.escape_debug().to_string(),
        &KEY.escape_unicode().to_string(),
        &KEY.as_bytes().escape_ascii().to_string(),
        &KEY.replace('\\', "\\\\")
            .replace('\t', "\\t")
            .replace('é', "\\xe9"),
    ] {
        gone(&key(), text);
    }
}

#[test]
fn multi_line_values() {
    let pem =
        "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\r\nBAQEFAASCBKcw==\n-----END KEY-----\n";
    let redactor = Redactor::new([("KEY", pem.as_bytes())]);
    let trimmed = pem.replace('\r', "").trim().to_owned();
    for end in [
        "\n", "\r\n", "\r\r\n", " ", "\\n", "\\r\\n", "%0A", "%0d%0a", "&#10;",
    ] {
        gone(&redactor, &trimmed.replace('\n', end));
    }
    gone(&redactor, &STANDARD.encode(trimmed.replace('\n', "\r\n")));
    gone(&redactor, "MIIEvQIBADANBgkqhkiG9w0");
    assert_eq!(
        redacted(&redactor, b"prefix BAQEFAASCBKcw==,"),
        "prefix [REDACTED:KEY],"
    );
}

#[test]
fn leaves_of_a_json_value() {
    let json = r#"{"type": "service", "private_key": "line one of it\nline two of it", "n": [1, ["nested\u0026leaf"]]}"#;
    let redactor = Redactor::new([("KEY", json.as_bytes())]);
    for text in [
        "nested&leaf",
        "nested%26leaf",
        "line one of it\nline two of it",
        "line two of it",
        "service",
        json,
    ] {
        gone(&redactor, text);
    }
    assert!(matches!(
        redactor.redact(b"{\"private_key\": [1]}"),
        Cow::Borrowed(_)
    ));
}

const ENGINES: [GeneralPurpose; 4] = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];

#[test]
fn base64_of_the_value_alone() {
    for len in 8..40 {
        let value: Vec<u8> = (0..len).map(|at| 0xf7u8.wrapping_mul(at + 3)).collect();
        let redactor = Redactor::new([("KEY", value.as_slice())]);
        for engine in ENGINES {
            gone(&redactor, &engine.encode(&value));
        }
    }
}

/// Two values at the same place must give the same output, or something of them is left.
#[test]
fn no_bit_survives_at_the_edges_of_base64() {
    for len in 8..24 {
        let values =
            [0u8, 0xff, 0xa5].map(|bits| (1..=len).map(|at: u8| bits ^ at).collect::<Vec<u8>>());
        for (before, after) in (0..4).flat_map(|before| (0..4).map(move |after| (before, after))) {
            for engine in ENGINES {
                let outputs = values.each_ref().map(|value| {
                    let whole = [&b"user"[..before], value, &b"tail"[..after]].concat();
                    redacted(
                        &Redactor::new([("KEY", value.as_slice())]),
                        engine.encode(whole).as_bytes(),
                    )
                });
                assert!(outputs[0].contains("[REDACTED:KEY]"));
                assert!(
                    outputs.iter().all(|output| *output == outputs[0]),
                    "{outputs:?}"
                );
            }
        }
    }
}

#[test]
fn base64_in_lines_at_every_phase() {
    let value = b"0123456789 a value over more than two lines when it is encoded, \xff\xfe\xfd\xfc\xfb\xfa of course";
    for value in [&value[..], &value[..8], &value[54..80]] {
        let redactor = Redactor::new([("KEY", value)]);
        for (before, width, end) in (0..60).flat_map(|before| {
            [64, 76]
                .into_iter()
                .flat_map(move |width| ["\n", "\r\n"].map(|end| (before, width, end)))
        }) {
            let whole = [&vec![b'-'; before], value, b"after it"].concat();
            let lines = STANDARD.encode(&whole);
            let lines = lines
                .as_bytes()
                .chunks(width)
                .map(|line| str::from_utf8(line).unwrap());
            let text = lines.collect::<Vec<_>>().join(end);
            let output = redacted(&redactor, text.as_bytes()).replace(end, "");
            let kept = STANDARD.encode(&whole[..before]);
            let kept = &kept[..8 * before / 6];
            assert!(
                output.starts_with(&format!("{kept}[REDACTED:KEY]")),
                "{before} {width} {output}"
            );
            assert!(output.len() <= kept.len() + 14 + 13, "{output}");
        }
    }
}
