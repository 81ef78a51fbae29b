//! One shell command line, read as `sh` would read it and never run. What depends on anything but the line itself and its
//! variables (pipes, substitutions, several commands) is refused with a reason that repeats nothing of the line.

use zeroize::Zeroizing;

/// A part of a word.
#[derive(Clone)]
pub(crate) enum Piece {
    /// Text as it stands; it may hold a credential.
    Text(Zeroizing<String>),
    /// `$NAME` or `${NAME}`; whether it stood in double quotes.
    Variable { name: String, quoted: bool },
}

/// A word after quotes were taken away.
#[derive(Clone, Default)]
pub(crate) struct Word(pub(crate) Vec<Piece>);

impl Word {
    /// Its text, when it has no variable.
    pub(crate) fn plain(&self) -> Option<Zeroizing<String>> {
        let mut all = Zeroizing::new(String::new());
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => all.push_str(text),
                Piece::Variable { .. } => return None,
            }
        }
        Some(all)
    }

    fn push(&mut self, c: char) {
        match self.0.last_mut() {
            Some(Piece::Text(text)) => text.push(c),
            _ => self.0.push(Piece::Text(Zeroizing::new(c.to_string()))),
        }
    }
}

/// Where a command's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    /// A log: appended to, or a file named `.log`.
    Log,
    /// Some other file that is written anew.
    File,
}

/// One simple command.
#[derive(Default)]
pub(crate) struct Line {
    /// The words, assignments in front left out.
    pub(crate) words: Vec<Word>,
    /// Names that are set for the command in front of it.
    pub(crate) assigned: Vec<String>,
    /// Where standard output goes, if to a file.
    pub(crate) sink: Option<Sink>,
}

/// Why a line can't be read as one command.
pub(crate) type Reason = &'static str;

pub(crate) const SEVERAL: Reason =
    "it is more than one command: make a job of each, one request per job";
const PIPE: Reason = "its output or input is piped to another command";
const SUBSTITUTION: Reason = "it holds a command substitution, which only a shell can work out";
const PARAMETER: Reason =
    "it holds a shell parameter other than $NAME, which only a shell can work out";
const AMPERSAND: Reason =
    "an & outside of quotes ends the command there: put the URL in quotes and import again";
const OPEN: Reason = "a quote is opened and never closed";
const COMPOUND: Reason = "it is a shell construct, not a plain command";
const INPUT: Reason = "it reads a file of this machine";
const BRACES: Reason = "it holds braces that some shells expand: put them in quotes";
const ANSI: Reason = "it holds a $'…' or $\"…\" quote, which shells read differently";

/// Reads a line.
pub(crate) fn read(text: &str) -> Result<Line, Reason> {
    let tokens = tokens(text)?;
    let commands = split(tokens)?;
    command(commands)
}

enum Token {
    Word {
        word: Word,
        /// Nothing of it was quoted or escaped: it may be an operator's number, an assignment or a keyword.
        bare: bool,
    },
    /// `;`, `&`, `&&`, `||`, `|`, `(`, `)`.
    Operator(&'static str),
    /// `>`, `>>`, `<`, `>&`, with the number in front.
    Redirect { from: Option<u8>, how: &'static str },
}

struct Reader<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    tokens: Vec<Token>,
    word: Option<(Word, bool)>,
}

fn tokens(text: &str) -> Result<Vec<Token>, Reason> {
    let mut reader = Reader {
        rest: text.chars().peekable(),
        tokens: Vec::new(),
        word: None,
    };
    while let Some(c) = reader.rest.next() {
        reader.step(c)?;
    }
    reader.end_word();
    Ok(reader.tokens)
}

impl Reader<'_> {
    fn step(&mut self, c: char) -> Result<(), Reason> {
        match c {
            ' ' | '\t' => self.end_word(),
            '\n' | '\r' => self.operator(";"),
            '\'' => self.single()?,
            '"' => self.double()?,
            '\\' => match self.rest.next() {
                Some('\n') => {}
                Some(next) => self.quoted(next),
                None => self.quoted('\\'),
            },
            '$' => self.dollar(false)?,
            '`' => return Err(SUBSTITUTION),
            '#' if self.word.is_none() => while self.rest.next_if(|c| *c != '\n').is_some() {},
            '{' if self.braces() => return Err(BRACES),
            '|' => {
                let or = self.rest.next_if_eq(&'|').is_some();
                self.operator(if or { "||" } else { "|" });
            }
            '&' if self.rest.next_if_eq(&'&').is_some() => self.operator("&&"),
            // `&>FILE`: both outputs, in bash.
            '&' if self.word.is_none() && self.rest.peek() == Some(&'>') => {
                self.rest.next();
                self.redirect('>');
            }
            '&' => self.operator("&"),
            ';' => self.operator(";"),
            '(' | ')' => self.operator("("),
            '>' | '<' => self.redirect(c),
            c => self.bare(c),
        }
        Ok(())
    }

    /// Whether an unquoted `{` begins what bash expands: braces with a comma or dots in the same word.
    fn braces(&self) -> bool {
        let ahead = self.rest.clone();
        let word: String = ahead.take_while(|c| !c.is_whitespace()).collect();
        word.split_once('}')
            .is_some_and(|(inner, _)| inner.contains(',') || inner.contains(".."))
    }

    fn bare(&mut self, c: char) {
        self.word
            .get_or_insert_with(|| (Word::default(), true))
            .0
            .push(c);
    }

    fn quoted(&mut self, c: char) {
        let (word, bare) = self.word.get_or_insert_with(Default::default);
        *bare = false;
        word.push(c);
    }

    fn open(&mut self) -> &mut Word {
        let (word, bare) = self.word.get_or_insert_with(Default::default);
        *bare = false;
        word
    }

    fn single(&mut self) -> Result<(), Reason> {
        self.open();
        loop {
            match self.rest.next() {
                None => return Err(OPEN),
                Some('\'') => return Ok(()),
                Some(c) => self.quoted(c),
            }
        }
    }

    fn double(&mut self) -> Result<(), Reason> {
        self.open();
        loop {
            match self.rest.next() {
                None => return Err(OPEN),
                Some('"') => return Ok(()),
                Some('`') => return Err(SUBSTITUTION),
                Some('$') => self.dollar(true)?,
                Some('\\') => match self.rest.next() {
                    None => return Err(OPEN),
                    Some('\n') => {}
                    Some(c @ ('$' | '`' | '"' | '\\')) => self.quoted(c),
                    Some(c) => {
                        self.quoted('\\');
                        self.quoted(c);
                    }
                },
                Some(c) => self.quoted(c),
            }
        }
    }

    fn dollar(&mut self, quoted: bool) -> Result<(), Reason> {
        let begins = |c: &char| c.is_ascii_alphabetic() || *c == '_';
        let goes_on = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        let braced = self.rest.next_if_eq(&'{').is_some();
        let mut name = String::new();
        if let Some(first) = self.rest.next_if(begins) {
            name.push(first);
            while let Some(c) = self.rest.next_if(goes_on) {
                name.push(c);
            }
        }
        if braced && self.rest.next_if_eq(&'}').is_none() {
            return Err(PARAMETER);
        }
        if !name.is_empty() {
            self.open().0.push(Piece::Variable { name, quoted });
            return Ok(());
        }
        match self.rest.peek() {
            _ if braced => Err(PARAMETER),
            Some('(') => Err(SUBSTITUTION),
            Some('\'' | '"') if !quoted => Err(ANSI),
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(*c) => Err(PARAMETER),
            // A dollar that begins nothing stands for itself.
            _ => {
                self.quoted('$');
                Ok(())
            }
        }
    }

    fn redirect(&mut self, c: char) {
        let number = match &self.word {
            Some((word, true)) => word.plain().and_then(|text| text.parse::<u8>().ok()),
            _ => None,
        };
        if number.is_some() {
            self.word = None;
        } else {
            self.end_word();
        }
        let how = match (c, self.rest.peek()) {
            ('>', Some('>')) => ">>",
            ('>', Some('&')) => ">&",
            ('>', Some('|')) => ">|",
            ('<', Some('<')) => "<<",
            ('<', _) => "<",
            _ => ">",
        };
        if how.len() == 2 {
            self.rest.next();
        }
        self.tokens.push(Token::Redirect { from: number, how });
    }

    fn operator(&mut self, operator: &'static str) {
        self.end_word();
        self.tokens.push(Token::Operator(operator));
    }

    fn end_word(&mut self) {
        if let Some((word, bare)) = self.word.take() {
            self.tokens.push(Token::Word { word, bare });
        }
    }
}

/// What stands between operators, and the operator behind each.
type Part = (Vec<Token>, Option<&'static str>);

fn split(tokens: Vec<Token>) -> Result<Vec<Part>, Reason> {
    let mut parts: Vec<Part> = Vec::new();
    let mut part = Vec::new();
    for token in tokens {
        match token {
            Token::Operator("|") => return Err(PIPE),
            Token::Operator("(") => return Err(COMPOUND),
            Token::Operator(operator) => parts.push((std::mem::take(&mut part), Some(operator))),
            other => part.push(other),
        }
    }
    parts.push((part, None));
    Ok(parts)
}

/// The one command that does something: `cd DIR &&` in front of it and `|| true`, `; exit 0` behind it do not.
fn command(parts: Vec<Part>) -> Result<Line, Reason> {
    let mut line: Option<Line> = None;
    let mut before = None;
    for (tokens, operator) in parts {
        if tokens.is_empty() {
            before = operator.or(before);
            continue;
        }
        let next = simple(tokens)?;
        let idle = is_idle(&next, line.is_none());
        if line.is_some() && !idle {
            // `URL?a=1&b=2` without quotes: the shell takes what follows for an assignment.
            let cut = before == Some("&") && next.words.is_empty();
            return Err(if cut { AMPERSAND } else { SEVERAL });
        }
        if !idle {
            line = Some(next);
        }
        before = operator;
    }
    let line = line.ok_or("it does nothing")?;
    if line.words.is_empty() {
        return Err("it only sets variables");
    }
    Ok(line)
}

fn is_idle(line: &Line, first: bool) -> bool {
    let words: Vec<_> = line.words.iter().filter_map(Word::plain).collect();
    if words.len() != line.words.len() || line.sink.is_some() {
        return false;
    }
    match words.iter().map(|word| word.as_str()).collect::<Vec<_>>()[..] {
        ["true" | ":"] => true,
        ["cd", _] => first,
        ["exit"] | ["exit", _] => !first,
        _ => false,
    }
}

const KEYWORDS: [&str; 12] = [
    "if", "then", "for", "while", "until", "case", "do", "{", "}", "!", "[", "[[",
];

fn simple(tokens: Vec<Token>) -> Result<Line, Reason> {
    let mut line = Line::default();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            Token::Redirect { from, how } => {
                let Some(Token::Word { word, .. }) = tokens.next() else {
                    return Err("a redirection names no file");
                };
                redirected(&mut line, from, how, &word)?;
            }
            Token::Word { word, bare } => {
                if line.words.is_empty() {
                    if let Some(name) = assigned(&word) {
                        line.assigned.push(name);
                        continue;
                    }
                    let keyword = |text: &str| KEYWORDS.contains(&text);
                    if bare && word.plain().is_some_and(|text| keyword(&text)) {
                        return Err(COMPOUND);
                    }
                }
                line.words.push(word);
            }
            Token::Operator(_) => return Err(COMPOUND),
        }
    }
    Ok(line)
}

/// The name in `NAME=…`.
fn assigned(word: &Word) -> Option<String> {
    let Some(Piece::Text(text)) = word.0.first() else {
        return None;
    };
    let (name, _) = text.split_once('=')?;
    is_name(name).then(|| name.to_owned())
}

/// Whether this can be a variable's name.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn redirected(
    line: &mut Line,
    from: Option<u8>,
    how: &'static str,
    to: &Word,
) -> Result<(), Reason> {
    let target = to.plain();
    let target = target.as_ref().map(|text| text.as_str()).unwrap_or("?");
    match how {
        "<" if target == "/dev/null" => Ok(()),
        "<" | "<<" => Err(INPUT),
        // `2>&1`: one output joins the other.
        ">&" if target == "-" || target.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
        _ if target == "/dev/null" || from == Some(2) => Ok(()),
        _ => {
            let log = how == ">>" || target.ends_with(".log");
            line.sink = Some(if log { Sink::Log } else { Sink::File });
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
