//! Jobs of cron-job.org.

use super::{plan, told};
use crate::{Format, guess};

const DETAILS: &str = r#"{"jobDetails": {"jobId": 12345, "enabled": true, "title": "Nightly sync", "saveResponses": false,
  "url": "https://api.acme.test/sync?full=1&api_key=abcdef", "lastStatus": 1, "requestTimeout": 60, "redirectSuccess": true, "folderId": 0,
  "schedule": {"timezone": "Europe/Berlin", "expiresAt": 0, "hours": [5, 3], "mdays": [-1], "minutes": [0, 30], "months": [-1], "wdays": [1, 5]},
  "requestMethod": 1, "auth": {"enable": true, "user": "ann", "password": "hunter22"},
  "notification": {"onFailure": true}, "extendedData": {"headers": {"X-Stage": "prod", "Content-Type": "application/json"}, "body": "{\"token\":\"t0ken\"}"}}}"#;

#[test]
fn a_job_is_read_with_all_it_has() {
    assert_eq!(guess(DETAILS), Ok(Format::CronJobOrg));
    let made = plan(DETAILS, Format::CronJobOrg);
    assert_eq!(
        told(&made),
        "job Nightly sync: 0,30 3,5 * * 1,5 POST https://api.acme.test/sync?full=1&api_key={{secret.acme-api-key}}\n  \
         Content-Type: application/json\n  X-Stage: prod\n  auth {\"basic\":{\"username\":\"ann\",\"password\":\"{{secret.acme-password}}\"}}\n  \
         body {\"token\":\"{{secret.acme-token}}\"}\n\
         secret acme-api-key (item 1) [\"https\"] [\"api.acme.test\"] [443] [\"query\"]\n\
         secret acme-token (item 1) [\"https\"] [\"api.acme.test\"] [443] [\"body\"]\n\
         secret acme-password (item 1) [\"https\"] [\"api.acme.test\"] [443] [\"auth\"]"
    );
    let definition = &made.jobs[0].definition;
    assert_eq!(
        definition.schedule.timezone.as_deref(),
        Some("Europe/Berlin")
    );
    let request = definition.request.as_ref().unwrap();
    assert_eq!(
        (request.timeout_seconds, request.follow_redirects),
        (60, true)
    );
}

#[test]
fn the_list_says_less_and_that_is_told() {
    let list = r#"{"jobs": [
      {"jobId": 1, "enabled": false, "title": "", "url": "https://a.test/ping", "requestMethod": 0,
       "schedule": {"timezone": "UTC", "expiresAt": 20301231000000, "hours": [-1], "mdays": [-1], "minutes": [-1], "months": [-1], "wdays": [-1]}},
      {"jobId": 2, "title": "both", "url": "https://a.test/", "schedule": {"mdays": [1], "wdays": [1]}},
      {"jobId": 3, "title": "never", "url": "https://a.test/", "schedule": {"hours": []}},
      {"jobId": 4, "title": "odd", "url": "https://a.test/", "schedule": {"hours": [24]}},
      {"jobId": 5, "title": "trace", "url": "https://a.test/", "requestMethod": 77},
      {"jobId": 6, "title": 7}
    ], "someFailed": false}"#;
    assert_eq!(
        told(&plan(list, Format::CronJobOrg)),
        "job a.test/ping: * * * * * GET https://a.test/ping\n  note it was switched off there\n  note it had an end there: give it one by end_at\n\
         left out item 2: it names days of the month and of the week, and runs where both fit: cron can't say that\n\
         left out item 3: its schedule never fires\n\
         left out item 4: its schedule has a number that is none of a time\n\
         left out item 5: its method is not known\n\
         left out item 6: it has not the shape of a job\n\
         note : items without extendedData come from the list, which leaves headers, body and auth out: import GET /jobs/ID of each for those"
    );
}

#[test]
fn what_is_no_list_of_jobs_is_refused() {
    for text in ["[]", "{\"jobs\": []}", "3", "not json", "{"] {
        assert!(
            crate::read(text, Format::CronJobOrg, &super::options(), &super::find).is_err(),
            "{text}"
        );
    }
}
