//! A Rust file as tokens: comments are gone, and each token knows its line and whether it belongs to a test.
//!
//! Tokens and not text, so that a word in a comment or a string is never taken for code. No grammar beyond that.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

use super::tree::File;

/// One token. Groups stand as their opening and closing character; `::` and other joined punctuation is one token.
pub struct Token {
    pub text: String,
    pub line: usize,
    pub test: bool,
    /// A string literal's own text between its quotes, escapes as written.
    pub string: Option<String>,
}

/// A function with a body.
pub struct Function {
    pub name: String,
    pub line: usize,
    /// Lines from `fn` to the closing brace.
    pub lines: usize,
    pub test: bool,
}

/// A Rust file, read.
pub struct Source {
    pub path: String,
    pub text: String,
    pub tokens: Vec<Token>,
    pub functions: Vec<Function>,
    /// The line at which the text stops being Rust, if it does.
    pub broken: Option<usize>,
}

impl Source {
    /// Reads a file; what cannot be read as tokens is marked as broken. `test`: all of it belongs to tests.
    pub fn read(file: &File, test: bool) -> Source {
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        let mut source = Source {
            path: file.path.clone(),
            text,
            tokens: Vec::new(),
            functions: Vec::new(),
            broken: None,
        };
        match source.text.parse::<TokenStream>() {
            Ok(stream) => source.walk(stream, test || is_test_path(&file.path)),
            Err(error) => source.broken = Some(error.span().start().line),
        }
        source
    }

    /// The first tokens of all places where this sequence stands; a pattern's tokens are separated by spaces.
    pub fn find<'s>(&'s self, pattern: &str) -> Vec<&'s Token> {
        let words: Vec<&str> = pattern.split_whitespace().collect();
        let matches = |window: &&[Token]| {
            window
                .iter()
                .zip(&words)
                .all(|(token, word)| token.text == *word)
        };
        self.tokens
            .windows(words.len())
            .filter(matches)
            .filter_map(<[Token]>::first)
            .collect()
    }

    /// Where the files of this one's `#[cfg(test)] mod NAME;` are, without `.rs` or `/mod.rs`.
    pub fn test_modules(&self) -> Vec<String> {
        let here = self.path.trim_end_matches(".rs");
        let folder = match here.rsplit_once('/') {
            Some((folder, "lib" | "main" | "mod")) => folder,
            _ => here,
        };
        let modules = self.tokens.windows(3).filter(|window| {
            window.iter().all(|token| token.test)
                && window[0].text == "mod"
                && window[2].text == ";"
        });
        modules
            .map(|window| format!("{folder}/{}", window[1].text))
            .collect()
    }

    fn walk(&mut self, stream: TokenStream, in_test: bool) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        // Set by a test's attribute, and good for the item that follows.
        let mut item_is_test = in_test;
        while let Some(tree) = trees.get(at) {
            match tree {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let Some((group, length)) = attribute(&trees[at..]) {
                        if starts_with(group, "doc") {
                            at += length;
                            continue;
                        }
                        item_is_test |= marks_a_test(group);
                    }
                    self.punctuation(&trees[at..], item_is_test);
                }
                TokenTree::Punct(_) => at += self.punctuation(&trees[at..], item_is_test),
                TokenTree::Group(group) => {
                    self.group(group, item_is_test);
                    if group.delimiter() == Delimiter::Brace {
                        item_is_test = in_test;
                    }
                }
                TokenTree::Ident(ident) => {
                    let text = ident.to_string();
                    if text == "fn" {
                        self.functions.extend(function(&trees[at..], item_is_test));
                    }
                    self.push(text, tree, item_is_test, None);
                }
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let string = between_quotes(&text);
                    self.push(text, tree, item_is_test, string);
                }
            }
            if matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';') {
                item_is_test = in_test;
            }
            at += 1;
        }
    }

    /// Pushes the punctuation at the front, joined; answers how many further trees it took.
    fn punctuation(&mut self, trees: &[TokenTree], test: bool) -> usize {
        let mut text = String::new();
        for tree in trees {
            let TokenTree::Punct(punct) = tree else { break };
            text.push(punct.as_char());
            if punct.spacing() == Spacing::Alone || text.len() == 2 {
                break;
            }
        }
        let more = text.len().saturating_sub(1);
        // Only `::` is looked for as a pair; any other stays single, for `.` before a name must be found in `..` too.
        let (text, more) = if text == "::" {
            (text, more)
        } else {
            (text.chars().take(1).collect(), 0)
        };
        if let Some(first) = trees.first() {
            self.push(text, first, test, None);
        }
        more
    }

    fn group(&mut self, group: &Group, test: bool) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        let mut edge = |text: &str, line| {
            self.tokens.push(Token {
                text: text.to_owned(),
                line,
                test,
                string: None,
            });
        };
        edge(open, group.span_open().start().line);
        self.walk(group.stream(), test);
        let mut edge = |text: &str, line| {
            self.tokens.push(Token {
                text: text.to_owned(),
                line,
                test,
                string: None,
            });
        };
        edge(close, group.span_close().start().line);
    }

    fn push(&mut self, text: String, tree: &TokenTree, test: bool, string: Option<String>) {
        self.tokens.push(Token {
            text,
            line: tree.span().start().line,
            test,
            string,
        });
    }
}

/// Is all of a file with this path a test?
fn is_test_path(path: &str) -> bool {
    path.split('/')
        .any(|part| part == "tests" || part == "tests.rs")
}

/// `#[…]` or `#![…]` at the front: its bracket group, and how many trees it takes.
fn attribute(trees: &[TokenTree]) -> Option<(&Group, usize)> {
    let bang = matches!(trees.get(1), Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
    let at = 1 + usize::from(bang);
    match trees.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            Some((group, at + 1))
        }
        _ => None,
    }
}

fn starts_with(group: &Group, word: &str) -> bool {
    matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(ident)) if ident == word)
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]` and `#[cfg(all(test, …))]`, but not `#[cfg(not(test))]`.
fn marks_a_test(group: &Group) -> bool {
    let text = group.stream().to_string().replace(' ', "");
    let path = text.split('(').next().unwrap_or_default();
    if path == "cfg" {
        return text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == "test")
            && !text.contains("not(test");
    }
    path.rsplit("::").next() == Some("test")
}

/// The function whose `fn` is at the front, when it has a name and a body.
fn function(trees: &[TokenTree], test: bool) -> Option<Function> {
    let Some(TokenTree::Ident(name)) = trees.get(1) else {
        return None;
    };
    for tree in trees {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == ';' => return None,
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                let line = trees.first()?.span().start().line;
                let lines = body.span_close().end().line + 1 - line;
                return Some(Function {
                    name: name.to_string(),
                    line,
                    lines,
                    test,
                });
            }
            _ => {}
        }
    }
    None
}

fn between_quotes(literal: &str) -> Option<String> {
    let open = literal.find('"')?;
    let close = literal.rfind('"')?;
    literal.get(open + 1..close).map(str::to_owned)
}
