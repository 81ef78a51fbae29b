//! Every escape, read and cut short.

use super::*;

fn readings(text: &str) -> Vec<(Vec<u8>, usize)> {
    let mut all = Vec::new();
    each(text.as_bytes(), |unit| {
        all.push((unit.bytes().to_vec(), unit.len))
    });
    all
}

/// Texts that are one escape from end to end, and what it stands for.
const WHOLE: [(&str, &str); 45] = [
    ("%41", "A"),
    ("%2f", "/"),
    ("%2F", "/"),
    ("+", " "),
    (r"'\''", "'"),
    (r#"'"'"'"#, "'"),
    ("''", "'"),
    (r"\u0026", "&"),
    (r"\u00E9", "é"),
    (r"\u20ac", "€"),
    (r"\ud83d\ude00", "😀"),
    (r"\uD83D\uDE00", "😀"),
    (r"\u{26}", "&"),
    (r"\u{1f600}", "😀"),
    (r"\u{00001F6}", "Ƕ"),
    (r"\U0001F600", "😀"),
    (r"\x26", "&"),
    (r"\/", "/"),
    (r"\n", "\n"),
    (r"\t", "\t"),
    (r"\r", "\r"),
    (r"\a", "\x07"),
    (r"\b", "\x08"),
    (r"\v", "\x0b"),
    (r"\f", "\x0c"),
    (r"\e", "\x1b"),
    (r"\E", "\x1b"),
    (r"\\", "\\"),
    (r#"\""#, "\""),
    (r"\'", "'"),
    (r"\$", "$"),
    (r"\ ", " "),
    (r"\!", "!"),
    (r"\046", "&"),
    (r"\46", "&"),
    (r"\0", "\0"),
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&#00000039;", "'"),
    ("&eacute;", "é"),
    ("&#128512;", "😀"),
    ("&euro;", "€"),
];

#[test]
fn whole_escapes() {
    for (text, value) in WHOLE {
        assert!(begins(text.as_bytes()[0]));
        assert!(text.len() <= LONGEST);
        let whole = (value.as_bytes().to_vec(), text.len());
        assert!(readings(text).contains(&whole), "{text}");
        assert!(
            readings(&format!("{text}41;")).contains(&whole),
            "{text} followed by more"
        );
    }
}

#[test]
fn an_escape_cut_short_may_begin() {
    for (text, _) in WHOLE {
        for cut in 1..text.len() {
            assert!(may_begin(&text.as_bytes()[..cut]), "{text} cut to {cut}");
        }
    }
}

#[test]
fn several_readings() {
    assert_eq!(
        readings(r"\101"),
        [
            (b"\x01".to_vec(), 2),
            (b"\x08".to_vec(), 3),
            (b"A".to_vec(), 4)
        ]
    );
    assert_eq!(
        readings(r"\xe9"),
        [(b"\xe9".to_vec(), 4), ("é".as_bytes().to_vec(), 4)]
    );
    assert_eq!(
        readings(r"\777"),
        [(b"\x07".to_vec(), 2), (b"\x3f".to_vec(), 3)]
    );
}

#[test]
fn what_is_no_escape() {
    for text in [
        "",
        "A",
        "%",
        "%4",
        "%4g",
        "%+1",
        "%-1",
        "'",
        "'a",
        "\\",
        r"\u",
        r"\u12",
        r"\u12g4",
        r"\ud83d",
        r"\ud83dxxxxxx",
        r"\ud83d\u0041",
        r"\ude00",
        r"\u{}",
        r"\u{110000}",
        r"\u{26",
        r"\U1234",
        r"\U00110000",
        r"\x4",
        r"\xg1",
        r"\q",
        r"\9",
        "&",
        "&amp",
        "&;",
        "&#;",
        "&#x;",
        "&#x110000;",
        "&unknown;",
        "&#000000039;",
    ] {
        assert_eq!(readings(text), [], "{text}");
    }
}

#[test]
fn digits_are_digits() {
    assert_eq!(digits(b"ff", 16), Some(255));
    assert_eq!(digits(b"ffffffff", 16), Some(u32::MAX));
    for text in ["", "+1", "-1", "0x1", "fffffffff"] {
        assert_eq!(digits(text.as_bytes(), 16), None, "{text}");
    }
}

#[test]
fn whole_escapes_and_plain_text_begin_nothing() {
    for text in [
        "",
        "a",
        "%41",
        "%zz",
        "%4g",
        "+",
        r"'\''x",
        "&a b",
        "&#x26;",
        "\\u0026 ",
        r"\ud83d\ude00",
    ] {
        assert!(!may_begin(text.as_bytes()), "{text}");
    }
}
