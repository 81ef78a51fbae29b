//! Crontabs.

use super::{find, options, plan, told};
use crate::{Format, Options, read};

fn crontab(text: &str) -> String {
    told(&plan(text, Format::Crontab))
}

#[test]
fn a_line_with_a_token_becomes_a_job_and_a_secret() {
    let told = crontab(
        "# Sync the charges\n*/15 9-17 * * mon-fri curl -fsS -H 'Authorization: Bearer sk_live_abc123' https://api.stripe.com/v1/charges >/dev/null 2>&1\n",
    );
    assert_eq!(
        told,
        "job api.stripe.com/v1/charges: */15 9-17 * * mon-fri GET https://api.stripe.com/v1/charges\n  \
         Authorization: Bearer secret://stripe-key\n\
         secret stripe-key (line 2) [\"https\"] [\"api.stripe.com\"] [443] [\"header\"]"
    );
    let made = plan(
        "# Sync the charges\n@daily curl https://a.test/\n",
        Format::Crontab,
    );
    assert_eq!(
        made.jobs[0].definition.description.as_deref(),
        Some("Sync the charges")
    );
    assert_eq!(
        made.jobs[0].definition.state,
        Some(padclock_job::InitialState::Paused)
    );
}

#[test]
fn the_same_credential_in_several_lines_is_one_secret() {
    let told = crontab(
        "@daily curl -H 'X-Key: sk_live_abc123' https://a.test/x\n@hourly curl 'https://b.test:8443/?key=sk_live_abc123'\n@hourly curl -H 'X-Key: sk_live_other' https://a.test/x\n",
    );
    assert_eq!(
        told,
        "job a.test/x: @daily GET https://a.test/x\n  X-Key: secret://stripe-key\n\
         job b.test:8443: @hourly GET https://b.test:8443/?key={{secret.stripe-key}}\n\
         job a.test/x-2: @hourly GET https://a.test/x\n  X-Key: secret://stripe-key-2\n\
         secret stripe-key (line 1, line 2) [\"https\"] [\"a.test\", \"b.test\"] [443, 8443] [\"header\", \"query\"]\n\
         secret stripe-key-2 (line 3) [\"https\"] [\"a.test\"] [443] [\"header\"]"
    );
}

#[test]
fn variables_are_filled_in_and_credentials_among_them_become_secrets() {
    let told = crontab(
        "API_KEY=plain-looking-words\nSTAGE=prod\nBASE = \"https://a.test/v1\"\nMAILTO=me@example.com\nCRON_TZ=Europe/Berlin\n\
         0 3 * * * curl -H \"X-Api-Key: $API_KEY\" -H \"X-Stage: ${STAGE}\" \"$BASE/sync\"\n\
         0 4 * * * curl https://a.test/$NOWHERE\n0 5 * * * curl 'https://a.test/$STAGE'\n",
    );
    assert_eq!(
        told,
        "job a.test/v1/sync: 0 3 * * * GET https://a.test/v1/sync\n  X-Api-Key: secret://API_KEY\n  X-Stage: {{env.STAGE}}\n  env STAGE=prod\n\
         job a.test: 0 5 * * * GET https://a.test/$STAGE\n\
         secret API_KEY (line 6) [\"https\"] [\"a.test\"] [443] [\"header\"]\n\
         left out line 7: it uses a variable that the crontab does not set; only requests can be imported, commands can't be scheduled yet\n\
         note line 4: MAILTO is not carried over: executions are kept, and no mail is sent"
    );
    let made = plan(
        "CRON_TZ=Europe/Berlin\n0 3 * * * curl https://a.test/\n",
        Format::Crontab,
    );
    assert_eq!(
        made.jobs[0].definition.schedule.timezone.as_deref(),
        Some("Europe/Berlin")
    );
}

#[test]
fn percent_signs_and_standard_input_are_cron_s() {
    let cases = [
        (
            "0 1 * * * curl https://a.test/?d=a\\%20b",
            "GET https://a.test/?d=a%20b",
        ),
        (
            "0 1 * * * curl -d @- https://a.test/ %a=1%&b=2",
            "POST https://a.test/\n  Content-Type: application/x-www-form-urlencoded\n  body a=1&b=2",
        ),
        (
            "0 1 * * * curl --data-binary @- https://a.test/ -H 'Content-Type: text/plain' %one%two",
            "POST https://a.test/\n  Content-Type: text/plain\n  body one\ntwo\n",
        ),
        (
            "0 1 * * * curl https://a.test/ %ignored",
            "GET https://a.test/",
        ),
    ];
    for (line, expected) in cases {
        let told = crontab(line);
        let (_, shown) = told.split_once(": 0 1 * * * ").unwrap_or(("", &told));
        assert_eq!(shown, expected, "{line}");
    }
}

#[test]
fn schedules_are_read_as_cron_reads_them() {
    let schedules = [
        ("@daily curl https://a.test/", Some("@daily")),
        ("@every_minute curl https://a.test/", Some("* * * * *")),
        ("@reboot curl https://a.test/", None),
        ("@sometimes curl https://a.test/", None),
        ("  5\t4 *  * Sun\tcurl https://a.test/", Some("5 4 * * Sun")),
        ("-*/10 * * * * curl https://a.test/", Some("*/10 * * * *")),
        ("0 0 31 2 * curl https://a.test/", None),
        ("61 * * * * curl https://a.test/", None),
        ("* * * * curl https://a.test/", None),
        ("0 4 * * *", None),
        ("0 4 * * * \r", None),
    ];
    for (line, expected) in schedules {
        let made = plan(line, Format::Crontab);
        let found = made
            .jobs
            .first()
            .and_then(|job| job.definition.schedule.expression.clone());
        assert_eq!(found.as_deref(), expected, "{line}: {}", told(&made));
        assert_eq!(
            made.left_out.len(),
            usize::from(expected.is_none()),
            "{line}"
        );
    }
}

#[test]
fn a_system_crontab_has_the_user_s_column() {
    let system = Options {
        system: true,
        ..options()
    };
    let made = read(
        "17 * * * * root curl https://a.test/\n18 * * * *\troot\n",
        Format::Crontab,
        &system,
        &find,
    )
    .unwrap();
    assert_eq!(
        told(&made),
        "job a.test: 17 * * * * GET https://a.test/\nleft out line 2: it has a schedule and no command"
    );
}

#[test]
fn what_is_no_request_is_left_out_with_the_reason() {
    let cases = [
        ("/usr/local/bin/backup.sh", "it runs backup.sh"),
        ("/opt/MyTool sk_live_1", "it runs a program"),
        ("curl https://a.test/ | jq .", "piped"),
        ("curl https://a.test/$(date +\\%F)", "substitution"),
        (
            "curl https://a.test/ && touch /tmp/done",
            "more than one command",
        ),
        (
            "curl -o /backup/dump.gz https://a.test/",
            "writes the answer to a file",
        ),
        (
            "curl https://a.test/ > /backup/dump.gz",
            "writes the answer to a file",
        ),
        (
            "https_proxy=http://p.test:3128 curl https://a.test/",
            "proxy",
        ),
        ("sudo -u www curl https://a.test/", "it runs sudo"),
        ("$CURL https://a.test/", "in a variable"),
        ("curl https://a.test/ -d ~/body.json", "home folder"),
        ("sh -c 'curl https://a.test/'", "it runs sh"),
    ];
    for (command, reason) in cases {
        let made = plan(&format!("0 1 * * * {command}\n"), Format::Crontab);
        assert!(made.jobs.is_empty(), "{command}");
        assert!(
            made.left_out[0].reason.contains(reason),
            "{command}: {}",
            made.left_out[0].reason
        );
        assert!(made.left_out[0].is_command, "{command}");
    }
}

#[test]
fn programs_that_only_run_another_are_seen_through() {
    for command in [
        "nice -n 10 curl https://a.test/",
        "nice curl https://a.test/",
        "ionice -c2 -n 7 /usr/bin/curl https://a.test/",
        "flock -n /tmp/lock curl https://a.test/",
        "chronic curl https://a.test/ || true",
        "cd /tmp && curl https://a.test/",
        "curl https://a.test/ >> /var/log/x 2>&1",
    ] {
        let made = plan(&format!("0 1 * * * {command}\n"), Format::Crontab);
        assert_eq!(made.jobs.len(), 1, "{command}: {}", told(&made));
    }
    let made = plan(
        "0 1 * * * timeout 2m curl https://a.test/\n",
        Format::Crontab,
    );
    assert_eq!(
        made.jobs[0]
            .definition
            .request
            .as_ref()
            .unwrap()
            .timeout_seconds,
        120
    );
}

#[test]
fn a_comment_with_a_credential_or_an_entry_is_no_description() {
    for comment in [
        "# key sk_live_abc",
        "#0 1 * * * curl https://b.test/",
        "# API_KEY=abc",
        "#",
    ] {
        let made = plan(
            &format!("{comment}\n@daily curl https://a.test/\n"),
            Format::Crontab,
        );
        assert_eq!(made.jobs[0].definition.description, None, "{comment}");
    }
}
