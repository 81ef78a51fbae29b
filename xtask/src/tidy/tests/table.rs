//! What the tree keeps in a table of its own: crate edges in the document, sums of the migrations.

use super::*;

const ANOTHER_SUM: &str = "f4c7d0d00fb94a0a29c2bf6d8ce9c8a28f27db3a6a4e2b0d5f4a3fbb19e1c0f1";

#[test]
fn migrations_stay_as_they_landed() {
    let file = (
        "crates/store/migrations/0001_first.sql",
        "CREATE TABLE a (b);\n",
    );
    let list = "crates/store/migrations/CHECKSUMS";
    let unlisted = messages(&[file]);
    let (_, right) = unlisted[0].split_once("add the line: ").unwrap();
    assert!(
        unlisted[0].starts_with("crates/store/migrations/0001_first.sql:1: "),
        "{unlisted:?}"
    );
    assert!(right.ends_with("  0001_first.sql"), "{right}");
    assert!(messages(&[file, (list, right)]).is_empty());

    let changed = messages(&[file, (list, &format!("{ANOTHER_SUM}  0001_first.sql\n"))]);
    assert!(
        changed[0].contains("0001_first.sql:1: this migration has landed"),
        "{changed:?}"
    );
    let gone = messages(&[(list, right)]);
    assert!(
        gone[0].contains("CHECKSUMS:1: 0001_first.sql is not in the folder"),
        "{gone:?}"
    );
    let nonsense = messages(&[file, (list, &format!("nonsense\n{right}"))]);
    assert!(
        nonsense[0].contains("CHECKSUMS:1: not `SHA-256"),
        "{nonsense:?}"
    );
}

/// The edges of two crates, `low` and `high`, where `high` may use `low`, and `axum` is `high`'s.
fn edges(low: &str, high: &str) -> Vec<String> {
    let table = format!(
        "# A\n\n{TABLE}| `low` | a | – | |\n| `high` | b | `low` | `axum`, `clap` |\n\nText.\n"
    );
    let tree = Tree::made_of(&[
        ("ARCHITECTURE.md", &table),
        ("crates/low/Cargo.toml", low),
        ("crates/high/Cargo.toml", high),
    ]);
    check(&tree).iter().map(ToString::to_string).collect()
}

#[test]
fn allowed_edges_are_silent() {
    let high =
        "[dependencies]\npadclock-low.workspace = true\naxum.workspace = true\nserde = \"1\"\n";
    assert!(edges("[dependencies]\nserde = \"1\"\n[dev-dependencies]\naxum = \"1\"\npadclock-high = \"1\"\n", high).is_empty());
}

#[test]
fn forbidden_edges_are_named_with_their_line() {
    let found = edges(
        "[dependencies]\nserde = \"1\"\npadclock-high.workspace = true\n",
        "",
    );
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("crates/low/Cargo.toml:3: low may not depend on high"),
        "{found:?}"
    );
    let found = edges("[dependencies]\naxum = \"1\"\n", "");
    assert!(
        found[0].starts_with("crates/low/Cargo.toml:2: axum belongs to high"),
        "{found:?}"
    );
    for hidden in [
        "[build-dependencies]\naxum = \"1\"\n",
        "[target.'cfg(unix)'.dependencies]\naxum = \"1\"\n",
        "[dependencies]\nweb = { package = \"axum\", version = \"1\" }\n",
    ] {
        assert_eq!(edges(hidden, "").len(), 1, "{hidden}");
    }
}

#[test]
fn rows_and_crates_belong_together() {
    let with = |table: &str, manifest: &str| {
        let tree = Tree::made_of(&[("ARCHITECTURE.md", table), (manifest, "")]);
        check(&tree)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let row = format!("{TABLE}| `x` | – | – | |\n");
    assert!(with(&row, "crates/x/Cargo.toml").is_empty());
    let both = with(&row, "crates/y/Cargo.toml");
    assert!(
        both[0].starts_with("ARCHITECTURE.md:3: there is no crate \"x\""),
        "{both:?}"
    );
    assert!(
        both[1].starts_with("crates/y/Cargo.toml:1: the crate \"y\" has no row"),
        "{both:?}"
    );
    assert!(with("no table", "crates/x/Cargo.toml")[0].contains("the crate table is missing"));
}
