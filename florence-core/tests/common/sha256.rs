//! SHA-256 (FIPS 180-4), so that golden hashes need no dependency.

/// The first 32 bits of the fractional parts of the cube roots of the primes.
fn constants() -> [u32; 64] {
    let mut k = [0; 64];
    let mut found = 0;
    let mut n = 2u64;
    while found < 64 {
        if (2..n)
            .take_while(|d| d * d <= n)
            .all(|d| !n.is_multiple_of(d))
        {
            k[found] = root_fraction(n, 3);
            found += 1;
        }
        n += 1;
    }
    k
}

/// The first 32 bits behind the point of the `degree`-th root of `n`, by
/// bisection in whole numbers.
fn root_fraction(n: u64, degree: u32) -> u32 {
    let target = u128::from(n) << (32 * degree);
    let (mut low, mut high) = (0u128, 1u128 << 40);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if middle.pow(degree) <= target {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as u32
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let k = constants();
    let mut h: [u32; 8] = [2, 3, 5, 7, 11, 13, 17, 19].map(|p| root_fraction(p, 2));
    let mut message = bytes.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend((bytes.len() as u64 * 8).to_be_bytes());
    for block in message.chunks_exact(64) {
        let mut w = [0u32; 64];
        for (w, b) in w.iter_mut().zip(block.chunks_exact(4)) {
            *w = u32::from_be_bytes(b.try_into().unwrap());
        }
        for i in 16..64 {
            let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
            let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16]
                .wrapping_add(s0)
                .wrapping_add(w[i - 7])
                .wrapping_add(s1);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut v] = h;
        for i in 0..64 {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let t1 = v
                .wrapping_add(s1)
                .wrapping_add((e & f) ^ (!e & g))
                .wrapping_add(k[i])
                .wrapping_add(w[i]);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let t2 = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (v, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
        }
        for (h, x) in h.iter_mut().zip([a, b, c, d, e, f, g, v]) {
            *h = h.wrapping_add(x);
        }
    }
    h.iter().map(|word| format!("{word:08x}")).collect()
}
