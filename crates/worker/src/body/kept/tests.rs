//! What is kept of long texts, however they arrive.

use proptest::prelude::*;

use super::*;

fn keep(limit: usize, pieces: &[&[u8]]) -> KeptText {
    let mut kept = Kept::new(limit);
    for piece in pieces {
        kept.push(piece);
    }
    kept.into_text()
}

#[test]
fn what_fits_is_kept_as_it_is() {
    for (limit, text) in [(8, ""), (8, "a"), (8, "12345678"), (4, "äö")] {
        let kept = keep(limit, &[text.as_bytes()]);
        assert_eq!(
            kept,
            KeptText {
                text: text.to_owned(),
                dropped: 0,
                lossy: false
            },
            "{text}"
        );
    }
}

#[test]
fn head_and_tail_stay_and_the_rest_is_counted() {
    let kept = keep(8, &[b"0123456789"]);
    assert_eq!(kept.text, "0123\n[… 2 bytes dropped …]\n6789");
    assert_eq!(kept.dropped, 2);
}

#[test]
fn characters_are_not_cut() {
    // Each character has three bytes; both borders of the gap lie inside one.
    let text = "€€€€€€€€";
    let kept = keep(8, &[text.as_bytes()]);
    assert!(!kept.lossy);
    assert_eq!(kept.text, "€\n[… 18 bytes dropped …]\n€");
    let four = "𝄞𝄞𝄞𝄞";
    assert_eq!(
        keep(10, &[four.as_bytes()]).text,
        "𝄞\n[… 8 bytes dropped …]\n𝄞"
    );
}

#[test]
fn bytes_that_are_not_text_are_replaced_and_told() {
    assert_eq!(
        keep(8, &[b"a\xffb"]),
        KeptText {
            text: "a\u{fffd}b".to_owned(),
            dropped: 0,
            lossy: true
        }
    );
    assert!(keep(8, &[&[0xff; 40]]).lossy);
}

proptest! {
    #[test]
    fn however_it_is_cut_the_same_is_kept(text in "[a-zä€𝄞]{0,200}", limit in 8usize..64, cuts in proptest::collection::vec(0usize..600, 0..8)) {
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        pieces.push(&bytes[from..]);
        let whole = keep(limit, &[bytes]);
        prop_assert_eq!(&keep(limit, &pieces), &whole);
        prop_assert!(!whole.lossy);
        let marker = if whole.dropped == 0 { 0 } else { format!("\n[… {} bytes dropped …]\n", whole.dropped).len() };
        prop_assert_eq!(whole.text.len() - marker + usize::try_from(whole.dropped).unwrap(), bytes.len());
        prop_assert!(whole.text.len() - marker <= limit);
    }
}
