//! Numbers that look random and depend on the seed alone.
//!
//! Not for secrets. A stream is addressed by what it is for, so that one more draw here changes nothing there.

/// What a stream of numbers is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For {
    Organisation = 1,
    Tenant,
    Object,
    Person,
    Row,
    Blank,
    Order,
    Lines,
}

/// A splitmix64 generator.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64, what: For, index: u64) -> Random {
        let mut mixed = Random(seed);
        let mut mixed = Random(mixed.next() ^ what as u64);
        Random(mixed.next() ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    pub(crate) fn chance(&mut self, rate: f64) -> bool {
        // 53 bits are what a float holds.
        ((self.next() >> 11) as f64 / (1u64 << 53) as f64) < rate
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// All numbers below `count` in a mixed order, without a list of them: a Feistel network that walks on while it is
/// outside.
pub(crate) struct Order {
    count: u64,
    half: u32,
    keys: [u64; 4],
}

impl Order {
    pub(crate) fn new(seed: u64, count: u64) -> Order {
        let mut random = Random::new(seed, For::Order, count);
        let bits = 64 - count.leading_zeros();
        Order { count, half: bits.div_ceil(2).max(1), keys: [(); 4].map(|()| random.next()) }
    }

    pub(crate) fn at(&self, index: u64) -> u64 {
        let mask = (1u64 << self.half) - 1;
        let mut value = index;
        loop {
            let (mut left, mut right) = (value >> self.half, value & mask);
            for key in self.keys {
                (left, right) = (right, left ^ (Random(right ^ key).next() & mask));
            }
            value = (left << self.half) | right;
            if value < self.count {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_holds_each_number_once() {
        for count in [1, 2, 3, 100, 1000] {
            let order = Order::new(7, count);
            let mut seen: Vec<u64> = (0..count).map(|index| order.at(index)).collect();
            assert!(count < 100 || !seen.is_sorted());
            seen.sort_unstable();
            assert_eq!(seen, (0..count).collect::<Vec<_>>());
        }
    }
}
