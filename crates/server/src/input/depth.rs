//! How deep JSON is nested, told by its brackets before anything is parsed.

/// The deepest nesting of arrays and objects; brackets within strings do not count.
pub(super) fn of(raw: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in raw {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn brackets_in_strings_do_not_count() {
        let table: [(&str, usize); 7] = [
            ("", 0),
            ("1", 0),
            ("{}", 1),
            (r#"{"a": [1, {"b": 2}], "c": []}"#, 3),
            (r#"["[[[["]"#, 1),
            (r#"["\"[[", [1]]"#, 2),
            (r#"["\\", [1]]"#, 2),
        ];
        for (json, depth) in table {
            assert_eq!(of(json.as_bytes()), depth, "{json}");
        }
    }
}
