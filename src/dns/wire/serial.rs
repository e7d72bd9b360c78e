//! The order of serials (RFC 1982): a circle, on which each is before one half and after the other.

/// Half of the serial space: two serials this far apart have no order (RFC 1982 §3.2).
const HALF: u32 = 1 << 31;

/// Whether `a` is after `b`; false for equal serials and for two that are 2³¹ apart.
pub fn is_ahead(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < HALF
}

/// Whether who is at `serial` has what `wanted` stands for.
pub fn has_reached(serial: u32, wanted: u32) -> bool {
    serial == wanted || is_ahead(serial, wanted)
}
