//! Command lines of curl and wget.

use super::{plan, told};
use crate::Format;

/// What a command becomes, behind its schedule.
fn request(command: &str) -> String {
    let told = told(&plan(
        &format!("0 1 * * * {}\n", command.replace('%', "\\%")),
        Format::Crontab,
    ));
    match told.split_once(": 0 1 * * * ") {
        Some((_, rest)) => rest.to_owned(),
        None => told,
    }
}

fn check(cases: &[(&str, &str)]) {
    for (command, expected) in cases {
        assert_eq!(request(command), *expected, "{command}");
    }
}

#[test]
fn methods_and_bodies_are_curl_s() {
    check(&[
        ("curl a.test", "GET http://a.test"),
        ("curl -sSfL https://a.test/x", "GET https://a.test/x"),
        ("curl -XDELETE https://a.test/x", "DELETE https://a.test/x"),
        ("curl -I https://a.test/", "HEAD https://a.test/"),
        (
            "curl --url https://a.test/ --request PUT",
            "PUT https://a.test/",
        ),
        (
            "curl -d a=1 -d 'b=2 3' https://a.test/",
            "POST https://a.test/\n  Content-Type: application/x-www-form-urlencoded\n  body a=1&b=2 3",
        ),
        (
            "curl -G -d a=1 --data-urlencode 'q=x y&z' https://a.test/?p=0",
            "GET https://a.test/?p=0&a=1&q=x%20y%26z",
        ),
        (
            "curl --json '{\"a\":1}' https://a.test/",
            "POST https://a.test/\n  Accept: application/json\n  Content-Type: application/json\n  body {\"a\":1}",
        ),
        (
            "curl -d '{\"a\":1}' https://a.test/",
            "POST https://a.test/\n  Content-Type: application/json\n  body {\"a\":1}\n  note its body is JSON and was sent as a form; it is sent as application/json now",
        ),
        (
            "curl -d hello https://a.test/",
            "POST https://a.test/\n  Content-Type: text/plain\n  body hello",
        ),
        (
            "curl --data-raw @x=1 https://a.test/",
            "POST https://a.test/\n  Content-Type: application/x-www-form-urlencoded\n  body @x=1",
        ),
        (
            "curl -A 'me/1' -e https://r.test/ https://a.test/",
            "GET https://a.test/\n  Referer: https://r.test/\n  User-Agent: me/1",
        ),
    ]);
    check(&[
        (
            "curl -H 'Accept:' -H 'X-Empty;' https://a.test/",
            "GET https://a.test/\n  X-Empty: ",
        ),
        (
            "curl -k https://a.test/",
            "GET https://a.test/\n  note it did not check the server's certificate; a job always does",
        ),
        ("curl 'https://a.test/#fragment'", "GET https://a.test/"),
        ("curl -- https://a.test/", "GET https://a.test/"),
        (
            "curl -w '\\n' -o /dev/null -D - --connect-timeout 5 --no-progress-meter https://a.test/",
            "GET https://a.test/",
        ),
    ]);
}

#[test]
fn what_stands_where_a_credential_stands_becomes_a_secret() {
    let https = |places: &str| format!("[\"https\"] [\"api.acme.test\"] [443] [\"{places}\"]");
    let cases = [
        (
            "curl -u ann:hunter22 https://api.acme.test/",
            format!(
                "GET https://api.acme.test/\n  auth {{\"basic\":{{\"username\":\"ann\",\"password\":\"{{{{secret.acme-password}}}}\"}}}}\nsecret acme-password (line 1) {}",
                https("auth")
            ),
        ),
        (
            "curl https://ann:hunt%40r22@api.acme.test/",
            format!(
                "GET https://api.acme.test/\n  auth {{\"basic\":{{\"username\":\"ann\",\"password\":\"{{{{secret.acme-password}}}}\"}}}}\nsecret acme-password (line 1) {}",
                https("auth")
            ),
        ),
        (
            "curl -H 'Authorization: Basic YW5uOmh1bnRlcjIy' https://api.acme.test/",
            format!(
                "GET https://api.acme.test/\n  auth {{\"basic\":{{\"username\":\"ann\",\"password\":\"{{{{secret.acme-password}}}}\"}}}}\nsecret acme-password (line 1) {}",
                https("auth")
            ),
        ),
        (
            "curl --oauth2-bearer abcdef https://api.acme.test/",
            format!(
                "GET https://api.acme.test/\n  auth {{\"bearer\":{{\"token\":\"{{{{secret.acme-token}}}}\"}}}}\nsecret acme-token (line 1) {}",
                https("auth")
            ),
        ),
        (
            "curl -H 'X-Api-Key: abcdef' https://api.acme.test/",
            format!(
                "GET https://api.acme.test/\n  X-Api-Key: secret://acme-api-key\nsecret acme-api-key (line 1) {}",
                https("header")
            ),
        ),
        (
            "curl -H 'Authorization: Token  abcdef' https://api.acme.test/",
            format!(
                "GET https://api.acme.test/\n  Authorization: Token  secret://acme-token\nsecret acme-token (line 1) {}",
                https("header")
            ),
        ),
        (
            "curl 'https://api.acme.test/x?a=1&api_key=ab%2Fcd+e&b'",
            format!(
                "GET https://api.acme.test/x?a=1&api_key={{{{secret.acme-api-key}}}}&b\nsecret acme-api-key (line 1) {}",
                https("query")
            ),
        ),
        (
            "curl -d 'user=ann&password=p%20q%26r' https://api.acme.test/",
            format!(
                "POST https://api.acme.test/\n  Content-Type: application/x-www-form-urlencoded\n  body user=ann&password={{{{secret.acme-password}}}}\nsecret acme-password (line 1) {}",
                https("body")
            ),
        ),
        (
            "curl --json '{ \"token\" : \"a\\\"bcdef\", \"n\":[1, \"x\"] }' -H 'Accept: */*' https://api.acme.test/",
            format!(
                "POST https://api.acme.test/\n  Accept: */*\n  Content-Type: application/json\n  body {{ \"token\" : \"{{{{secret.acme-token}}}}\", \"n\":[1, \"x\"] }}\nsecret acme-token (line 1) {}",
                https("body")
            ),
        ),
        (
            "curl https://api.acme.test/bot/sk_live_1x/send",
            format!(
                "GET https://api.acme.test/bot/{{{{secret.stripe-key}}}}/send\nsecret stripe-key (line 1) {}",
                https("url")
            ),
        ),
        (
            "curl -H 'X-A: sk_live_1x-tail' https://api.acme.test/",
            format!(
                "GET https://api.acme.test/\n  X-A: {{{{secret.stripe-key}}}}-tail\nsecret stripe-key (line 1) {}",
                https("header")
            ),
        ),
    ];
    for (command, expected) in cases {
        assert_eq!(request(command), expected, "{command}");
    }
}

#[test]
fn the_value_that_is_kept_is_the_one_that_was_sent() {
    let cases = [
        ("curl 'https://a.test/?api_key=ab%2Fcd+e'", "ab/cd e"),
        ("curl https://ann:hunt%40r22@a.test/", "hunt@r22"),
        (
            "curl --json '{\"token\":\"a\\\"b\\u00e9c\"}' https://a.test/",
            "a\"béc",
        ),
        (
            r#"curl -H "X-Api-Key: a\"b\$c\\d" https://a.test/"#,
            "a\"b$c\\d",
        ),
        (r"curl -H 'X-Api-Key: it'\''s' https://a.test/", "it's"),
        ("curl -u 'ann:p:q:r' https://a.test/", "p:q:r"),
        (
            "curl -H 'Authorization: Basic YW5uOmh1bnRlcjIy' https://a.test/",
            "hunter22",
        ),
        (
            "curl -H 'X-Api-Key: {{secret.OTHER}}' https://a.test/",
            "{{secret.OTHER}}",
        ),
    ];
    for (command, value) in cases {
        let plan = plan(
            &format!("0 1 * * * {}\n", command.replace('%', "\\%")),
            Format::Crontab,
        );
        assert_eq!(plan.secrets.len(), 1, "{command}: {}", told(&plan));
        assert_eq!(
            plan.secrets[0].value,
            padclock_vault::Value::new(value),
            "{command}"
        );
    }
}

#[test]
fn braces_in_what_is_read_never_become_references() {
    check(&[
        (
            "curl -H 'X-A: {{secret.KEY}} {{{now' https://a.test/",
            "GET https://a.test/\n  X-A: {{{{secret.KEY}} {{{{{now",
        ),
        (
            "curl -g 'https://a.test/?a={{now}}'",
            "GET https://a.test/?a={{{{now}}",
        ),
        (
            "curl -d 'text {{x}}' -H 'Content-Type: text/plain' https://a.test/",
            "POST https://a.test/\n  Content-Type: text/plain\n  body text {{{{x}}",
        ),
    ]);
}

#[test]
fn times_and_attempts_are_carried_over() {
    let job = |command: &str| {
        plan(&format!("0 1 * * * {command}\n"), Format::Crontab)
            .jobs
            .remove(0)
            .definition
    };
    let timeout = |command| job(command).request.unwrap().timeout_seconds;
    assert_eq!(timeout("curl -m 7 https://a.test/"), 7);
    assert_eq!(timeout("curl --max-time 7.2 https://a.test/"), 8);
    assert_eq!(timeout("curl -m9999 https://a.test/"), 300);
    assert_eq!(timeout("wget -T 12 https://a.test/"), 12);
    let retry = |command| job(command).retry;
    assert_eq!(
        retry("curl --retry 4 --retry-delay 9 https://a.test/").max_attempts,
        5
    );
    assert_eq!(
        retry("curl --retry 4 --retry-delay 9 https://a.test/").base_seconds,
        9
    );
    // What was sent once is not sent twice unless that does no harm.
    assert_eq!(retry("curl -X POST https://a.test/").max_attempts, 1);
    assert_eq!(retry("curl https://a.test/").max_attempts, 3);
    assert_eq!(retry("wget --tries=7 https://a.test/").max_attempts, 7);
}

#[test]
fn wget_is_read_too() {
    check(&[
        (
            "wget -q -O /dev/null https://a.test/x",
            "GET https://a.test/x",
        ),
        ("wget -qO- https://a.test/x", "GET https://a.test/x"),
        (
            "wget --spider -nv https://a.test/x",
            "HEAD https://a.test/x",
        ),
        (
            "wget --header='X-A: b' --post-data 'a=1' https://a.test/",
            "POST https://a.test/\n  Content-Type: application/x-www-form-urlencoded\n  X-A: b\n  body a=1",
        ),
        (
            "wget --method=PUT --body-data=x --header 'Content-Type: text/plain' https://a.test/",
            "PUT https://a.test/\n  Content-Type: text/plain\n  body x",
        ),
        (
            "wget --user=ann --password=hunter22 https://acme.test/",
            "GET https://acme.test/\n  auth {\"basic\":{\"username\":\"ann\",\"password\":\"{{secret.acme-password}}\"}}\nsecret acme-password (line 1) [\"https\"] [\"acme.test\"] [443] [\"auth\"]",
        ),
    ]);
    let follow = |command: &str| {
        plan(&format!("0 1 * * * {command}\n"), Format::Crontab).jobs[0]
            .definition
            .request
            .as_ref()
            .unwrap()
            .follow_redirects
    };
    assert!(follow("wget https://a.test/") && !follow("wget --max-redirect=0 https://a.test/"));
    assert!(follow("curl -L https://a.test/") && !follow("curl https://a.test/"));
}

#[test]
fn what_a_job_can_t_do_is_left_out_with_the_reason() {
    let cases = [
        ("curl -F a=@b https://a.test/", "multipart"),
        ("curl -T file https://a.test/", "file of this machine"),
        ("curl -d @file https://a.test/", "file of this machine"),
        (
            "curl --data-urlencode a@file https://a.test/",
            "file of this machine",
        ),
        ("curl -K rc https://a.test/", "in a file"),
        ("curl -x p.test https://a.test/", "proxy"),
        ("curl -u ann https://a.test/", "on a terminal"),
        ("curl --digest -u a:bcdefg https://a.test/", "digest"),
        ("curl -n https://a.test/", "netrc"),
        ("curl https://a.test/ https://b.test/", "more than one URL"),
        (
            "curl https://a.test/ --next https://b.test/",
            "more than one URL",
        ),
        ("curl 'https://a.test/[1-3]'", "expands"),
        ("curl --frobnicate https://a.test/", "not understood"),
        ("curl", "no URL"),
        ("curl ftp://a.test/", "neither http nor https"),
        ("curl -b cookies.txt https://a.test/", "cookies from a file"),
        ("curl -H @headers https://a.test/", "headers are in a file"),
        (
            "curl -H 'Host: b.test' https://a.test/",
            "request.headers.Host",
        ),
        ("curl -H 'A: b' -H 'a: c' https://a.test/", "header twice"),
        ("curl -X TRACE https://a.test/", "request.method"),
        ("curl -u ann:abc https://a.test/", "under 4 bytes"),
        ("curl https://sk_live_abc.a.test/", "host name"),
        ("curl -m soon https://a.test/", "numbers"),
        ("curl -o out https://a.test/", "to a file"),
        ("curl -O https://a.test/x", "to a file"),
        ("wget -O out https://a.test/x", "to a file"),
        ("wget --frobnicate https://a.test/x", "not understood"),
        ("wget -i list", "not understood"),
        ("wget --post-file=x https://a.test/", "file of this machine"),
    ];
    for (command, reason) in cases {
        let plan = plan(&format!("0 1 * * * {command}\n"), Format::Crontab);
        assert!(
            plan.jobs.is_empty() && plan.secrets.is_empty(),
            "{command}: {}",
            told(&plan)
        );
        assert!(
            plan.left_out[0].reason.contains(reason),
            "{command}: {}",
            plan.left_out[0].reason
        );
    }
}
