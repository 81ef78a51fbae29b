//! What is written where, and how it looks to eyes.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use super::{Look, Output, tame};
use crate::cronctl::failure::Failure;

/// What was written.
#[derive(Default)]
pub(crate) struct Paper {
    data: Rc<RefCell<Vec<u8>>>,
    notes: Rc<RefCell<Vec<u8>>>,
}

struct Pen(Rc<RefCell<Vec<u8>>>);

impl Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    pub(crate) fn data(&self) -> String {
        String::from_utf8(self.data.borrow().clone()).unwrap()
    }

    pub(crate) fn notes(&self) -> String {
        String::from_utf8(self.notes.borrow().clone()).unwrap()
    }
}

/// An output to paper.
pub(crate) fn output(paper: &Paper, terminal: bool, color: bool) -> Output {
    let look = Look {
        json: false,
        terminal,
        color,
        color_of_errors: color,
    };
    Output::to(
        Box::new(Pen(paper.data.clone())),
        Box::new(Pen(paper.notes.clone())),
        look,
    )
}

fn rows() -> Vec<Vec<String>> {
    vec![
        vec!["one".to_owned(), "failed".to_owned()],
        vec!["a\tb\nc".to_owned(), String::new()],
    ]
}

#[test]
fn eyes_get_a_table_and_programs_get_columns() {
    let paper = Paper::default();
    output(&paper, true, false)
        .table(&["NAME", "STATUS"], rows())
        .unwrap();
    let drawn = paper.data();
    let lines: Vec<&str> = drawn.lines().map(str::trim_end).collect();
    assert!(lines.contains(&"NAME     STATUS"), "{drawn}");
    assert!(lines.contains(&"one      failed"), "{drawn}");
    assert!(lines.contains(&"a\\tb\\nc  -"), "{drawn}");
    let paper = Paper::default();
    output(&paper, false, false)
        .table(&["NAME", "STATUS"], rows())
        .unwrap();
    assert_eq!(paper.data(), "one\tfailed\na\\tb\\nc\t-\n");
}

#[test]
fn colours_only_when_wanted() {
    for (terminal, color, colored) in [
        (true, true, true),
        (true, false, false),
        (false, false, false),
    ] {
        let paper = Paper::default();
        let mut output = output(&paper, terminal, color);
        output.table(&["NAME", "STATUS"], rows()).unwrap();
        output.record(&[("name", "x".to_owned())]).unwrap();
        output.warning("careful");
        assert_eq!(paper.data().contains('\u{1b}'), colored);
        assert_eq!(paper.notes().contains('\u{1b}'), colored);
    }
}

#[test]
fn a_record_is_aligned_for_eyes() {
    let fields = [("name", "x".to_owned()), ("environment", String::new())];
    let paper = Paper::default();
    output(&paper, true, false).record(&fields).unwrap();
    assert_eq!(paper.data(), "name         x\nenvironment  -\n");
    let paper = Paper::default();
    output(&paper, false, false).record(&fields).unwrap();
    assert_eq!(paper.data(), "name\tx\nenvironment\t-\n");
}

#[test]
fn text_from_elsewhere_can_not_steer_the_terminal() {
    let table = [
        ("plain é 😀\n\ttext", "plain é 😀\n\ttext"),
        ("\u{1b}[31mred", "\\u{1b}[31mred"),
        ("over\rwritten", "over\\rwritten"),
        ("\u{9b}31m\u{7}", "\\u{9b}31m\\u{7}"),
        ("abc\u{202e}cba", "abc\\u{202e}cba"),
    ];
    for (text, shown) in table {
        assert_eq!(tame(text), shown);
    }
    let paper = Paper::default();
    let mut output = output(&paper, true, false);
    output
        .table(&["NAME"], vec![vec!["\u{1b}]0;title\u{7}".to_owned()]])
        .unwrap();
    output.error("\u{1b}[2J");
    assert!(!paper.data().contains('\u{1b}') && !paper.notes().contains('\u{1b}'));
}

#[test]
fn a_reader_that_has_gone_is_told_apart_from_a_full_disk() {
    struct Broken(io::ErrorKind);
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let look = Look {
        json: false,
        terminal: false,
        color: false,
        color_of_errors: false,
    };
    let to = |kind| Output::to(Box::new(Broken(kind)), Box::new(io::sink()), look).line("x");
    assert!(matches!(
        to(io::ErrorKind::BrokenPipe),
        Err(Failure::ReaderGone)
    ));
    assert!(matches!(
        to(io::ErrorKind::StorageFull),
        Err(Failure::Error(_))
    ));
}
