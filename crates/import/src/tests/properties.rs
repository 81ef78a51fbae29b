//! What holds for any text: nothing panics, and no credential shows in what is printed of a plan.

use proptest::prelude::*;

use super::{find, options, plan, told};
use crate::{Format, guess, read};

const FORMATS: [Format; 5] = [
    Format::Crontab,
    Format::Env,
    Format::TrigRun,
    Format::CronJobOrg,
    Format::Padclock,
];

/// Pieces that commands are made of, and some that break them.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("curl ".to_owned()),
        Just("wget ".to_owned()),
        Just("-H ".to_owned()),
        Just("'X-Api-Key: ".to_owned()),
        Just("https://a.test/".to_owned()),
        Just("'".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("$A".to_owned()),
        Just("${".to_owned()),
        Just("%".to_owned()),
        Just("\n".to_owned()),
        Just("0 1 * * * ".to_owned()),
        Just("@daily ".to_owned()),
        Just("A=b\n".to_owned()),
        Just("{{".to_owned()),
        Just("secret://x".to_owned()),
        Just("-d ".to_owned()),
        Just("{\"a\":\"".to_owned()),
        Just(" > ".to_owned()),
        Just(" | ".to_owned()),
        Just("é\u{e000}".to_owned()),
        Just("sk_live_1".to_owned()),
        Just("-u a:b".to_owned()),
        "\\PC{0,6}".prop_map(|text| text),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Everything that may be printed of a reading.
fn printed(text: &str, format: Format) -> String {
    match read(text, format, &options(), &find) {
        Ok(plan) => format!("{plan:?} {plan:#?}"),
        Err(error) => format!("{error} {error:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_panics(text in hostile()) {
        let _ = guess(&text);
        for format in FORMATS {
            let _ = printed(&text, format);
        }
    }

    #[test]
    fn json_of_any_shape_is_read_or_refused(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}") {
        for format in FORMATS {
            let _ = printed(&text, format);
        }
    }

    #[test]
    fn no_credential_shows(secret in "sk_live_[A-Za-z0-9]{8,30}", words in "[a-zA-Z0-9+/=&?%:;,.!~ -]{6,20}", place in 0usize..12) {
        let quoted = words.replace('%', "\\%");
        let json = serde_json::Value::from(words.as_str());
        let (text, format, found) = match place {
            0 => (format!("0 1 * * * curl -H 'X-A: {secret}' https://a.test/"), Format::Crontab, true),
            1 => (format!("0 1 * * * curl -H 'X-Api-Key:{quoted}' https://a.test/"), Format::Crontab, false),
            2 => (format!("0 1 * * * curl -u 'ann:{quoted}' https://a.test/"), Format::Crontab, false),
            3 => (format!("0 1 * * * curl 'https://a.test/{secret}/x?y={secret}'"), Format::Crontab, true),
            4 => (format!("0 1 * * * curl -d 'a={secret}&b=1' https://a.test/ | sh {secret}"), Format::Crontab, false),
            5 => (format!("0 1 * * * curl --json '{{\"a\":\"{secret}\"}}' https://a.test/"), Format::Crontab, true),
            6 => (format!("KEY={secret}\n0 1 * * * curl -H \"A: $KEY\" https://a.test/\n0 2 * * * {secret} {secret}"), Format::Crontab, true),
            7 => (format!("0 1 * * * --{secret} curl {secret} --{secret}\n# {secret}\n@{secret} x\n{secret}"), Format::Crontab, false),
            8 => (format!("API_TOKEN='{words}'\nOTHER={secret}\nwhat {secret}"), Format::Env, true),
            9 => (format!("{{\"name\":\"{secret}\",\"kind\":\"manual\",\"{secret}\":1}}"), Format::TrigRun, false),
            10 => (format!("[{{\"name\":\"a\",\"kind\":\"manual\",\"request\":{{\"url\":\"https://a.test/?x={secret}\",\"headers\":{{\"X\":\"{secret}\"}},\"body\":{{\"password\":{json}}}}}}}]"), Format::TrigRun, true),
            _ => (format!("{{\"jobId\":1,\"title\":\"{secret}\",\"url\":\"https://a.test/{secret}\",\"auth\":{{\"enable\":true,\"user\":\"u\",\"password\":{json}}},\"extendedData\":{{\"headers\":{{\"X\":\"{secret}\"}},\"body\":\"{secret}\"}}}}"), Format::CronJobOrg, true),
        };
        let shown = printed(&text, format);
        prop_assert!(!shown.contains(&secret), "{place}: {shown}");
        let trimmed = words.trim();
        // Short words stand in names and reasons anyway.
        if matches!(place, 1 | 2 | 8 | 10 | 11) && trimmed.len() >= 6 {
            prop_assert!(!shown.contains(trimmed), "{place}: {shown}");
        }
        if found {
            prop_assert!(!plan(&text, format).secrets.is_empty(), "{place}: {}", told(&plan(&text, format)));
        }
    }
}
