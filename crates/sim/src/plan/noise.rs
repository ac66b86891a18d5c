//! Chance without a generator: the same seed and place in time always give the same number.

/// Mixes a seed with what the number is for.
pub fn hash(seed: u64, what: u64, index: i64) -> u64 {
    let mut z =
        seed ^ what.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index as u64).wrapping_mul(0xd1b5_4a32_d192_ed03);
    // SplitMix64's finaliser, twice: neighbouring indices must not resemble each other
    for _ in 0..2 {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
    }
    z
}

/// Uniform in `0.0..1.0`.
pub fn unit(seed: u64, what: u64, index: i64) -> f64 {
    (hash(seed, what, index) >> 11) as f64 / (1u64 << 53) as f64
}

/// Uniform in `from..to`.
pub fn range(seed: u64, what: u64, index: i64, from: f64, to: f64) -> f64 {
    from + (to - from) * unit(seed, what, index)
}

/// Smooth noise in `0.0..1.0` with knots at whole `x`.
pub fn smooth(seed: u64, what: u64, x: f64) -> f64 {
    let knot = x.floor();
    let f = x - knot;
    let f = f * f * (3.0 - 2.0 * f);
    let (a, b) = (unit(seed, what, knot as i64), unit(seed, what, knot as i64 + 1));
    a + (b - a) * f
}
