//! How a file opens, and the sizes of files and functions.

use super::*;

#[test]
fn a_file_opens_with_its_doc() {
    assert_eq!(
        places("crates/x/src/a.rs", "use std::fmt;\n"),
        ["crates/x/src/a.rs:1"]
    );
    assert_eq!(places("crates/x/src/a.rs", ""), ["crates/x/src/a.rs:1"]);
}

#[test]
fn a_file_that_is_not_rust_is_named() {
    finds("crates/x/src/a.rs", "fn a() { (]\n", 2);
}

#[test]
fn long_files_fail_above_the_limit_and_are_listed_above_the_aim() {
    let of = |lines: usize| format!("//! Doc.\n{}", "\n".repeat(lines - 1));
    assert!(places("crates/x/src/a.rs", &of(800)).is_empty());
    assert_eq!(
        places("crates/x/src/a.rs", &of(801)),
        ["crates/x/src/a.rs:800"]
    );
    assert!(
        shape::report(&tree(&[("crates/x/src/a.rs", &of(401))]))
            .contains("crates/x/src/a.rs: 401 lines")
    );
    assert!(!shape::report(&tree(&[("crates/x/src/a.rs", &of(400))])).contains("a.rs"));
}

/// A function of so many lines, `fn` and closing brace counted.
fn function(name: &str, lines: usize) -> String {
    format!("fn {name}() {{\n{}}}\n", "    call();\n".repeat(lines - 2))
}

#[test]
fn long_functions_fail_above_the_limit_also_in_tests() {
    finds("crates/x/tests/a.rs", &function("long", 151), 2);
    clean("crates/x/tests/a.rs", &function("long", 150));
    let method = format!("impl A {{\n{}}}\n", function("long", 151));
    finds("crates/x/tests/a.rs", &method, 3);
    let pointer = format!(
        "type F = fn(u8);\nstruct A {{\n{}}}\n",
        "    a: u8,\n".repeat(200)
    );
    clean("crates/x/tests/a.rs", &pointer);
}

#[test]
fn one_function_in_a_hundred_may_pass_the_aim() {
    let file = |short: usize| {
        let rest: String = (0..short).map(|n| function(&format!("f{n}"), 2)).collect();
        format!("{}{rest}", function("long", 71))
    };
    clean("crates/x/src/a.rs", &file(99));
    finds("crates/x/src/a.rs", &file(98), 2);
    let test = format!("#[test]\n{}", function("long", 71));
    clean("crates/x/src/a.rs", &test);
}
