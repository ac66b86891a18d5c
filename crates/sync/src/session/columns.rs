//! Columns of Automerge's format, walked run by run: how many values they hold and how big they
//! get, without spelling a single one out. A run of a billion is a few bytes here.

use super::Refusal;
use super::budget::Budget;
use super::cursor::Cursor;

/// The low three bits of a column's specification.
const GROUP: u64 = 0;
const ACTOR: u64 = 1;
const DELTA: u64 = 3;
const BOOLEAN: u64 = 4;
const TEXT: u64 = 5;
const RAW: u64 = 7;
/// The bit that says the column is deflated.
const DEFLATED: u64 = 8;

/// More columns than any version of the format has.
const MOST_COLUMNS: u64 = 64;

/// Whether columns may be deflated one by one: in a document they may, in a change never.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Deflated {
    Allowed,
    Refused,
}

/// The directory of a set of columns: specification and length of each.
pub(super) struct Directory(Vec<(u64, u64)>);

impl Directory {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Refusal> {
        let count = cursor.number()?;
        if count > MOST_COLUMNS {
            return Err(Refusal::TooMuch { what: "columns", is: count, limit: MOST_COLUMNS });
        }
        (0..count).map(|_| Ok((cursor.number()?, cursor.number()?))).collect::<Result<_, _>>().map(Self)
    }

    /// Walks the columns' data, charging texts and inflated bytes to the budget.
    pub(super) fn walk(
        &self,
        cursor: &mut Cursor<'_>,
        deflated: Deflated,
        budget: &mut Budget,
    ) -> Result<Size, Refusal> {
        let mut size = Size::default();
        for &(spec, len) in &self.0 {
            let data = cursor.take(len)?;
            if spec & DEFLATED == 0 {
                size.add(spec, data, budget)?;
            } else if deflated == Deflated::Allowed {
                let data = budget.inflate(data)?;
                size.add(spec, &data, budget)?;
            } else {
                return Err(Refusal::Malformed("a change with deflated columns"));
            }
        }
        Ok(size)
    }
}

/// How much a set of columns holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// Values in the longest column.
    pub(super) longest: u64,
    /// Rows, by the first actor column: every change has one.
    pub(super) rows: u64,
}

impl Size {
    fn add(&mut self, spec: u64, data: &[u8], budget: &mut Budget) -> Result<(), Refusal> {
        let kind = spec & 7;
        let values = match kind {
            RAW => 0,
            BOOLEAN => booleans(data)?,
            TEXT => {
                let mut texts = 0u64;
                let values = runs(data, |cursor, times| {
                    let len = cursor.counted()?.len() as u64;
                    texts = texts.saturating_add(len.saturating_mul(times));
                    Ok(())
                })?;
                budget.charge_expanded(texts)?;
                values
            }
            DELTA => runs(data, |cursor, _| cursor.signed().map(|_| ()))?,
            GROUP => {
                // Each value says how many rows of the columns that follow belong to it.
                let mut members = 0u64;
                let values = runs(data, |cursor, times| {
                    members = members.saturating_add(cursor.number()?.saturating_mul(times));
                    Ok(())
                })?;
                values.max(members)
            }
            _ => runs(data, |cursor, _| cursor.number().map(|_| ()))?,
        };
        if kind == ACTOR && self.rows == 0 {
            self.rows = values;
        }
        self.longest = self.longest.max(values);
        Ok(())
    }
}

/// Walks a run-length encoded column; `value` reads one value that stands so many times.
fn runs(
    data: &[u8],
    mut value: impl FnMut(&mut Cursor<'_>, u64) -> Result<(), Refusal>,
) -> Result<u64, Refusal> {
    let mut cursor = Cursor::new(data);
    let mut values = 0u64;
    while !cursor.is_empty() {
        let count = cursor.signed()?;
        let times = match count {
            0 => cursor.number()?,
            1.. => {
                value(&mut cursor, count.unsigned_abs())?;
                count.unsigned_abs()
            }
            _ => {
                // Each takes a byte at least, so a count that lies ends with the data.
                for _ in 0..count.unsigned_abs() {
                    value(&mut cursor, 1)?;
                }
                count.unsigned_abs()
            }
        };
        values = values.saturating_add(times);
    }
    Ok(values)
}

/// Lengths of alternating runs.
fn booleans(data: &[u8]) -> Result<u64, Refusal> {
    let mut cursor = Cursor::new(data);
    let mut values = 0u64;
    while !cursor.is_empty() {
        values = values.saturating_add(cursor.number()?);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Limits;

    fn size(spec: u64, data: &[u8]) -> Result<Size, Refusal> {
        let mut size = Size::default();
        size.add(spec, data, &mut Budget::new(&Limits::default()))?;
        Ok(size)
    }

    #[test]
    fn runs_are_counted_without_spelling_them_out() {
        // A thousand million times 7, two literals, ten nulls.
        let data = [&[0x80, 0x94, 0xeb, 0xdc, 0x03, 7][..], &[0x7e, 1, 2], &[0, 10]].concat();
        assert_eq!(size(0x42, &data).unwrap().longest, 1_000_000_012);
        assert_eq!(size(0x44, &[3, 4, 0xff, 0x7f]).unwrap().longest, 3 + 4 + 16_383);
        // Two ops with 2^40 predecessors each.
        let group = [2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
        assert_eq!(size(0x70, &group).unwrap().longest, 2 << 40);
    }

    #[test]
    fn a_text_that_stands_often_is_charged_often() {
        let text = |times: u8| [&[0x80, 0x80, times, 64][..], &[b'k'; 64]].concat();
        assert!(size(0x15, &text(0x04)).is_ok(), "65,536 times 64 bytes");
        assert!(matches!(
            size(0x15, &text(0x7f)),
            Err(Refusal::Malformed(_)) // that is a negative number: literals that aren't there
        ));
        let often = [&[0x80, 0x80, 0x80, 0x01, 64][..], &[b'k'; 64]].concat();
        assert!(matches!(size(0x15, &often), Err(Refusal::TooMuch { .. })));
    }

    #[test]
    fn literals_that_are_not_there_are_refused() {
        for data in [&[0x7f][..], &[0x80, 0x7f], &[1], &[0]] {
            assert!(size(0x42, data).is_err(), "{data:?}");
        }
    }
}
