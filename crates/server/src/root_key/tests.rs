//! Each source of the root key, and each way in which it is refused.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::random::System;

const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn folder() -> PathBuf {
    let mut name = [0; 8];
    System::default().fill(&mut name);
    let folder = std::env::temp_dir().join(format!(
        "padclock-root-key-{:016x}",
        u64::from_be_bytes(name)
    ));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn hex_of(key: &RootKey) -> String {
    #[expect(clippy::disallowed_methods, reason = "the test compares keys")]
    String::from_utf8(key.to_hex().expose().to_vec()).unwrap()
}

#[test]
fn a_kept_key_is_made_once_for_the_embedded_store_and_read_again() {
    let folder = folder();
    let source = RootKeySource::Kept(folder.join("root.key"));
    let (key, made) = source.load(true, true, &mut System::default()).unwrap();
    let path = made.unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let (again, made) = source.load(false, true, &mut System::default()).unwrap();
    assert!(made.is_none());
    assert_eq!(hex_of(&key), hex_of(&again));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_kept_key_that_went_missing_is_not_made_anew() {
    let folder = folder();
    let source = RootKeySource::Kept(folder.join("root.key"));
    let error = source
        .load(false, true, &mut System::default())
        .unwrap_err();
    assert!(matches!(error, RootKeyError::Missing { .. }), "{error}");
    assert!(!folder.join("root.key").exists());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_external_database_needs_a_key_that_was_given() {
    let source = RootKeySource::Kept(PathBuf::from("/nonexistent/root.key"));
    let error = source
        .load(true, false, &mut System::default())
        .unwrap_err();
    assert!(matches!(error, RootKeyError::NotGiven), "{error}");
}

#[test]
fn files_digits_and_commands_give_the_same_key() {
    let folder = folder();
    let path = folder.join("key");
    std::fs::write(&path, format!("{HEX}\n")).unwrap();
    let sources = [
        RootKeySource::File(path.clone()),
        RootKeySource::Hex(Value::new(HEX.as_bytes().to_vec())),
        RootKeySource::Command(format!("cat {}", path.display())),
    ];
    for source in sources {
        let (key, _) = source.load(false, false, &mut System::default()).unwrap();
        assert_eq!(hex_of(&key), HEX, "{source:?}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_no_key_is_refused_without_being_shown() {
    let wrong = "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let sources = [
        RootKeySource::Hex(Value::new(wrong.as_bytes().to_vec())),
        RootKeySource::Hex(Value::new(HEX.as_bytes()[..62].to_vec())),
        RootKeySource::Command(format!("echo {wrong}")),
        RootKeySource::Command("exit 3".to_owned()),
        RootKeySource::File(PathBuf::from("/nonexistent/key")),
    ];
    for source in sources {
        let error = source.load(true, true, &mut System::default()).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(
            !said.contains(wrong) && !said.contains(&HEX[..62]),
            "{said}"
        );
    }
}

#[test]
fn a_command_gets_none_of_the_process_own_secrets_and_is_not_shown() {
    let shell = shell("true");
    let removed: Vec<_> = shell
        .get_envs()
        .filter(|(_, value)| value.is_none())
        .collect();
    for name in NOT_PASSED_ON {
        assert!(
            removed.iter().any(|(removed, _)| *removed == name),
            "{name}"
        );
    }
    let shown = format!(
        "{:?}",
        RootKeySource::Command("fetch --token hunter2".to_owned())
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}
