//! Where settings come from, and which wins.

use super::given::parse_file;
use super::*;

fn none(_: &str) -> Option<String> {
    None
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!(
        "padclock-config-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn with_nothing_given_the_documented_defaults_hold() {
    let flags = Flags {
        data: Some("/tmp/nowhere".to_owned()),
        ..Flags::default()
    };
    let settings = resolve_from(&flags, &none).unwrap().settings().unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:7464");
    assert_eq!(settings.drain_timeout, Duration::from_secs(30));
    assert!(
        settings.egress_allow.is_empty() && !settings.behind_proxy && settings.database.is_none()
    );
    assert_eq!(settings.retention.days, 30);
    assert!(matches!(settings.root_key, RootKeySource::Kept(path) if path.ends_with("root.key")));
}

#[test]
fn the_data_folder_follows_xdg_and_home() {
    let xdg = |name: &str| (name == "XDG_DATA_HOME").then(|| "/x".to_owned());
    assert_eq!(default_data(&xdg), PathBuf::from("/x/padclock"));
    let home = |name: &str| (name == "HOME").then(|| "/h".to_owned());
    assert_eq!(
        default_data(&home),
        PathBuf::from("/h/.local/share/padclock")
    );
}

#[test]
fn flag_wins_over_environment_over_file() {
    let folder = folder();
    let file = folder.join("p.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:1\"\nper_host = 3\nnode = \"file\"\n[egress]\nallow = [\"10.0.0.0/8\"]\n").unwrap();
    let env = |name: &str| match name {
        "PADCLOCK_LISTEN" => Some("127.0.0.1:2".to_owned()),
        "PADCLOCK_PER_HOST" => Some("4".to_owned()),
        _ => None,
    };
    let flags = Flags {
        config: Some(file),
        data: Some(folder.display().to_string()),
        listen: Some("127.0.0.1:3".to_owned()),
        ..Flags::default()
    };
    let config = resolve_from(&flags, &env).unwrap();
    let settings = config.settings().unwrap();
    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.per_host, 4);
    assert_eq!(settings.node.as_deref(), Some("file"));
    assert_eq!(settings.egress_allow.len(), 1);
    let shown = config.shown();
    for part in ["listen", "flag", "environment", "file", "default"] {
        assert!(shown.contains(part), "{shown}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn unknown_keys_and_bad_values_are_refused() {
    let folder = folder();
    let file = folder.join("bad.toml");
    std::fs::write(&file, "lisen = \"127.0.0.1:1\"\n").unwrap();
    let flags = Flags {
        config: Some(file),
        data: Some(folder.display().to_string()),
        ..Flags::default()
    };
    let error = format!("{:#}", resolve_from(&flags, &none).unwrap_err());
    assert!(error.contains("lisen"), "{error}");
    let bad = [
        Flags {
            listen: Some("nowhere".to_owned()),
            ..Flags::default()
        },
        Flags {
            max_in_flight: Some("0".to_owned()),
            ..Flags::default()
        },
        Flags {
            egress_allow: vec!["10.0.0.0/99".to_owned()],
            ..Flags::default()
        },
    ];
    for flags in bad {
        let flags = Flags {
            data: Some(folder.display().to_string()),
            ..flags
        };
        assert!(resolve_from(&flags, &none).unwrap().settings().is_err());
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn secrets_are_read_and_never_shown() {
    let env = |name: &str| match name {
        "PADCLOCK_ROOT_KEY" => Some("aa".repeat(32)),
        "PADCLOCK_BOOTSTRAP_TOKEN" => Some("hunter2hunter2hunter2".to_owned()),
        "PADCLOCK_DATABASE_URL" => Some("postgres://u:hunter3@h/d".to_owned()),
        _ => None,
    };
    let flags = Flags {
        data: Some("/tmp/nowhere".to_owned()),
        ..Flags::default()
    };
    let config = resolve_from(&flags, &env).unwrap();
    let said = format!(
        "{} {:?}",
        config.shown(),
        config.settings().unwrap().root_key
    );
    assert!(!said.contains("hunter") && !said.contains("aaaa"), "{said}");
    assert!(matches!(
        config.settings().unwrap().root_key,
        RootKeySource::Hex(_)
    ));
}

#[test]
fn a_file_that_can_not_be_read_is_told_by_line_and_not_quoted() {
    for text in [
        "node = \"n\"\ndatabase_url = \"postgres://u:hunter2@h/d\"\n",
        "node = \"n\"\ndatabase = \"postgres://u:hunter2@h/d\n",
        "node = \"n\"\nlisten = [\"hunter2\"]\n",
        "node = \"n\"\nmax_in_flight = \"hunter2\"\n",
    ] {
        let error = format!(
            "{:#} {:?}",
            parse_file(text).unwrap_err(),
            parse_file(text).unwrap_err()
        );
        assert!(
            error.contains("line 2") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
