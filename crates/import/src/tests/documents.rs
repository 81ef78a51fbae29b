//! Documents of TrigRun and of Padclock.

use padclock_job::InitialState;

use super::{find, options, plan, told};
use crate::{Format, Options, Unread, guess, read};

/// The job of the TrigRun document.
const JOB: &str = r#"{"name": "stripe-sync", "kind": "recurring", "schedule": {"every_n_minutes": 60},
  "request": {"url": "https://api.stripe.com/v1/charges", "method": "GET", "headers": {"Authorization": "Bearer secret://stripe-key"}}}"#;

#[test]
fn a_job_a_list_and_items_are_read_alike() {
    let expected = "job stripe-sync:  GET https://api.stripe.com/v1/charges\n  Authorization: Bearer secret://stripe-key\nwanted stripe-key";
    for text in [
        JOB.to_owned(),
        format!("[{JOB}]"),
        format!("{{\"items\": [{JOB}]}}"),
        format!("{{\"items\": [{JOB}], \"next_cursor\": null}}"),
    ] {
        assert_eq!(guess(&text), Ok(Format::TrigRun), "{text}");
        let made = plan(&text, Format::TrigRun);
        assert_eq!(told(&made), expected);
        assert_eq!(made.jobs[0].definition.state, Some(InitialState::Paused));
    }
}

#[test]
fn a_list_of_secrets_tells_which_values_are_missing() {
    let text = r#"{"items": [{"id": "clx...", "name": "stripe-key", "environment": "workspace", "created_at": "2026-03-15T10:00:00.000Z", "key_version": "v1"}]}"#;
    assert_eq!(guess(text), Ok(Format::TrigRun));
    assert_eq!(told(&plan(text, Format::TrigRun)), "wanted stripe-key");
}

#[test]
fn plain_credentials_become_references_and_references_stay() {
    let text = r#"[{"name": "a", "kind": "manual", "id": "clx", "state": "active", "created_at": "x",
      "request": {"url": "https://api.acme.test/x?api_key=abcdef&s={{now}}", "headers": {"X-Token": "abcdef", "X-A": "{{secret.KEPT | base64}} secret://more"},
      "query": {"token": "abcdef"}, "auth": {"bearer": {"token": "{{secret.OTHER}}"}},
      "body": {"deep": [{"password": "hunter22"}], "n": 1, "note": "x sk_live_1 y"}}},
      {"name": "b", "kind": "manual", "env": {"API_TOKEN": "abcdef"}, "request": {"url": "https://a.test/"}},
      {"name": "c", "kind": "manual", "colour": "red", "request": {"url": "https://a.test/"}},
      {"kind": "manual"}, {"name": "d", "kind": "manual", "request": {"url": "sk_live_9"}}, 7]"#;
    let made = plan(text, Format::TrigRun);
    assert_eq!(
        told(&made).replace("&s={{now}}", "&s=now"),
        "job a:  POST\n".replace(
            "POST\n",
            "GET https://api.acme.test/x?api_key={{secret.acme-api-key}}&s=now\n"
        ) + "  X-A: {{secret.KEPT | base64}} secret://more\n  X-Token: secret://acme-api-key\n  auth {\"bearer\":{\"token\":\"{{secret.OTHER}}\"}}\n  \
              body {\"deep\":[{\"password\":\"{{secret.acme-password}}\"}],\"n\":1,\"note\":\"x {{secret.stripe-key}} y\"}\n\
              secret acme-api-key (item 1) [\"https\"] [\"api.acme.test\"] [443] [\"query\", \"header\"]\n\
              secret acme-password (item 1) [\"https\"] [\"api.acme.test\"] [443] [\"body\"]\n\
              secret stripe-key (item 1) [\"https\"] [\"api.acme.test\"] [443] [\"body\"]\n\
              wanted OTHER\nwanted more\nwanted KEPT\n\
              left out item 2: one of its variables (env) holds a credential: make it a secret, and name that instead\n\
              left out item 3: it has a field that a job has not: colour\n\
              left out item 4: it lacks the field name\n\
              left out item 5: its URL does not begin with http:// or https://\n\
              left out item 6: it is neither a job nor a secret"
    );
}

#[test]
fn an_export_is_read_back_paused_unless_states_are_kept() {
    let text = format!(
        "{{\"format\": \"padclock-export/1\", \"jobs\": [{}], \"secrets\": [{{\"name\": \"stripe-key\", \"environment\": \"production\", \"egress\": {{\"hosts\": [\"a.test\"]}}}}]}}",
        JOB.replace("\"kind\"", "\"state\": \"active\", \"kind\"")
    );
    assert_eq!(guess(&text), Ok(Format::Padclock));
    let state = |keep_state| {
        let options = Options {
            keep_state,
            ..options()
        };
        let made = read(&text, Format::Padclock, &options, &find).unwrap();
        assert_eq!(made.wanted[0].environment.as_deref(), Some("production"));
        assert!(made.wanted[0].egress.is_some() && made.wanted.len() == 1);
        made.jobs[0].definition.state
    };
    assert_eq!(state(false), Some(InitialState::Paused));
    assert_eq!(state(true), Some(InitialState::Active));
    let newer = text.replace("export/1", "export/2");
    assert!(matches!(
        read(&newer, Format::Padclock, &options(), &find),
        Err(Unread::Shape(_))
    ));
}

#[test]
fn formats_are_guessed_or_asked_for() {
    assert_eq!(
        guess("# x\nA=b\n0 1 * * * curl https://a.test/\n"),
        Ok(Format::Crontab)
    );
    assert_eq!(guess("@daily curl https://a.test/\n"), Ok(Format::Crontab));
    assert_eq!(guess("# x\nexport A=b\n"), Ok(Format::Env));
    assert_eq!(guess("A=1 2 3 4 5 6\n"), Ok(Format::Env));
    for text in ["", "hello", "{\"a\": 1}", "[]"] {
        assert_eq!(guess(text), Err(Unread::Unknown), "{text}");
    }
    assert_eq!(
        guess("{\"a\": "),
        Err(Unread::NotJson { line: 1, column: 6 })
    );
}
