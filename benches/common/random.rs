//! Numbers without pattern, the same in every run.

/// The state (xorshift), which is not 0.
pub struct Random(pub u64);

impl Random {
    /// The next one below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) as usize % limit
    }
}
