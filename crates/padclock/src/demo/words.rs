//! What the screen says before and after: who takes part, and what a reader may try.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::play::{JOB, SECRET};
use super::screen::Style;
use super::value::Planted;

/// Before the first execution.
pub(super) fn opening(
    node: SocketAddr,
    target: SocketAddr,
    folder: &Path,
    value: &Planted,
    style: Style,
) -> String {
    let row = |name: &str, text: &str| format!("\n  {} {text}", style.faint(&format!("{name:<8}")));
    let made = format!(
        "{SECRET}: {} bytes, random, with quotes, spaces, &, %, +, /, \\, é",
        value.text().len()
    );
    [
        style.head("One secret, one job every second, and a target that echoes all it gets"),
        row(
            "node",
            &format!("http://{node}, data in {}", folder.display()),
        ),
        row(
            "target",
            &format!("http://{target}, on this machine like all the rest"),
        ),
        row("secret", &made),
        row("", &format!("it may go to {target} and nowhere else")),
        row(
            "job",
            &format!("{JOB}: sends it in a header, in the query and in a JSON body"),
        ),
        format!(
            "\n\nWhat is stored of each execution, as the API answers it ({} sent, {} got):",
            style.faint(">"),
            style.faint("<")
        ),
    ]
    .concat()
}

/// After the proof, while the node stays up.
pub(super) fn closing(node: SocketAddr, target: SocketAddr, token: &Path, style: Style) -> String {
    let token = token.display();
    let cronctl = cronctl();
    let head = style.head("The node stays up until Ctrl-C; then its folder is removed. Try:");
    format!(
        r#"{head}

TOKEN=$(cat {token})
URL=http://{node}

curl -H "Authorization: Bearer $TOKEN" "$URL/v1/executions?limit=3"

curl -X POST $URL/v1/secrets \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{{
    "name": "stripe-key",
    "value": "sk_live_abc123..."
  }}'

curl -X POST $URL/v1/jobs \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{{
    "name": "stripe-sync",
    "kind": "recurring",
    "schedule": {{ "every_n_minutes": 1 }},
    "request": {{
      "url": "http://{target}/v1/charges",
      "method": "GET",
      "headers": {{
        "Authorization": "Bearer secret://stripe-key"
      }}
    }}
  }}'

{cronctl} --url $URL \
  --token-file {token} \
  jobs run stripe-sync --wait

{cronctl} --url $URL \
  --token-file {token} \
  runs list --limit 5"#
    )
}

/// How this program's second name is called from here.
fn cronctl() -> String {
    let beside = std::env::current_exe()
        .ok()
        .map(|exe| exe.with_file_name("cronctl"))
        .filter(|path| path.exists());
    let shorter = |path: PathBuf| {
        let here = std::env::current_dir().unwrap_or_default();
        path.strip_prefix(&here).map_or_else(
            |_| path.display().to_string(),
            |path| format!("./{}", path.display()),
        )
    };
    let on_path = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join("cronctl").exists());
    match beside {
        _ if on_path => "cronctl".to_owned(),
        Some(path) => shorter(path),
        None => "cargo run -q --release --bin cronctl --".to_owned(),
    }
}
