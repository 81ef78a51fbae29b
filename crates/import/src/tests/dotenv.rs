//! `.env` files.

use padclock_vault::Value;

use super::{find, options, plan, told};
use crate::dotenv::{entries, reference};
use crate::{Format, Options, read};

#[test]
fn values_are_read_as_the_common_readers_read_them() {
    let cases = [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("  A = b  ", "b"),
        ("A=b # comment", "b"),
        ("A=b#c", "b#c"),
        ("A=", ""),
        ("A=#c", ""),
        ("A='b # c' # d", "b # c"),
        ("A='b\\n'", "b\\n"),
        ("A=\"b\\n\\t\\\"c\\\" \\$d \\x\"", "b\n\t\"c\" $d \\x"),
        ("A=\"two\nlines\"", "two\nlines"),
        ("A='two\nlines'", "two\nlines"),
        ("A=`b 'c' \"d\"`", "b 'c' \"d\""),
        ("A=b=c==", "b=c=="),
        ("A=$B ${C}", "$B ${C}"),
        ("A=é ü", "é ü"),
        ("A=b\r\n", "b"),
        ("A.b-c=d", "d"),
    ];
    for (text, expected) in cases {
        let (entries, strange) = entries(text);
        assert_eq!((entries.len(), strange.len()), (1, 0), "{text:?}");
        assert_eq!(
            entries[0].value.as_ref().unwrap().as_str(),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn lines_are_counted_through_values_of_several_lines() {
    let (entries, strange) =
        entries("A=\"one\ntwo\nthree\" # x\n\nB=c\n# D=e\nwhat is this\nF=\"open\nG=h\n");
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| (entry.line, entry.name.as_str(), entry.value.is_ok()))
        .collect();
    assert_eq!(
        seen,
        [
            (1, "A", true),
            (5, "B", true),
            (8, "F", false),
            (9, "G", true)
        ]
    );
    assert_eq!(strange, [7]);
}

#[test]
fn credentials_become_secrets_of_the_variables_names() {
    let text = "STRIPE_KEY=sk_live_abc\nDB_PASSWORD='p q r'\nDB_HOST=db.test\nTOKEN_URL=https://a.test/\nSHORT_TOKEN=abc\nREFERRED_TOKEN=secret://other\nSTRIPE_KEY=sk_live_def\n";
    let made = plan(text, Format::Env);
    assert_eq!(
        told(&made),
        "secret DB_PASSWORD (line 2)\nsecret STRIPE_KEY (line 7)\n\
         left out line 5: its value has 3 bytes; a secret has 4 to 65536\n\
         note line 6: it names a secret already\n\
         note : 2 lines look like settings, not like credentials, and are left where they are; --all takes them too"
    );
    assert_eq!(made.secrets[1].value, Value::new("sk_live_def"));
    let all = Options {
        all: true,
        environment: Some("staging"),
        ..options()
    };
    let made = read(text, Format::Env, &all, &find).unwrap();
    assert_eq!(made.secrets.len(), 4);
    assert!(
        made.secrets
            .iter()
            .all(|secret| secret.environment.as_deref() == Some("staging"))
    );
}

#[test]
fn references_are_told_from_values() {
    assert_eq!(reference("secret://stripe-key"), Some("stripe-key"));
    assert_eq!(reference("{{secret.STRIPE_KEY}}"), Some("STRIPE_KEY"));
    assert_eq!(reference("{{ secret.STRIPE_KEY }}"), Some("STRIPE_KEY"));
    for text in [
        "",
        "secret://",
        "secret://a.",
        "x secret://a",
        "secret://a b",
        "{{secret.}}",
        "{{now}}",
        "{{secret.a | base64}}",
    ] {
        assert_eq!(reference(text), None, "{text}");
    }
}
