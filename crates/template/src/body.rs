//! The body of a request at save time: which kind it is, by its JSON type and the content type, and its compiled text.
//! JSON given as text is read in `json_text`.

use std::collections::BTreeMap;

use padclock_vault::Place;
use serde_json::Value as Json;

use crate::compile::{Compiler, Field, Rules, verbatim};
use crate::escape::{json_string, percent, query_literal};
use crate::json_text::compile_json_text;
use crate::parse::Segment;
use crate::piece::{Encoding, Text};
use crate::problem::MAX_JSON_DEPTH;

const BODY: Field<'static> = Field::new("", "body");

const TEXT: Rules = Rules {
    literal: verbatim,
    encoding: Encoding::Raw,
    place: Place::Body,
    secret_uri: false,
};
const FORM_TEXT: Rules = Rules {
    literal: query_literal,
    encoding: Encoding::Percent,
    ..TEXT
};
const FORM_VALUE: Rules = Rules {
    literal: percent,
    ..FORM_TEXT
};
const JSON_LEAF: Rules = Rules {
    literal: json_string,
    encoding: Encoding::JsonString,
    ..TEXT
};

/// What the content type says about a text body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Form,
    Other,
    Unsaid,
    /// The content type is itself a template.
    Varies,
}

/// A compiled body, and the content type to add when the headers name none.
pub(crate) struct Body {
    pub text: Text,
    pub content_type: Option<&'static str>,
}

/// Compiles the body as its content type asks. `null` is no body.
pub(crate) fn compile_body(
    compiler: &mut Compiler<'_>,
    body: &Json,
    headers: &BTreeMap<String, String>,
) -> Option<Body> {
    let header = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let kind = header.map_or(Kind::Unsaid, |(_, value)| kind_of(value));
    let text = match (body, kind) {
        (Json::Null, _) => return None,
        (Json::String(text), Kind::Json) => compile_json_text(compiler, BODY, text),
        (Json::String(text), Kind::Form) => compiler.text(BODY, text, &FORM_TEXT),
        (Json::String(text), _) => compiler.text(BODY, text, &TEXT),
        (Json::Object(fields), Kind::Form) => form(compiler, fields),
        (_, Kind::Form) => {
            let message = "with a form content type the body is an object of texts, numbers and booleans, or a text such as a=1&b=2";
            compiler.problem(BODY, "bad_body", None, message);
            return None;
        }
        _ => json_value(compiler, body),
    };
    if let (Kind::Varies, false, Some((name, _))) = (kind, text.is_static(), header) {
        let message = "the content type must be written out, since it decides how values are placed in the body";
        compiler.problem(
            Field::new("headers", name),
            "bad_content_type",
            None,
            message,
        );
    }
    let json = kind == Kind::Unsaid && !body.is_string();
    Some(Body {
        text,
        content_type: json.then_some("application/json"),
    })
}

fn kind_of(content_type: &str) -> Kind {
    let mut errors = Vec::new();
    let segments = crate::parse::segments(
        content_type,
        crate::parse::Syntax { secret_uri: true },
        &mut errors,
    );
    if segments
        .iter()
        .any(|segment| !matches!(segment, Segment::Literal { .. }))
    {
        return Kind::Varies;
    }
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or("")
        .trim_ascii()
        .to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => Kind::Form,
        "application/json" | "text/json" => Kind::Json,
        other if other.ends_with("+json") => Kind::Json,
        _ => Kind::Other,
    }
}

fn form(compiler: &mut Compiler<'_>, fields: &serde_json::Map<String, Json>) -> Text {
    let mut text = Text::default();
    for (name, value) in fields {
        let field = Field::new("body", name);
        compiler.literal_name(field, name);
        if !text.is_empty() {
            text.push_static(b"&");
        }
        text.push_encoded(name.as_bytes(), percent);
        text.push_static(b"=");
        match value {
            Json::String(value) => text.append(compiler.text(field, value, &FORM_VALUE)),
            Json::Number(_) | Json::Bool(_) => {
                text.push_encoded(value.to_string().as_bytes(), percent)
            }
            Json::Null => {}
            Json::Array(_) | Json::Object(_) => {
                let message = "a form's field is a text, a number or a boolean";
                compiler.problem(field, "bad_body", None, message);
            }
        }
    }
    text
}

fn json_value(compiler: &mut Compiler<'_>, body: &Json) -> Text {
    let mut walk = Walk {
        compiler,
        text: Text::default(),
        path: String::new(),
        too_deep: false,
    };
    walk.value(body, 0);
    let Walk { text, too_deep, .. } = walk;
    if too_deep {
        let message =
            format!("a JSON body is nested at most {MAX_JSON_DEPTH} deep, this one is deeper");
        compiler.problem(BODY, "too_deep", None, message);
    }
    text
}

/// Serialises a JSON value into pieces, remembering the path to the leaf for problems.
struct Walk<'c, 'o> {
    compiler: &'c mut Compiler<'o>,
    text: Text,
    path: String,
    too_deep: bool,
}

impl Walk<'_, '_> {
    fn value(&mut self, value: &Json, depth: usize) {
        match value {
            Json::String(leaf) => self.leaf(leaf),
            Json::Array(items) => {
                let items = items.iter().enumerate();
                self.container(b"[", b"]", depth, items, |walk, index| {
                    walk.path.push_str(&index.to_string())
                });
            }
            Json::Object(fields) => self.container(b"{", b"}", depth, fields.iter(), Self::name),
            Json::Null => self.text.push_static(b"null"),
            Json::Bool(flag) => self
                .text
                .push_static(if *flag { b"true" } else { b"false" }),
            Json::Number(number) => self.text.push_static(number.to_string().as_bytes()),
        }
    }

    fn container<'j, K>(
        &mut self,
        open: &[u8],
        close: &[u8],
        depth: usize,
        items: impl Iterator<Item = (K, &'j Json)>,
        begin: impl Fn(&mut Self, K),
    ) {
        if depth >= MAX_JSON_DEPTH {
            self.too_deep = true;
            return;
        }
        self.text.push_static(open);
        let parent = self.path.len();
        for (index, (key, item)) in items.enumerate() {
            if index > 0 {
                self.text.push_static(b",");
            }
            if parent > 0 {
                self.path.push('.');
            }
            begin(self, key);
            self.value(item, depth + 1);
            self.path.truncate(parent);
        }
        self.text.push_static(close);
    }

    fn name(&mut self, name: &String) {
        self.path.push_str(name);
        self.compiler
            .literal_name(Field::new("body", &self.path), name);
        self.text.push_static(b"\"");
        self.text.push_encoded(name.as_bytes(), json_string);
        self.text.push_static(b"\":");
    }

    fn leaf(&mut self, leaf: &str) {
        self.text.push_static(b"\"");
        let value = self
            .compiler
            .text(Field::new("body", &self.path), leaf, &JSON_LEAF);
        self.text.append(value);
        self.text.push_static(b"\"");
    }
}
