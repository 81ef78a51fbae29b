//! What each variable and each filter gives, against published vectors.

use crate::support::{Safe, body_of, derived_of, env, post, render, render_env, safe};

fn filled(template: &str, safe: &Safe) -> String {
    body_of(&render(&post("text/plain", template.into()), safe).unwrap())
}

#[test]
fn variables_have_their_values() {
    let table = [
        ("{{now}}", "2026-03-09T15:00:00Z"),
        ("{{now_unix}}", "1773068400"),
        ("{{last_run}}", "2026-03-09T14:00:00Z"),
        ("{{job_name}}", "daily report"),
        ("{{job_id}}", "cj_1"),
        ("{{execution_id}}", "exec_1"),
        (
            "{{random_uuid}} {{random_uuid}}",
            "550e8400-e29b-41d4-a716-446655440000 550e8400-e29b-41d4-a716-446655440000",
        ),
        ("{{scheduled_for}}", "2026-03-09T15:00:00.000Z"),
        ("{{attempt}}", "2"),
        ("{{environment}}", "production"),
        ("{{workspace}}", "default"),
        ("{{env.REGION}}", "eu"),
        ("{{secret.A}}", "val"),
        ("{{{{secret.A}} {{secret.A}}", "{{secret.A}} val"),
    ];
    let env = env(&[("REGION", "eu")]);
    for (template, expected) in table {
        let rendered = render_env(&post("", template.into()), &safe("A", "val"), &env).unwrap();
        assert_eq!(body_of(&rendered), expected, "{template}");
    }
}

#[test]
fn filters_give_what_their_standards_say() {
    // RFC 4648 section 10; RFC 3986 section 2.3; RFC 8259 section 7.
    let table: &[(&str, &[u8], &str)] = &[
        ("base64", b"", ""),
        ("base64", b"f", "Zg=="),
        ("base64", b"fo", "Zm8="),
        ("base64", b"foo", "Zm9v"),
        ("base64", b"foobar", "Zm9vYmFy"),
        ("base64", b"\xfb\xff\xfe", "+//+"),
        ("hex", b"foobar", "666f6f626172"),
        ("hex", b"\x00\xff", "00ff"),
        (
            "urlencode",
            b"a b&c=d/e?f+g%h~i-j_k.l",
            "a%20b%26c%3Dd%2Fe%3Ff%2Bg%25h~i-j_k.l",
        ),
        ("urlencode", b"\xc3\xa9\xff\x00", "%C3%A9%FF%00"),
        ("json", b"plain", "plain"),
        (
            "json",
            b"a\"b\\c\n\r\t\x08\x0c\x01\x1f/",
            "a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u001f/",
        ),
        ("json", "é\u{2028}".as_bytes(), "é\u{2028}"),
        ("trim", b" \t\r\na b\n ", "a b"),
        ("trim", b"\n", ""),
        ("trim | base64", b"foo\n", "Zm9v"),
        ("base64 | hex", b"foo", "5a6d3976"),
        ("hex | trim | base64 | urlencode", b"f", "NjY%3D"),
    ];
    for (filters, value, expected) in table {
        assert_eq!(
            filled(&format!("{{{{secret.A | {filters}}}}}"), &safe("A", value)),
            *expected,
            "{filters}"
        );
    }
}

#[test]
fn sha256_matches_fips_180() {
    let million = "a".repeat(1_000_000);
    let table: &[(&str, &str)] = &[
        (
            "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            "abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            &million,
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
    ];
    for (value, expected) in table {
        assert_eq!(
            filled("{{secret.A | sha256}}", &safe("A", value)),
            *expected
        );
    }
}

#[test]
fn hmac_sha256_matches_rfc_4231() {
    let key4: Vec<u8> = (1..=25).collect();
    let table: &[(&[u8], &[u8], &str)] = &[
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (&key4, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &[0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    for (key, data, expected) in table {
        let safe = safe("KEY", key).with("DATA", data);
        assert_eq!(
            filled("{{secret.DATA | hmac_sha256(secret.KEY)}}", &safe),
            *expected
        );
    }
}

#[test]
fn what_a_filter_makes_of_a_secret_is_derived() {
    let safe = safe("A", "foo").with("K", "key");
    let table: &[(&str, &[&str])] = &[
        ("{{secret.A}}", &[]),
        ("{{secret.A | base64}}", &["A=Zm9v"]),
        ("{{secret.A | base64 | hex}}", &["A=5a6d3976"]),
        ("{{secret.A | trim}}", &["A=foo"]),
        ("{{job_id | base64}}", &[]),
        (
            "{{secret.A | hex}}{{secret.A | base64}}",
            &["A=666f6f", "A=Zm9v"],
        ),
    ];
    for (template, expected) in table {
        let rendered = render(&post("", (*template).into()), &safe).unwrap();
        assert_eq!(derived_of(&rendered), *expected, "{template}");
    }
    let signed = render(
        &post("", "{{job_id | hmac_sha256(secret.K)}}".into()),
        &safe,
    )
    .unwrap();
    assert_eq!(derived_of(&signed), [format!("K={}", body_of(&signed))]);
}

#[test]
fn the_json_filter_refuses_what_is_no_text() {
    let error = render(
        &post("", "{{secret.A | json}}".into()),
        &safe("A", b"\xff\xfe"),
    )
    .unwrap_err();
    assert_eq!(error.code(), "json_invalid");
    assert!(error.to_string().contains("secret.A"));
}
