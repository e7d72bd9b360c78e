//! Plain charts as inline SVG: the template draws, this file says where. No text is drawn inside a picture,
//! so that it is as large as the rest of the page on any screen; the same numbers stand beside it as a table.

use crate::words::Words;

/// Units of a column chart's view, across and down.
const WIDTH: u64 = 600;
const HEIGHT: u64 = 120;
/// Units of a bar's view across.
const BAR: u64 = 100;

//------------ Bars ----------------------------------------------------------

/// A number in a table, with a bar that shows it beside the largest.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    /// What is counted.
    pub(super) label: String,
    /// A line below it, or empty.
    pub(super) note: String,
    /// The number in words.
    pub(super) value: String,
    /// Length of the bar, of a hundred.
    pub(super) length: u64,
}

/// Bars of numbers, each with its label and a note.
pub(super) fn bars(t: Words, numbers: Vec<(String, String, u64)>) -> Vec<Bar> {
    let most = numbers.iter().map(|(.., number)| *number).max().unwrap_or(0).max(1);
    let bar = |(label, note, number): (String, String, u64)| Bar {
        label,
        note,
        value: t.count(number),
        length: part(number, most, BAR),
    };
    numbers.into_iter().map(bar).collect()
}

/// A table of bars.
#[derive(Clone, Debug)]
pub(super) struct BarTable {
    /// Its title.
    pub(super) title: String,
    /// The head of the column of labels.
    pub(super) head: String,
    /// The head of the column of numbers.
    pub(super) count: String,
    /// The bars.
    pub(super) bars: Vec<Bar>,
}

//------------ Columns -------------------------------------------------------

/// One column of a chart.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Place of its left side.
    pub(super) x: u64,
    /// Place of its top.
    pub(super) y: u64,
    /// Width.
    pub(super) width: u64,
    /// Height.
    pub(super) height: u64,
    /// What it stands for.
    pub(super) label: String,
    /// The number in words.
    pub(super) value: String,
}

/// Numbers over time.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// What tells it from other charts of the page.
    pub(super) id: &'static str,
    /// Its title.
    pub(super) title: String,
    /// What it shows, in a sentence.
    pub(super) about: String,
    /// The head of the column of times in the table.
    pub(super) head: String,
    /// The head of the column of numbers.
    pub(super) count: String,
    /// The largest number in words.
    pub(super) most: String,
    /// The columns, the oldest first.
    pub(super) columns: Vec<Column>,
}

impl Columns {
    /// A chart of these numbers, the oldest first.
    pub(super) fn new(
        t: Words,
        id: &'static str,
        (title, head, count): (String, String, String),
        numbers: Vec<(String, u64)>,
    ) -> Self {
        let most = numbers.iter().map(|(_, number)| *number).max().unwrap_or(0);
        let sum: u64 = numbers.iter().map(|(_, number)| number).sum();
        let peak = numbers.iter().rfind(|(_, number)| *number == most).map(|(at, _)| at.as_str());
        let ends = (numbers.first(), numbers.last());
        let about = t.with(
            "chart-about",
            &[
                ("first", ends.0.map_or("", |(at, _)| at)),
                ("last", ends.1.map_or("", |(at, _)| at)),
                ("sum", &t.count(sum)),
                ("most", &t.count(most)),
                ("peak", peak.unwrap_or("")),
            ],
        );
        let step = (WIDTH / u64::try_from(numbers.len()).unwrap_or(1).max(1)).max(2);
        let column = |(at, (label, number)): (u64, (String, u64))| {
            let height = part(number, most.max(1), HEIGHT);
            let (x, y, width) = (at * step, HEIGHT - height, (step * 4 / 5).max(1));
            Column { x, y, width, height, label, value: t.count(number) }
        };
        let columns = (0..).zip(numbers).map(column).collect();
        Self { id, title, about, head, count, most: t.count(most), columns }
    }

    /// Width of its view.
    pub(super) fn width(&self) -> u64 {
        self.columns.last().map_or(WIDTH, |column| column.x + column.width)
    }

    /// What the first column stands for.
    pub(super) fn first(&self) -> &str {
        self.columns.first().map_or("", |column| &column.label)
    }

    /// What the last column stands for.
    pub(super) fn last(&self) -> &str {
        self.columns.last().map_or("", |column| &column.label)
    }
}

/// A number as a part of `whole` units, where `most` is all of them; what is there is seen.
fn part(number: u64, most: u64, whole: u64) -> u64 {
    let scaled = u128::from(number) * u128::from(whole) / u128::from(most.max(1));
    u64::try_from(scaled).unwrap_or(whole).max(u64::from(number > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Lang;

    #[test]
    fn lengths_are_shares_of_the_largest_and_what_is_there_is_seen() {
        let t = Words::of(Lang::Id);
        let numbers = [0, 1, 500, 1_000].map(|it| (String::new(), String::new(), it));
        let lengths: Vec<_> = bars(t, numbers.to_vec()).iter().map(|bar| bar.length).collect();
        assert_eq!(lengths, [0, 1, 50, 100]);
        assert_eq!(part(u64::MAX, u64::MAX, 100), 100);
        let head = || (String::new(), String::new(), String::new());
        let chart =
            Columns::new(t, "x", head(), vec![("a".into(), 0), ("b".into(), 6), ("c".into(), 3)]);
        let tops: Vec<_> = chart.columns.iter().map(|it| (it.x, it.y, it.height)).collect();
        assert_eq!(tops, [(0, 120, 0), (200, 0, 120), (400, 60, 60)]);
        assert_eq!((chart.first(), chart.last(), chart.most.as_str()), ("a", "c", "6"));
        assert_eq!(Columns::new(t, "x", head(), Vec::new()).width(), 600);
    }
}
