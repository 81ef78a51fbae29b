//! `H`: a value that is always the same for a job and spread evenly over jobs. Needs to stay as
//! it is: another hash would move every such job's times.

/// A number below `bound`, from the job's id and the place in the expression.
pub(super) fn spread(job_id: &str, place: u8, bound: u32) -> u32 {
    (hash(job_id.as_bytes(), u64::from(place)) % u64::from(bound.max(1))) as u32
}

/// FNV-1a over the bytes, mixed with `salt` by the finaliser of SplitMix64.
pub(crate) fn hash(bytes: &[u8], salt: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    mix(hash ^ mix(salt))
}

/// SplitMix64's step: each input bit changes half of the output bits.
pub(crate) const fn mix(seed: u64) -> u64 {
    let a = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ (c >> 31)
}
