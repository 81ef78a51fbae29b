//! Lines as `sh` splits them, and those that are more than one command.

use super::{Piece, Sink, read};

/// The words of a line, `$NAME` where a variable stands.
fn words(line: &str) -> Result<Vec<String>, &'static str> {
    let shown = |piece: &Piece| match piece {
        Piece::Text(text) => text.to_string(),
        Piece::Variable { name, quoted } => format!("<{name}{}>", if *quoted { "\"" } else { "" }),
    };
    let line = read(line)?;
    Ok(line
        .words
        .iter()
        .map(|word| word.0.iter().map(shown).collect())
        .collect())
}

#[test]
fn words_are_split_as_a_shell_splits_them() {
    let cases: &[(&str, &[&str])] = &[
        ("curl https://a.test/", &["curl", "https://a.test/"]),
        (r#"a 'b c' "d e" f\ g"#, &["a", "b c", "d e", "f g"]),
        (r#"a 'it'\''s' "say \"hi\"" "#, &["a", "it's", "say \"hi\""]),
        (r#"a "\n \$ \\ \`" '\n'"#, &["a", "\\n $ \\ `", "\\n"]),
        (r#"a x"y"'z' '' """#, &["a", "xyz", "", ""]),
        (
            "a $KEY \"b $KEY\" '${KEY}' ${KEY}x",
            &["a", "<KEY>", "b <KEY\">", "${KEY}", "<KEY>x"],
        ),
        ("a 5$ $ \"$\"", &["a", "5$", "$", "$"]),
        ("a b # comment 'open", &["a", "b"]),
        ("a b#c", &["a", "b#c"]),
        ("A=1 B='2 3' a b=c", &["a", "b=c"]),
        ("a b >/dev/null 2>&1", &["a", "b"]),
        ("a b &>/dev/null", &["a", "b"]),
        ("a 2>>/tmp/x b", &["a", "b"]),
        ("a b || true", &["a", "b"]),
        ("a b || exit 0", &["a", "b"]),
        ("a b; true ;", &["a", "b"]),
        ("cd /srv && a b", &["a", "b"]),
        ("a b &", &["a", "b"]),
        ("a {b} {\"x\":1}", &["a", "{b}", "{x:1}"]),
        ("a b\\", &["a", "b\\"]),
        ("a é 'ü ß'", &["a", "é", "ü ß"]),
    ];
    for (line, expected) in cases {
        assert_eq!(
            words(line).as_deref(),
            Ok(&expected
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()[..]),
            "{line}"
        );
    }
}

#[test]
fn what_only_a_shell_can_work_out_is_refused() {
    let cases = [
        ("a | b", "piped"),
        ("a $(b)", "substitution"),
        ("a `b`", "substitution"),
        ("a \"`b`\"", "substitution"),
        ("a \"$(b)\"", "substitution"),
        ("a $((1+1))", "substitution"),
        ("a ${B:-c}", "parameter"),
        ("a $1", "parameter"),
        ("a $?", "parameter"),
        ("a \"$@\"", "parameter"),
        ("a $'b'", "quote"),
        ("a && b", "more than one"),
        ("a; b", "more than one"),
        ("a || b", "more than one"),
        ("true && a && b", "more than one"),
        ("a\nb", "more than one"),
        ("a https://x.test/?b=1&c=2", "outside of quotes"),
        ("a 'b", "never closed"),
        ("a \"b\\\"", "never closed"),
        ("(a b)", "construct"),
        ("if a", "construct"),
        ("[ -f x ] && a b", "construct"),
        ("a < b", "reads a file"),
        ("a << END", "reads a file"),
        ("a >", "names no file"),
        ("A=1", "only sets"),
        ("", "does nothing"),
        ("# a", "does nothing"),
        ("true", "does nothing"),
        ("a {b,c}", "braces"),
        ("a {1..3}", "braces"),
    ];
    for (line, reason) in cases {
        let told = words(line).expect_err(line);
        assert!(told.contains(reason), "{line}: {told}");
    }
}

#[test]
fn where_the_output_goes_is_known() {
    let sink = |line| read(line).unwrap().sink;
    assert_eq!(sink("a > /dev/null"), None);
    assert_eq!(sink("a 2>/tmp/err"), None);
    assert_eq!(sink("a >> /tmp/out"), Some(Sink::Log));
    assert_eq!(sink("a > /var/log/a.log 2>&1"), Some(Sink::Log));
    assert_eq!(sink("a > /tmp/dump.gz"), Some(Sink::File));
}
