//! What is wiped is all zeros, spare capacity included, and nothing moves while it is wiped.

use super::{Wiped, wipe_all};

#[test]
fn a_vector_is_wiped_to_its_capacity_in_place() {
    for (len, capacity) in [(0, 0), (0, 16), (5, 5), (5, 64), (64, 64)] {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.resize(len, 0xa5);
        let (place, all) = (bytes.as_ptr(), bytes.capacity());
        wipe_all(&mut bytes);
        assert_eq!(bytes, vec![0; all]);
        assert_eq!((bytes.as_ptr(), bytes.capacity()), (place, all));
    }
}

#[test]
fn an_array_starts_as_zeros_and_is_written_in_place() {
    let mut bytes = Wiped::<4>::zeros();
    assert_eq!(*bytes, [0; 4]);
    bytes[2] = 7;
    assert_eq!(*bytes, [0, 0, 7, 0]);
}
