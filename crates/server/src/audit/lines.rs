//! Files of JSON lines that only their owner reads, appended to and read back.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Appends whole lines and waits until they are on the disk; answers the file's new length. A line that an earlier end of
/// the process has left torn is cut off first.
pub(super) fn append(path: &Path, lines: &[u8]) -> std::io::Result<u64> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    let mut file = options.mode(0o600).open(path)?;
    let whole = whole_length(&mut file)?;
    file.set_len(whole)?;
    file.seek(SeekFrom::Start(whole))?;
    let written = file.write_all(lines).and_then(|()| file.sync_data());
    if let Err(error) = written {
        // What is half there would be taken for a line.
        file.set_len(whole)?;
        return Err(error);
    }
    Ok(whole + lines.len() as u64)
}

/// The length up to the last line's end.
fn whole_length(file: &mut File) -> std::io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = [0; 4096];
    while end > 0 {
        let begin = end.saturating_sub(block.len() as u64);
        let part = &mut block[..usize::try_from(end - begin).unwrap_or(0)];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// The whole lines of a file from this byte on; none when it is not there or shorter.
pub(super) fn from(path: &Path, byte: u64) -> std::io::Result<Vec<String>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() < byte {
        return Ok(Vec::new());
    }
    file.seek(SeekFrom::Start(byte))?;
    let (mut reader, mut lines, mut line) = (BufReader::new(file), Vec::new(), String::new());
    while reader.read_line(&mut line)? > 0 {
        if line.ends_with('\n') {
            lines.push(line.trim_end().to_owned());
        }
        line.clear();
    }
    Ok(lines)
}

/// Writes a small file whole or not at all.
pub(super) fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut options = File::options();
    options.create(true).truncate(true).write(true).mode(0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_lines_are_cut_off_and_whole_ones_come_back() {
        let path = std::env::temp_dir().join(format!("padclock-lines-{}", std::process::id()));
        assert_eq!(from(&path, 0).unwrap(), Vec::<String>::new());
        assert_eq!(append(&path, b"one\ntwo\n").unwrap(), 8);
        File::options()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"to")
            .unwrap();
        assert_eq!(from(&path, 4).unwrap(), ["two"]);
        assert_eq!(append(&path, b"three\n").unwrap(), 14);
        assert_eq!(from(&path, 0).unwrap(), ["one", "two", "three"]);
        assert_eq!(from(&path, 99).unwrap(), Vec::<String>::new());
        let long = format!("{}\n", "x".repeat(10_000));
        assert_eq!(append(&path, long.as_bytes()).unwrap(), 10_015);
        File::options()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all("y".repeat(9_000).as_bytes())
            .unwrap();
        assert_eq!(append(&path, b"end\n").unwrap(), 10_019);
        replace(&path, "new\n").unwrap();
        assert_eq!(from(&path, 0).unwrap(), ["new"]);
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_file(path).unwrap();
    }
}
