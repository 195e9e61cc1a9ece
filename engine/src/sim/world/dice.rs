//! Dice from a seed: the only source of chance in a simulated world.

/// A stream of numbers that follows from its seed alone (`SplitMix64`).
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Builds the stream of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Builds another stream that follows from this one's seed and a name.
    pub(super) fn fork(&self, name: &str) -> Self {
        let mut forked = Self(self.0);
        for byte in name.bytes() {
            forked.0 = forked.next() ^ u64::from(byte);
        }
        Self(forked.next())
    }

    /// Returns the next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `most`, 0 when there is none.
    pub(super) fn below(&mut self, most: usize) -> usize {
        let most = most.max(1) as u64;
        usize::try_from(self.next() % most).expect("a remainder of a usize")
    }

    /// Returns a number from `least` to `most`.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    /// Tells whether something happens that happens so many times in a thousand.
    pub(super) fn chance(&mut self, permille: u32) -> bool {
        self.next() % 1_000 < u64::from(permille)
    }

    /// Returns one of several; there must be one.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Returns a length of time, most often short and now and then very long.
    pub(super) fn millis(&mut self, longest: u64) -> u64 {
        let scale = [20, 1_000, 30_000, 400_000, 3_600_000, u64::MAX];
        let most = (*self.pick(&scale)).min(longest).max(1);
        self.between(0, most)
    }
}
