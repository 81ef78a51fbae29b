//! Credentials that a vendor gives a prefix: a table. A row says what follows the prefix, and how much of it.
//! Shapes that need more than that are in `special`.

use crate::alphabet::{Set, begins_word, run};
use crate::finding::{Candidate, Sure};
use crate::placeholder;
use crate::rule::Rule;

/// One row: a prefix, then `least` to `most` bytes of `set`, and no further one.
#[derive(Debug)]
pub(crate) struct Vendor {
    pub(crate) rule: Rule,
    pub(crate) prefixes: &'static [&'static str],
    set: Set,
    least: usize,
    most: usize,
}

const fn row(
    rule: Rule,
    prefixes: &'static [&'static str],
    set: Set,
    (least, most): (usize, usize),
) -> Vendor {
    Vendor {
        rule,
        prefixes,
        set,
        least,
        most,
    }
}

const fn rule(id: &'static str, title: &'static str, name: &'static str) -> Rule {
    Rule::new(id, title, name)
}

/// The rows, by vendor.
#[rustfmt::skip]
pub(crate) static VENDORS: &[Vendor] = &[
    row(rule("age-secret-key", "age secret key", "age_secret_key"), &["AGE-SECRET-KEY-1"], Set::Upper, (58, 58)),
    row(rule("airtable-token", "Airtable personal access token", "airtable_token"), &["pat"], Set::UrlDot, (79, 79)),
    row(rule("alibaba-access-key", "Alibaba Cloud access key id", "alibaba_access_key"), &["LTAI"], Set::Alnum, (16, 26)),
    row(rule("anthropic-key", "Anthropic API key", "anthropic_api_key"), &["sk-ant-"], Set::Url, (32, 200)),
    row(rule("atlassian-token", "Atlassian API token", "atlassian_token"), &["ATATT3xFf", "ATCTT3xFf", "ATBB"], Set::UrlEnd, (32, 300)),
    row(rule("aws-access-key-id", "AWS access key id", "aws_access_key_id"), &["AKIA", "ASIA", "ABIA", "ACCA"], Set::Upper, (16, 16)),
    row(rule("brevo-key", "Brevo (Sendinblue) API key", "brevo_api_key"), &["xkeysib-", "xsmtpsib-"], Set::Dash, (60, 100)),
    row(rule("cargo-token", "Cargo registry token", "cargo_registry_token"), &["cio"], Set::Alnum, (32, 32)),
    row(rule("databricks-token", "Databricks access token", "databricks_token"), &["dapi"], Set::Dash, (32, 36)),
    row(rule("digitalocean-token", "DigitalOcean token", "digitalocean_token"), &["dop_v1_", "doo_v1_", "dor_v1_"], Set::Hex, (64, 64)),
    row(rule("docker-token", "Docker Hub access token", "docker_token"), &["dckr_pat_", "dckr_oat_"], Set::Url, (20, 60)),
    row(rule("doppler-token", "Doppler token", "doppler_token"), &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."], Set::UrlDot, (40, 90)),
    row(rule("figma-token", "Figma access token", "figma_token"), &["figd_", "figo_", "figor_"], Set::Url, (30, 80)),
    row(rule("flyio-token", "Fly.io access token", "fly_token"), &["fo1_", "fm1_", "fm2_"], Set::Base64, (40, 4096)),
    row(rule("github-token", "GitHub token", "github_token"), &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], Set::Alnum, (36, 251)),
    row(rule("github-fine-grained-token", "GitHub fine-grained token", "github_token"), &["github_pat_"], Set::Word, (82, 251)),
    row(rule("gitlab-token", "GitLab token", "gitlab_token"),
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-", "glsoat-", "glffct-"], Set::UrlDot, (20, 300)),
    row(rule("google-api-key", "Google API key", "google_api_key"), &["AIza"], Set::Url, (35, 35)),
    row(rule("google-oauth-secret", "Google OAuth client secret", "google_client_secret"), &["GOCSPX-"], Set::Url, (28, 28)),
    row(rule("google-access-token", "Google access token", "google_access_token"), &["ya29."], Set::UrlDot, (30, 2048)),
    row(rule("grafana-token", "Grafana token", "grafana_token"), &["glsa_", "glc_"], Set::Base64, (32, 400)),
    row(rule("grafana-service-token", "Grafana service account token", "grafana_token"), &["glsa_"], Set::Word, (41, 41)),
    row(rule("groq-key", "Groq API key", "groq_api_key"), &["gsk_"], Set::Alnum, (48, 60)),
    row(rule("hashicorp-vault-token", "HashiCorp Vault token", "vault_token"), &["hvs.", "hvb.", "hvr."], Set::Url, (24, 400)),
    row(rule("heroku-key", "Heroku API key", "heroku_api_key"), &["HRKU-"], Set::Url, (36, 80)),
    row(rule("hooklistener-key", "Hooklistener API key", "hooklistener_key"), &["hklst_"], Set::Word, (16, 128)),
    row(rule("huggingface-token", "Hugging Face token", "hugging_face_token"), &["hf_", "api_org_"], Set::Alnum, (34, 40)),
    row(rule("linear-key", "Linear API key", "linear_api_key"), &["lin_api_", "lin_oauth_"], Set::Alnum, (40, 64)),
    row(rule("mailgun-key", "Mailgun API key", "mailgun_api_key"), &["key-"], Set::Hex, (32, 32)),
    row(rule("netlify-token", "Netlify access token", "netlify_token"), &["nfp_"], Set::Alnum, (36, 60)),
    row(rule("newrelic-key", "New Relic API key", "new_relic_key"), &["NRAK-", "NRIQ-", "NRII-", "NRAA-"], Set::Url, (26, 48)),
    row(rule("notion-token", "Notion integration token", "notion_token"), &["ntn_", "secret_"], Set::Alnum, (43, 50)),
    row(rule("npm-token", "npm access token", "npm_token"), &["npm_"], Set::Alnum, (36, 36)),
    row(rule("onepassword-token", "1Password service account token", "onepassword_token"), &["ops_eyJ"], Set::Base64, (100, 4096)),
    row(rule("openai-key", "OpenAI API key", "openai_api_key"), &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"], Set::Url, (40, 220)),
    row(rule("openai-style-key", "API key of an OpenAI-like service", "openai_api_key"), &["sk-"], Set::Alnum, (32, 64)),
    row(rule("openrouter-key", "OpenRouter API key", "openrouter_api_key"), &["sk-or-v1-"], Set::Hex, (64, 64)),
    row(rule("perplexity-key", "Perplexity API key", "perplexity_api_key"), &["pplx-"], Set::Alnum, (40, 64)),
    row(rule("planetscale-token", "PlanetScale token", "planetscale_token"), &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"], Set::UrlDot, (32, 64)),
    row(rule("postman-key", "Postman API key", "postman_api_key"), &["PMAK-"], Set::Dash, (59, 59)),
    row(rule("pulumi-token", "Pulumi access token", "pulumi_token"), &["pul-"], Set::Hex, (40, 40)),
    row(rule("pypi-token", "PyPI upload token", "pypi_token"), &["pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"], Set::Url, (50, 1000)),
    row(rule("replicate-token", "Replicate API token", "replicate_token"), &["r8_"], Set::Alnum, (37, 37)),
    row(rule("resend-key", "Resend API key", "resend_api_key"), &["re_"], Set::Word, (32, 33)),
    row(rule("rubygems-key", "RubyGems API key", "rubygems_api_key"), &["rubygems_"], Set::Hex, (48, 48)),
    row(rule("sentry-token", "Sentry auth token", "sentry_token"), &["sntrys_", "sntryu_"], Set::Base64, (64, 500)),
    row(rule("shopify-token", "Shopify access token", "shopify_token"), &["shpat_", "shpca_", "shppa_", "shpss_"], Set::Hex, (32, 32)),
    row(rule("slack-token", "Slack token", "slack_token"), &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xapp-"], Set::UrlDot, (24, 300)),
    row(rule("square-token", "Square access token", "square_token"), &["sq0atp-", "sq0csp-", "EAAAE"], Set::Url, (22, 64)),
    row(rule("stripe-key", "Stripe secret key", "stripe_secret_key"), &["sk_live_", "rk_live_", "sk_test_", "rk_test_"], Set::Alnum, (24, 247)),
    row(rule("supabase-token", "Supabase access token", "supabase_token"), &["sbp_"], Set::Hex, (40, 40)),
    row(rule("supabase-secret-key", "Supabase secret key", "supabase_secret_key"), &["sb_secret_"], Set::Url, (24, 64)),
    row(rule("tailscale-key", "Tailscale key", "tailscale_key"), &["tskey-"], Set::Dash, (24, 100)),
    row(rule("twilio-key", "Twilio API key", "twilio_api_key"), &["SK"], Set::Hex, (32, 32)),
    row(rule("webhook-secret", "Webhook signing secret", "webhook_secret"), &["whsec_"], Set::Base64, (24, 120)),
];

/// Whether one of the row's prefixes, which ends at `body`, begins a credential.
pub(crate) fn check(
    text: &str,
    at: usize,
    body: usize,
    vendor: &'static Vendor,
) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let prefix = &text[at..body];
    if !vendor.prefixes.contains(&prefix) || !begins_word(bytes, at) {
        return None;
    }
    let mut end = run(bytes, body, vendor.set, vendor.most + 1);
    while end > body && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    let rest = &text[body..end];
    let fits = (vendor.least..=vendor.most).contains(&rest.len());
    // A run of words with dashes between them is a name, not a credential.
    let random = rest.bytes().any(|byte| byte.is_ascii_digit()) || mixed_case(rest);
    (fits && random && !placeholder::is_placeholder(rest) && !joined(bytes, end, vendor.set))
        .then(|| Candidate::new(&vendor.rule, at..end, Sure::Shape))
}

fn mixed_case(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Whether a word goes on behind the run, so that the run is only its head.
fn joined(bytes: &[u8], end: usize, set: Set) -> bool {
    let narrow = matches!(set, Set::Hex | Set::Upper);
    bytes
        .get(end)
        .is_some_and(|&byte| narrow && byte.is_ascii_alphanumeric())
}
