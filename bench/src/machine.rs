//! What the figures were measured on: the processor, the system, the versions.

use serde_json::{Value, json};

/// The machine and what runs on it.
#[derive(Clone, Debug)]
pub struct Machine {
    cpu: String,
    cores: usize,
    memory_gib: u64,
    kernel: String,
    build: &'static str,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let memory: u64 = field(&read("/proc/meminfo"), "MemTotal")
            .trim_end_matches(" kB")
            .parse()
            .unwrap_or_default();
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory.div_ceil(1024 * 1024),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            build: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            },
        }
    }

    /// For a person, in a line.
    pub fn line(&self) -> String {
        let Self {
            cpu,
            cores,
            memory_gib,
            kernel,
            build,
        } = self;
        format!(
            "{cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}; padclock {}, {build} build",
            version()
        )
    }

    /// For a program.
    pub fn json(&self) -> Value {
        json!({
            "cpu": self.cpu, "cores": self.cores, "memory_gib": self.memory_gib, "kernel": self.kernel,
            "build": self.build, "padclock": version(), "sqlite": rusqlite::version(),
        })
    }
}

fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The value of the first line of `/proc` text with this name.
fn field(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':')).map_or_else(
        || "unknown".to_owned(),
        |(_, value)| value.trim().to_owned(),
    )
}
