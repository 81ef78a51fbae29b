//! `auth` beyond basic and bearer, and `sign_with`: what is checked when a request is saved, and what is made of it. The signatures'
//! own vectors are beside their code.

use padclock_template::{AuthSpec, AwsSignature, ClientAuth, ClientCredentials, RequestSpec};
use serde_json::json;

use crate::support::{
    Safe, body_of, bytes, compile, compile_with, env, get, header_of, problems, render, render_env,
    safe, text, url_of, vars,
};

const AWS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn aws() -> AwsSignature {
    AwsSignature {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "{{secret.KEY}}".to_owned(),
        session_token: None,
        region: "us-east-1".to_owned(),
        service: "service".to_owned(),
    }
}

fn signed(url: &str, aws: AwsSignature) -> RequestSpec {
    RequestSpec {
        auth: Some(AuthSpec::Awsv4(aws)),
        ..get(url)
    }
}

fn client() -> ClientCredentials {
    ClientCredentials {
        token_url: "https://auth.example.com/token".to_owned(),
        client_id: "client".to_owned(),
        client_secret: "{{secret.KEY}}".to_owned(),
        scope: None,
        audience: None,
        client_auth: ClientAuth::Basic,
    }
}

fn asking(client: ClientCredentials) -> RequestSpec {
    RequestSpec {
        auth: Some(AuthSpec::Oauth2ClientCredentials(client)),
        ..get("https://api.example.com/data")
    }
}

fn key() -> Safe {
    safe("KEY", AWS_KEY)
}

#[test]
fn the_wire_shapes_read_back() {
    let shapes = [
        json!({"awsv4": {"access_key_id": "a", "secret_access_key": "b", "region": "r", "service": "s3"}}),
        json!({"awsv4": {"access_key_id": "a", "secret_access_key": "b", "session_token": "t", "region": "r", "service": "s3"}}),
        json!({"oauth2_client_credentials": {"token_url": "u", "client_id": "i", "client_secret": "s", "client_auth": "basic"}}),
        json!({"oauth2_client_credentials": {"token_url": "u", "client_id": "i", "client_secret": "s", "scope": "x", "audience": "y", "client_auth": "post"}}),
    ];
    for shape in shapes {
        let auth: AuthSpec = serde_json::from_value(shape.clone()).unwrap();
        assert_eq!(serde_json::to_value(auth).unwrap(), shape);
    }
    let refused = [
        (
            json!({"awsv4": {"access_key_id": "a", "secret_access_key": "b", "region": "r"}}),
            "service",
        ),
        (
            json!({"awsv4": {"access_key_id": "a", "secret_access_key": "b", "region": "r", "service": "s", "profile": "p"}}),
            "profile",
        ),
        (
            json!({"oauth2_client_credentials": {"token_url": "u", "client_id": "i"}}),
            "client_secret",
        ),
        (
            json!({"oauth2_client_credentials": {"token_url": "u", "client_id": "i", "client_secret": "s", "client_auth": "none"}}),
            "none",
        ),
        (
            json!({"oauth2_client_credentials": {"token_url": "u", "client_id": "i", "client_secret": "s", "grant_type": "password"}}),
            "grant_type",
        ),
    ];
    for (shape, named) in refused {
        let error = serde_json::from_value::<AuthSpec>(shape).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn sign_with_is_a_name_or_an_object_with_one() {
    let read = |sign_with| {
        serde_json::from_value::<RequestSpec>(json!({"url": "x", "sign_with": sign_with}))
    };
    for same in [json!("HOOK"), json!({"secret": "HOOK"})] {
        let spec = read(same).unwrap();
        assert_eq!(serde_json::to_value(spec).unwrap()["sign_with"], "HOOK");
    }
    assert_eq!(read(json!(null)).unwrap().sign_with, None);
    for wrong in [
        json!(7),
        json!(["HOOK"]),
        json!({}),
        json!({"secret": "A", "id": "b"}),
    ] {
        assert!(read(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn all_that_is_wrong_with_an_aws_signature_is_said() {
    let mut spec = signed(
        "https://example.com/",
        AwsSignature {
            access_key_id: String::new(),
            secret_access_key: "{{secret.}}".to_owned(),
            session_token: Some(String::new()),
            region: "a\nb".to_owned(),
            service: String::new(),
        },
    );
    spec.headers = env(&[
        ("Authorization", "x"),
        ("x-amz-date", "x"),
        ("X-AMZ-Content-SHA256", "x"),
        ("X-Amz-Target", "fine"),
    ]);
    spec.follow_redirects = true;
    assert_eq!(
        problems(&spec),
        [
            "request.auth conflict",
            "request.headers.X-AMZ-Content-SHA256 conflict",
            "request.headers.x-amz-date conflict",
            "request.auth.awsv4.access_key_id required",
            "request.auth.awsv4.secret_access_key bad_name 9",
            "request.auth.awsv4.session_token required",
            "request.auth.awsv4.region bad_header_value 1",
            "request.auth.awsv4.service required",
            "request.follow_redirects conflict",
        ]
    );
}

#[test]
fn all_that_is_wrong_with_a_token_request_is_said() {
    let wrong = ClientCredentials {
        token_url: "ftp://auth.example.com/".to_owned(),
        client_id: String::new(),
        client_secret: "{{nothing}}".to_owned(),
        scope: Some(String::new()),
        audience: Some("{{secret.A".to_owned()),
        client_auth: ClientAuth::Post,
    };
    let section = "request.auth.oauth2_client_credentials";
    let expected = [
        "token_url bad_url 0",
        "client_id required",
        "client_secret unknown_variable 2",
        "scope required",
        "audience unclosed 0",
    ];
    assert_eq!(
        problems(&asking(wrong)),
        expected.map(|line| format!("{section}.{line}"))
    );
    for (url, code) in [
        ("https://{{secret.A}}/token", "secret_in_origin 8"),
        ("https://a.example/{{secret.A}}", "secret_in_token_url"),
        ("https://a.example/?k={{secret.A}}", "secret_in_token_url"),
        ("https://u:p@a.example/", "bad_url 0"),
        ("https://a.example/../token", "bad_url 18"),
        ("", "bad_url 0"),
    ] {
        let wrong = ClientCredentials {
            token_url: url.to_owned(),
            ..client()
        };
        assert_eq!(
            problems(&asking(wrong)),
            [format!("{section}.token_url {code}")],
            "{url}"
        );
    }
}

#[test]
fn a_token_url_of_variables_is_checked_with_the_env() {
    let request = compile(&asking(ClientCredentials {
        token_url: "https://{{env.HOST}}/token".to_owned(),
        ..client()
    }))
    .unwrap();
    let field = "request.auth.oauth2_client_credentials.token_url";
    assert_eq!(request.check_env(&env(&[]))[0].field, field);
    assert_eq!(
        request.check_env(&env(&[("HOST", "not a host")]))[0].field,
        field
    );
    assert_eq!(request.check_env(&env(&[("HOST", "a.example")])), []);
}

#[test]
fn the_key_of_sign_with_is_a_name_and_nothing_else() {
    let with = |name: &str| RequestSpec {
        sign_with: Some(name.to_owned()),
        ..get("https://example.com/")
    };
    for (name, position) in [
        ("", 0),
        ("{{secret.HOOK}}", 0),
        ("secret://HOOK", 0),
        ("HOOK | base64", 4),
        ("HOOK.", 4),
    ] {
        let expected = format!("request.sign_with bad_name {position}");
        assert_eq!(problems(&with(name)), [expected], "{name}");
    }
    let mut spec = with("HOOK");
    spec.headers = env(&[("Webhook-Id", "x"), ("webhook-signature", "x")]);
    assert_eq!(
        problems(&spec),
        [
            "request.headers.Webhook-Id conflict",
            "request.headers.webhook-signature conflict"
        ]
    );
}

#[test]
fn references_are_known_with_their_places() {
    let mut spec = signed(
        "https://example.com/",
        AwsSignature {
            access_key_id: "{{secret.ID}}".to_owned(),
            session_token: Some("secret://SESSION".to_owned()),
            region: "{{env.REGION}}".to_owned(),
            ..aws()
        },
    );
    spec.sign_with = Some("HOOK".to_owned());
    let shown = |spec: &RequestSpec, everywhere| {
        let request = compile_with(spec, everywhere).unwrap();
        let references = request.references().into_iter();
        references
            .map(|(secret, place)| format!("{} {place:?}", secret.name))
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(&spec, false), ["HOOK Header", "ID Auth", "KEY Auth"]);
    assert_eq!(shown(&spec, true)[3..], ["SESSION Auth"]);

    let spec = asking(ClientCredentials {
        client_id: "{{secret.ID}}".to_owned(),
        scope: Some("a {{secret.SCOPE}}".to_owned()),
        ..client()
    });
    assert_eq!(shown(&spec, false), ["ID Auth", "KEY Auth", "SCOPE Auth"]);
    assert!(compile(&spec).unwrap().token().is_some());
    assert!(
        compile(&signed("https://example.com/", aws()))
            .unwrap()
            .token()
            .is_none()
    );
}

#[test]
fn a_whole_request_is_signed_as_the_published_suite_signs_it() {
    let authorization = |spec: &RequestSpec| {
        let rendered = render(spec, &key()).unwrap();
        assert!(rendered.headers.last().unwrap().sensitive);
        header_of(&rendered, "Authorization")
    };
    let credential =
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ";
    let vanilla = signed("https://example.amazonaws.com", aws());
    assert_eq!(
        authorization(&vanilla),
        format!(
            "{credential}SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        )
    );
    let mut query = signed("https://example.amazonaws.com/?Param2=value2", aws());
    query.query = env(&[("Param1", "value1")]);
    assert!(
        authorization(&query)
            .ends_with("b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")
    );
    let mut trim = signed("https://example.amazonaws.com/", aws());
    trim.headers = env(&[("My-Header2", "\"a   b   c\""), ("My-Header1", " value1")]);
    assert!(
        authorization(&trim)
            .ends_with("acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736")
    );
    let mut token = signed("https://example.amazonaws.com/", aws());
    let Some(AuthSpec::Awsv4(spec)) = &mut token.auth else {
        unreachable!()
    };
    spec.session_token =
        Some("6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267".to_owned());
    assert!(
        authorization(&token)
            .ends_with("07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8")
    );
    assert_eq!(
        header_of(&render(&token, &key()).unwrap(), "X-Amz-Date"),
        "20150830T123600Z"
    );
}

#[test]
fn what_others_write_on_the_way_is_not_signed() {
    let plain = signed("https://example.amazonaws.com/", aws());
    let mut changed = plain.clone();
    changed.headers = env(&[
        ("User-Agent", "mine"),
        ("Idempotency-Key", "mine"),
        ("X-Cron-Service-Attempt", "9"),
        ("accept-encoding", "gzip"),
    ]);
    let authorization = |spec| header_of(&render(spec, &key()).unwrap(), "Authorization");
    assert_eq!(authorization(&plain), authorization(&changed));
}

#[test]
fn the_port_and_a_path_of_variables_are_signed() {
    let spec = |url: &str| signed(url, aws());
    let signature = |spec: &RequestSpec| {
        let env = env(&[("BASE", "https://example.amazonaws.com:8443/stage/")]);
        header_of(&render_env(spec, &key(), &env).unwrap(), "Authorization")
    };
    let whole = signature(&spec("https://example.amazonaws.com:8443/stage/x?y=1"));
    assert_eq!(signature(&spec("{{env.BASE}}/x?y=1")), whole);
    for other in [
        "https://example.amazonaws.com/stage/x?y=1",
        "https://example.amazonaws.com:8443/x?y=1",
    ] {
        assert_ne!(signature(&spec(other)), whole, "{other}");
    }
    // The scheme's own port is not in the Host header, so it is not signed.
    assert_eq!(
        signature(&spec("https://example.amazonaws.com:443/")),
        signature(&spec("https://example.amazonaws.com/"))
    );
}

#[test]
fn s3_says_the_hash_of_what_it_is_sent() {
    let s3 = |service: &str, body: &str| {
        let mut spec = signed("https://examplebucket.s3.amazonaws.com/k", aws());
        if let Some(AuthSpec::Awsv4(aws)) = &mut spec.auth {
            aws.service = service.to_owned();
        }
        spec.method = "PUT".to_owned();
        spec.body = Some(body.into());
        render(&spec, &key()).unwrap()
    };
    let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    for service in ["s3", "s3-outposts", "aoss"] {
        let rendered = s3(service, "Welcome to Amazon S3.");
        assert_eq!(header_of(&rendered, "X-Amz-Content-Sha256"), hash);
    }
    let names = |service| {
        let rendered = s3(service, "x");
        let names = rendered.headers.into_iter().map(|line| line.name);
        names.collect::<Vec<_>>()
    };
    assert_eq!(names("sqs"), ["X-Amz-Date", "Authorization"]);
    // The hash of a body that holds a secret would let the secret be guessed.
    let secret = s3("s3", "{{secret.KEY}}");
    let line = &secret.headers[1];
    assert!(line.name == "X-Amz-Content-Sha256" && line.sensitive);
    assert!(secret.derived.iter().any(|(_, known)| *known == line.value));
}

#[test]
fn the_redactor_learns_of_every_signature() {
    let mut spec = signed("https://example.com/", aws());
    spec.sign_with = Some("HOOK".to_owned());
    let secrets = key().with("HOOK", "whsec_c2l4dGVlbi1ieXRlcy1vaw==");
    let rendered = render(&spec, &secrets).unwrap();
    for name in ["Authorization", "webhook-signature"] {
        let line = rendered
            .headers
            .iter()
            .find(|line| line.name == name)
            .unwrap();
        let known = |(_, known): &(String, _)| *known == line.value;
        assert!(
            line.sensitive && rendered.derived.iter().any(known),
            "{name}"
        );
    }
    let named: Vec<_> = rendered
        .derived
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(named, ["HOOK", "HOOK", "HOOK", "KEY", "KEY"]);
    assert!(
        rendered
            .derived
            .iter()
            .any(|(_, known)| bytes(known) == b"sixteen-bytes-ok")
    );

    // Written out they have no name of their own, and are hidden all the same.
    let written = AwsSignature {
        secret_access_key: AWS_KEY.to_owned(),
        ..aws()
    };
    let rendered = render(&signed("https://example.com/", written), &Safe::default()).unwrap();
    assert_eq!(rendered.derived[0].0, "auth");
}

#[test]
fn values_that_do_not_fit_a_signature_are_refused() {
    let with = |change: &dyn Fn(&mut AwsSignature)| {
        let mut spec = aws();
        change(&mut spec);
        let secrets = key().with("BAD", "a/b\nc");
        render(&signed("https://example.com/", spec), &secrets).unwrap_err()
    };
    let bad = || "{{secret.BAD}}".to_owned();
    for (error, part) in [
        (with(&|aws| aws.access_key_id = bad()), "access_key_id"),
        (with(&|aws| aws.region = bad()), "region"),
        (with(&|aws| aws.service = bad()), "service"),
        (
            with(&|aws| aws.session_token = Some(bad())),
            "X-Amz-Security-Token",
        ),
    ] {
        let told = error.to_string();
        assert!(told.contains(part) && !told.contains("a/b"), "{told}");
    }
    assert_eq!(with(&|aws| aws.region = bad()).code(), "auth_invalid");
}

#[test]
fn a_token_request_says_what_rfc_6749_says() {
    let secrets = safe("KEY", "s:e/c r+e&t=%").with("ID", "i:d");
    let client = ClientCredentials {
        client_id: "{{secret.ID}}".to_owned(),
        scope: Some("a b&c".to_owned()),
        audience: Some("{{env.AUDIENCE}}".to_owned()),
        token_url: "https://{{env.HOST}}/t?x=1".to_owned(),
        ..client()
    };
    let env = env(&[
        ("AUDIENCE", "https://x/"),
        ("HOST", "auth.example.com:8443"),
    ]);
    let of = |client_auth| {
        let spec = asking(ClientCredentials {
            client_auth,
            ..client.clone()
        });
        let request = compile(&spec).unwrap();
        let token = request.token().unwrap();
        assert_eq!(token.secret_name(), Some("KEY"));
        let target = token.target(&vars(&env)).unwrap();
        assert_eq!(
            (target.host.as_str(), target.port, target.path.as_str()),
            ("auth.example.com", 8443, "/t")
        );
        token.render(&vars(&env), &secrets).unwrap()
    };
    let form = "grant_type=client_credentials&scope=a%20b%26c&audience=https%3A%2F%2Fx%2F";
    let basic = of(ClientAuth::Basic);
    assert_eq!(
        (basic.method.as_str(), url_of(&basic).as_str()),
        ("POST", "https://auth.example.com:8443/t?x=1")
    );
    assert_eq!(body_of(&basic), form);
    // `i%3Ad:s%3Ae%2Fc%20r%2Be%26t%3D%25`
    let header = "Basic aSUzQWQ6cyUzQWUlMkZjJTIwciUyQmUlMjZ0JTNEJTI1";
    assert_eq!(header_of(&basic, "Authorization"), header);
    let known: Vec<_> = basic.derived.iter().map(|(_, known)| text(known)).collect();
    for made in [
        "i%3Ad",
        "s%3Ae%2Fc%20r%2Be%26t%3D%25",
        &header["Basic ".len()..],
    ] {
        assert!(known.iter().any(|known| known == made), "{made}");
    }
    let post = of(ClientAuth::Post);
    assert!(post.headers.iter().all(|line| line.name != "Authorization"));
    assert_eq!(
        body_of(&post),
        format!("{form}&client_id=i%3Ad&client_secret=s%3Ae%2Fc%20r%2Be%26t%3D%25")
    );
}

#[test]
fn the_request_itself_is_rendered_without_the_token_and_its_secrets() {
    let rendered = render(&asking(client()), &Safe::default()).unwrap();
    assert!(rendered.headers.is_empty());
}

#[test]
fn each_word_of_a_token_request_makes_another_identity() {
    let identity = |client: ClientCredentials, secret: &str| {
        let request = compile(&asking(client)).unwrap();
        let (env, secrets) = (env(&[]), safe("KEY", secret));
        request
            .token()
            .unwrap()
            .identity(&vars(&env), &secrets)
            .unwrap()
    };
    let with = |change: &dyn Fn(&mut ClientCredentials)| {
        let mut client = client();
        change(&mut client);
        identity(client, "one")
    };
    let all = [
        identity(client(), "one"),
        identity(client(), "two"),
        with(&|client| client.token_url.push('x')),
        with(&|client| client.client_id.push('x')),
        with(&|client| client.client_secret.push('x')),
        with(&|client| client.scope = Some("x".to_owned())),
        with(&|client| client.audience = Some("x".to_owned())),
        with(&|client| client.client_auth = ClientAuth::Post),
    ];
    for (place, one) in all.iter().enumerate() {
        assert!(!all[..place].contains(one), "{place}");
    }
    assert_eq!(identity(client(), "one"), all[0]);
}
