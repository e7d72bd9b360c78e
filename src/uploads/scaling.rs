//! Pixels: turned upright, made smaller by averaging.

/// A picture in memory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Pixels {
    /// Columns.
    pub(super) width: usize,
    /// Rows.
    pub(super) height: usize,
    /// Octets of a pixel: 1 is grey, 3 is RGB.
    pub(super) depth: usize,
    /// Rows from the top.
    pub(super) data: Vec<u8>,
}

impl Pixels {
    /// Turned as a camera says (Exif 2.3, tag Orientation); 1, or what is no orientation, changes
    /// nothing.
    pub(super) fn upright(self, orientation: u16) -> Self {
        let (width, height, depth) = (self.width, self.height, self.depth);
        let from: fn(usize, usize, usize, usize) -> (usize, usize) = match orientation {
            2 => |x, y, w, _| (w - 1 - x, y),
            3 => |x, y, w, h| (w - 1 - x, h - 1 - y),
            4 => |x, y, _, h| (x, h - 1 - y),
            5 => |x, y, _, _| (y, x),
            6 => |x, y, _, h| (y, h - 1 - x),
            7 => |x, y, w, h| (w - 1 - y, h - 1 - x),
            8 => |x, y, w, _| (w - 1 - y, x),
            _ => return self,
        };
        let turned = orientation > 4;
        let (columns, rows) = if turned { (height, width) } else { (width, height) };
        let mut data = Vec::with_capacity(self.data.len());
        for y in 0..rows {
            for x in 0..columns {
                let (from_x, from_y) = from(x, y, width, height);
                let at = (from_y * width + from_x) * depth;
                data.extend_from_slice(&self.data[at..at + depth]);
            }
        }
        Self { width: columns, height: rows, depth, data }
    }

    /// Made smaller, so that the longer edge has at most so many pixels.
    pub(super) fn within(self, edge: usize) -> Self {
        let long = self.width.max(self.height);
        if long <= edge {
            return self;
        }
        let scaled = |length: usize| (length * edge / long).max(1);
        let (width, height) = (scaled(self.width), scaled(self.height));
        let mut data = Vec::with_capacity(width * height * self.depth);
        let mut sums = vec![0_u32; width * self.depth];
        for y in 0..height {
            let rows = share(y, height, self.height);
            sums.fill(0);
            for row in rows.clone() {
                let line = &self.data[row * self.width * self.depth..][..self.width * self.depth];
                for (x, sum) in sums.chunks_mut(self.depth).enumerate() {
                    for column in share(x, width, self.width) {
                        for (channel, sum) in sum.iter_mut().enumerate() {
                            *sum += u32::from(line[column * self.depth + channel]);
                        }
                    }
                }
            }
            for (x, sum) in sums.chunks(self.depth).enumerate() {
                let many = rows.len() * share(x, width, self.width).len();
                let many = u32::try_from(many).unwrap_or(u32::MAX);
                data.extend(sum.iter().map(|sum| (sum / many).to_le_bytes()[0]));
            }
        }
        Self { width, height, depth: self.depth, data }
    }
}

/// The pixels of `from` that become pixel `at` of `to`.
fn share(at: usize, to: usize, from: usize) -> std::ops::Range<usize> {
    at * from / to..((at + 1) * from / to).max(at * from / to + 1)
}

#[cfg(test)]
mod tests {
    use super::Pixels;

    /// Two rows of three grey pixels.
    fn sample() -> Pixels {
        Pixels { width: 3, height: 2, depth: 1, data: vec![1, 2, 3, 4, 5, 6] }
    }

    #[test]
    fn a_picture_is_turned_as_the_camera_says() {
        for (orientation, width, data) in [
            (0, 3, [1, 2, 3, 4, 5, 6]),
            (1, 3, [1, 2, 3, 4, 5, 6]),
            (2, 3, [3, 2, 1, 6, 5, 4]),
            (3, 3, [6, 5, 4, 3, 2, 1]),
            (4, 3, [4, 5, 6, 1, 2, 3]),
            (5, 2, [1, 4, 2, 5, 3, 6]),
            (6, 2, [4, 1, 5, 2, 6, 3]),
            (7, 2, [6, 3, 5, 2, 4, 1]),
            (8, 2, [3, 6, 2, 5, 1, 4]),
        ] {
            let turned = sample().upright(orientation);
            assert_eq!((turned.width, &turned.data[..]), (width, &data[..]), "{orientation}");
        }
    }

    #[test]
    fn a_smaller_picture_is_the_average_of_the_larger() {
        let large =
            Pixels { width: 4, height: 2, depth: 1, data: vec![0, 10, 20, 30, 40, 50, 60, 70] };
        let small = large.clone().within(2);
        assert_eq!((small.width, small.height, small.data), (2, 1, vec![25, 45]));
        assert_eq!(large.clone().within(4), large);
        let thin = Pixels { width: 5, height: 1, depth: 3, data: vec![7; 15] };
        let small = thin.within(2);
        assert_eq!((small.width, small.height, small.data), (2, 1, vec![7; 6]));
    }
}
