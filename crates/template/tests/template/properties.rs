//! Properties that hold for any text and any value: printing gives back what was read, and a value keeps its place.

use std::cell::RefCell;

use padclock_template::{
    AuthSpec, AwsSignature, ClientAuth, ClientCredentials, Found, Request, RequestSpec, SecretRef,
    Secrets, Syntax, Template,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use url::Url;

use crate::support::{
    Safe, basic, body_of, bytes, compile_with, env, get, header, header_of, post, render, safe,
    vars,
};

/// Texts made of what the parser looks for, more often than chance would have it.
fn soup() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => prop::sample::select(vec![
            "{{", "}}", "{", "}", "{{{{", "secret://", "secret.", "env.", "A", "K", "now", "|", "base64", "hmac_sha256(", ")", " ", ".", "/", "?",
            "#", "&", "=", "%", "%2e", "\"", "\\", ":", "[", "]", ",", "1", "\\u", "https://h.example", "@", "{{secret.A}}", "{{ secret.K | json }}",
            "{{env.V}}", "{{now|hmac_sha256(secret.K)}}", "secret://a.b.", "\n", "\r", "\u{0}", "é",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ];
    vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// Values that lean towards what has a meaning somewhere.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..24),
        soup().prop_map(String::into_bytes),
        "[./\\\\%2eE?#&=+;@: \\r\\n\"]{0,12}".prop_map(String::into_bytes)
    ]
}

fn text_value() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), soup()]
}

/// Never empty, with nothing that a header refuses, and without the mark that a test cuts by.
fn without_controls(text: String) -> String {
    text.chars()
        .filter(|char| !char.is_ascii_control() && *char != '~')
        .chain(['é'])
        .collect()
}

/// Texts in which every reference is sound.
fn sound() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "{{secret.A}}",
        "{{secret.K | base64}}",
        "{{env.V}}",
        "{{now}}",
        "{{attempt}}",
        "secret://A",
        "secret://gone",
        "{{{{",
        "a",
        "/",
        "?",
        "&",
        "=",
        "%",
        "é",
        ".",
        "\"",
        "{",
        "{{now|hmac_sha256(secret.K)}}",
        "[",
        "]",
        ",",
        "1",
        ":",
    ]);
    vec(part, 0..6).prop_map(|parts| parts.concat())
}

/// A text of a request: mostly sound.
fn written() -> impl Strategy<Value = String> {
    prop_oneof![4 => sound(), 1 => soup()]
}

fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let hex = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| Some((hex(*bytes.get(at + 1)?)?, hex(*bytes.get(at + 2)?)?)))
            .flatten();
        match escape {
            Some((high, low)) => out.push(high << 4 | low),
            None => out.push(bytes[at]),
        }
        at += if escape.is_some() { 3 } else { 1 };
    }
    out
}

fn pairs(query: &str) -> Vec<(&str, &str)> {
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect()
}

fn shape(json: &Json) -> String {
    match json {
        Json::Object(fields) => fields
            .iter()
            .map(|(name, field)| format!("{name:?}:{},", shape(field)))
            .collect(),
        Json::Array(items) => items
            .iter()
            .map(|item| format!("[{}]", shape(item)))
            .collect(),
        Json::String(_) => "s".to_owned(),
        other => other.to_string(),
    }
}

/// Notes what is asked for.
struct Watched<'a>(&'a Safe, RefCell<Vec<SecretRef>>);

impl Secrets for Watched<'_> {
    fn get(&self, reference: &SecretRef) -> Found<'_> {
        self.1.borrow_mut().push(reference.clone());
        self.0.get(reference)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn printing_gives_back_what_was_parsed(text in prop_oneof![any::<String>(), soup()], secret_uri: bool) {
        let syntax = Syntax { secret_uri };
        if let Ok(template) = Template::parse(&text, syntax) {
            let printed = template.to_string();
            prop_assert_eq!(&printed, &text);
            prop_assert_eq!(Template::parse(&printed, syntax), Ok(template));
        }
    }

    #[test]
    fn an_error_points_into_the_text(text in soup()) {
        if let Err(error) = Template::parse(&text, Syntax { secret_uri: true }) {
            prop_assert!(error.position <= text.len());
        }
    }

    #[test]
    fn any_text_can_be_written_literally(text in soup()) {
        let escaped = text.replace("{{", "{{{{");
        let rendered = render(&post("text/plain", escaped.into()), &Safe::default()).unwrap();
        prop_assert_eq!(body_of(&rendered), text);
    }

    #[test]
    fn a_value_in_a_url_keeps_its_place(value in value()) {
        let spec = get("https://h.example:8443/a/{{secret.A}}/x{{secret.A}}?k={{secret.A}}&l={{secret.A}}z&m=1#f");
        let Ok(rendered) = render(&spec, &safe("A", &value)) else {
            prop_assert!(value == b"." || value == b"..");
            return Ok(());
        };
        let text = String::from_utf8(bytes(&rendered.url).to_vec()).unwrap();
        let url = Url::parse(&text).unwrap();
        prop_assert_eq!(url.as_str(), &text, "a parser changes nothing");
        prop_assert_eq!((url.scheme(), url.host_str(), url.port()), ("https", Some("h.example"), Some(8443)));
        prop_assert_eq!((url.username(), url.password(), url.fragment()), ("", None, None));
        let segments: Vec<_> = url.path_segments().unwrap().map(decoded).collect();
        prop_assert_eq!(segments, vec![b"a".to_vec(), value.clone(), [b"x", value.as_slice()].concat()]);
        let query: Vec<_> = pairs(url.query().unwrap()).into_iter().map(|(name, value)| (name, decoded(value))).collect();
        prop_assert_eq!(query, vec![("k", value.clone()), ("l", [value.as_slice(), b"z"].concat()), ("m", b"1".to_vec())]);
    }

    #[test]
    fn a_value_in_the_query_map_keeps_its_place(value in text_value(), literal in text_value()) {
        let mut spec = get("https://h.example/?x=1");
        spec.query = env(&[("n&", "{{secret.A}}"), ("o", &literal.replace("{{", "{{{{"))]);
        let rendered = render(&spec, &safe("A", &value)).unwrap();
        let url = Url::parse(&crate::support::url_of(&rendered)).unwrap();
        let query: Vec<_> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(query, vec![("x".to_owned(), "1".to_owned()), ("n&".to_owned(), value), ("o".to_owned(), literal)]);
    }

    #[test]
    fn a_value_in_a_header_keeps_its_line(value in value()) {
        let mut spec = header("X-A", "<secret://A>");
        spec.headers.insert("X-B".to_owned(), "b".to_owned());
        let refused = value.iter().any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f);
        match render(&spec, &safe("A", &value)) {
            Err(error) => prop_assert!(refused && error.code() == "header_injection"),
            Ok(rendered) => {
                prop_assert!(!refused);
                let lines: Vec<_> = rendered.headers.iter().map(|line| (line.name.as_str(), bytes(&line.value).to_vec())).collect();
                prop_assert_eq!(lines, vec![("X-A", [b"<", value.as_slice(), b">"].concat()), ("X-B", b"b".to_vec())]);
            }
        }
    }

    #[test]
    fn basic_auth_decodes_to_the_pair(user in "[^:\\pC]{1,12}", password in "\\PC{0,12}") {
        use base64::Engine as _;
        let rendered = render(&basic("{{secret.U}}", "{{secret.P}}"), &safe("U", &user).with("P", &password)).unwrap();
        let value = header_of(&rendered, "Authorization");
        let pair = base64::engine::general_purpose::STANDARD.decode(value.strip_prefix("Basic ").unwrap()).unwrap();
        prop_assert_eq!(pair, format!("{user}:{password}").into_bytes());
    }

    #[test]
    fn a_value_in_json_is_its_leaf(value in value(), text in text_value()) {
        for value in [value, text.into_bytes()] {
            let template = json!({"a": [1, {"b": "{{secret.A}}"}], "c": "<{{secret.A}}>"});
            let as_text = serde_json::to_string_pretty(&template).unwrap();
            for spec in [post("", template.clone()), post("application/json", as_text.into())] {
                let rendered = render(&spec, &safe("A", &value));
                let Ok(text) = std::str::from_utf8(&value) else {
                    prop_assert_eq!(rendered.unwrap_err().code(), "json_invalid");
                    continue;
                };
                let parsed: Json = serde_json::from_str(&body_of(&rendered.unwrap())).unwrap();
                prop_assert_eq!(shape(&parsed), shape(&template));
                prop_assert_eq!(&parsed["a"][1]["b"], text);
                prop_assert_eq!(&parsed["c"], &Json::from(format!("<{text}>")));
            }
        }
    }

    #[test]
    fn in_place_of_a_json_value_the_shape_stays(value in prop_oneof![value(), "[-+0-9.eE\"\\\\u{}\\[\\], truefalsn]{0,8}".prop_map(String::into_bytes)]) {
        let spec = post("application/json", "{\"a\":[{{secret.A}}],\"b\":1}".into());
        if let Ok(rendered) = render(&spec, &safe("A", &value)) {
            let parsed: Json = serde_json::from_str(&body_of(&rendered)).unwrap();
            prop_assert_eq!(parsed.as_object().unwrap().len(), 2);
            prop_assert_eq!(parsed["a"].as_array().unwrap().len(), 1);
            prop_assert!(!parsed["a"][0].is_object() && !parsed["a"][0].is_array());
            prop_assert_eq!(&parsed["a"][0], &serde_json::from_slice::<Json>(&value).unwrap());
        }
    }

    #[test]
    fn a_value_in_a_form_keeps_its_field(value in value()) {
        const FORM: &str = "application/x-www-form-urlencoded";
        for spec in [post(FORM, json!({"a": "{{secret.A}}", "b": "1"})), post(FORM, "a={{secret.A}}&b=1".into())] {
            let body = body_of(&render(&spec, &safe("A", &value)).unwrap());
            let fields: Vec<_> = pairs(&body).into_iter().map(|(name, value)| (name, decoded(value))).collect();
            prop_assert_eq!(fields, vec![("a", value.clone()), ("b", b"1".to_vec())]);
        }
    }

    #[test]
    fn nothing_is_filled_in_twice(value in value(), other in value()) {
        let rendered = render(&post("", "{{secret.A}}-{{secret.K}}".into()), &safe("A", &value).with("K", &other)).unwrap();
        prop_assert_eq!(bytes(rendered.body.as_ref().unwrap()), [value.as_slice(), b"-", &other].concat());
    }

    #[test]
    fn whatever_is_written_of_a_secret_is_known_to_the_redactor(value in text_value().prop_map(without_controls)) {
        let mut spec = post("", json!(["~{{secret.A}}~", "~{{secret.A | hex}}~", "~{{secret.A | json | base64}}~"]));
        spec.url = "https://h.example/~{{secret.A}}~?~{{secret.A | base64}}~".to_owned();
        spec.headers = env(&[("X", "~secret://A~"), ("Y", "~{{secret.A | urlencode}}~")]);
        let rendered = render(&spec, &safe("A", &value)).unwrap();
        let derived = rendered.derived.iter().map(|(_, derived)| bytes(derived));
        let known: Vec<&[u8]> = derived.chain([value.as_bytes()]).collect();
        let texts = rendered.headers.iter().map(|line| &line.value).chain([&rendered.url]).chain(&rendered.body);
        let mut seen = 0;
        for text in texts {
            for part in bytes(text).split(|byte| *byte == b'~').skip(1).step_by(2) {
                prop_assert!(known.contains(&part), "{:?}", String::from_utf8_lossy(part));
                seen += 1;
            }
        }
        prop_assert_eq!(seen, 7);
    }

    #[test]
    fn any_request_is_refused_or_rendered_soundly(spec in spec(), value in value(), variable in soup(), everywhere: bool) {
        let Ok(request) = compile_with(&spec, everywhere) else { return Ok(()) };
        let env = env(&[("V", &variable)]);
        let safe = safe("A", &value).with("K", &value);
        let watched = Watched(&safe, RefCell::default());
        let target = request.target(&vars(&env));
        let rendered = request.render(&vars(&env), &watched);
        let token = request.token().and_then(|token| token.render(&vars(&env), &watched).ok());
        let known: Vec<_> = request.references().into_iter().map(|(secret, _)| secret).collect();
        prop_assert!(watched.1.borrow().iter().all(|asked| known.contains(asked)), "only what is declared is asked for");
        if let Ok(rendered) = rendered {
            let url = Url::parse(&crate::support::url_of(&rendered)).unwrap();
            let target = target.unwrap();
            prop_assert_eq!(url.scheme(), target.scheme);
            prop_assert_eq!(url.host_str(), Some(target.host.as_str()));
            prop_assert_eq!(url.port_or_known_default(), Some(target.port));
            prop_assert!(url.path().starts_with(&target.path));
            for line in rendered.headers.iter().chain(token.iter().flat_map(|token| &token.headers)) {
                prop_assert!(!bytes(&line.value).iter().any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f));
            }
        }
    }
}

fn spec() -> impl Strategy<Value = RequestSpec> {
    let url = prop_oneof![
        written(),
        written().prop_map(|rest| format!("https://h.example/{rest}")),
        written().prop_map(|rest| format!("{{{{env.V}}}}{rest}"))
    ];
    let leaf = prop_oneof![
        written().prop_map(Json::from),
        Just(json!(1)),
        Just(Json::Null)
    ];
    let body = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            btree_map(written(), inner, 0..4).prop_map(|fields| json!(fields))
        ]
    });
    let content_type = prop::sample::select(vec![
        "",
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "{{env.V}}",
    ]);
    let auth = prop_oneof![
        Just(None),
        written().prop_map(|token| Some(AuthSpec::Bearer { token })),
        (written(), written())
            .prop_map(|(username, password)| Some(AuthSpec::Basic { username, password })),
        (written(), written(), written()).prop_map(|(access_key_id, secret_access_key, region)| {
            Some(AuthSpec::Awsv4(AwsSignature {
                access_key_id,
                secret_access_key,
                session_token: None,
                region,
                service: "s3".to_owned(),
            }))
        }),
        (written(), written(), written()).prop_map(|(url, client_id, client_secret)| {
            Some(AuthSpec::Oauth2ClientCredentials(ClientCredentials {
                token_url: format!("https://{{{{env.V}}}}/{url}"),
                client_id,
                client_secret,
                scope: None,
                audience: None,
                client_auth: ClientAuth::Basic,
            }))
        }),
    ];
    let sign_with = prop::sample::select(vec![None, Some("A".to_owned())]);
    (
        url,
        btree_map("[A-Za-z-]{1,8}", written(), 0..3),
        btree_map(written(), written(), 0..3),
        prop::option::of(body),
        content_type,
        auth,
        sign_with,
    )
        .prop_map(
            |(url, headers, query, body, content_type, auth, sign_with)| {
                let mut spec = RequestSpec {
                    headers,
                    query,
                    body,
                    auth,
                    sign_with,
                    ..RequestSpec::get(url)
                };
                if !content_type.is_empty() {
                    spec.headers
                        .insert("Content-Type".to_owned(), content_type.to_owned());
                }
                spec
            },
        )
}

#[test]
fn a_compiled_request_can_be_shared() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Request>();
    shared::<Template>();
}
