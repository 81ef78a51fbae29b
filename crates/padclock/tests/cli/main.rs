//! `cronctl` as it is used: each file in `cases` is a list of command lines with what the server answers, what it is
//! asked, and what is printed. `CASES=write cargo test --test cli` writes the outcomes anew, to be read before they are
//! kept. No case may print a token or a value, whatever its file says.

#![cfg(test)]

mod bulk;
mod case;
mod credentials;
mod exec;
mod fake;
mod play;
mod tls;

use std::path::Path;

/// Runs the cases of one file.
fn cases(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cli/cases")
        .join(name)
        .with_extension("case");
    let text = std::fs::read_to_string(&path).unwrap();
    let played: Vec<case::Case> = case::parse(&text).into_iter().map(play::play).collect();
    let outcome = case::written(&played);
    if std::env::var_os("CASES").is_some_and(|word| word == "write") {
        std::fs::write(&path, outcome).unwrap();
    } else if outcome != text {
        panic!("{}", case::difference(&text, &outcome, &path));
    }
}

macro_rules! files {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[test]
        fn $name() {
            cases(stringify!($name));
        }
    )*};
}

files! {
    help;
    usage;
    secrets;
    values;
    jobs;
    definitions;
    runs;
    watch;
    connection;
    refusals;
    scan;
    output;
    exec_command;
    import;
    export;
    people;
}
