//! The bytes of a block, version 1. Numbers are big-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 3 | `HWB` |
//! | 1 | version: 1 |
//! | 16 | recorder |
//! | 16 | meter |
//! | 4 | day, counted from 1970-01-01 |
//! | 8 | revision |
//! | 12 | which quarters have a row: bit 7 of the first byte is 00:00 to 00:15 UTC |
//! | rest | the rows in order of time |
//!
//! A row is a byte (bits 0 to 2 the quality's code, 3 there is a lowest power, 4 a highest, 5
//! readings speak for the whole quarter) and LEB128 numbers: import and export in
//! micro-watt-hours; unless bit 5 is set the milliseconds that readings speak for; lowest and
//! highest power in milliwatts, zigzag. Every number is as short as it can be, so that equal blocks
//! are equal bytes.

use super::types::{Block, BlockError, MAX_BYTES, MAX_ROWS, WITHDRAWN_BYTES};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::{INTERVAL_MS, UnixMillis};
use hearthwatt_domain::units::{Energy, Power};
use hearthwatt_domain::usage::{IntervalUsage, Quality};
use jiff::civil::{Date, date};
use uuid::Uuid;

const MAGIC: &[u8] = b"HWB";
const VERSION: u8 = 1;
const FULL_MS: u32 = INTERVAL_MS as u32;
const DAY_MS: i64 = 86_400_000;
/// 2200-01-01.
const DAYS_END: u32 = 84_006;

const HAS_MIN: u8 = 1 << 3;
const HAS_MAX: u8 = 1 << 4;
const IS_FULL: u8 = 1 << 5;

pub(super) fn encode(block: &Block) -> Vec<u8> {
    let mut out = Vec::with_capacity(WITHDRAWN_BYTES + block.rows.len() * 16);
    out.extend(MAGIC);
    out.push(VERSION);
    out.extend(block.recorder.as_bytes());
    out.extend(block.meter.0.as_bytes());
    out.extend(day_number(block.day).unwrap_or(0).to_be_bytes());
    out.extend(block.revision.to_be_bytes());
    let start = day_start(block.day);
    let mut present = 0_u128;
    for row in &block.rows {
        present |= bit(row.start.since(start) / INTERVAL_MS);
    }
    out.extend(present.to_be_bytes().iter().skip(4));
    for row in &block.rows {
        let mut head = row.quality.code();
        head |= if row.power_min.is_some() { HAS_MIN } else { 0 };
        head |= if row.power_max.is_some() { HAS_MAX } else { 0 };
        head |= if row.covered_ms == FULL_MS { IS_FULL } else { 0 };
        out.push(head);
        number(&mut out, row.import.0 as u64);
        number(&mut out, row.export.0 as u64);
        if row.covered_ms != FULL_MS {
            number(&mut out, u64::from(row.covered_ms));
        }
        for power in [row.power_min, row.power_max].into_iter().flatten() {
            number(&mut out, ((power.0 << 1) ^ (power.0 >> 63)) as u64);
        }
    }
    out
}

const fn bit(slot: i64) -> u128 {
    1 << (MAX_ROWS as i64 - 1 - slot)
}

fn number(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

pub(super) fn decode(bytes: &[u8]) -> Result<Block, BlockError> {
    if bytes.len() > MAX_BYTES {
        return Err(BlockError::NotABlock("too large"));
    }
    let mut input = Input(bytes);
    if input.take::<3>()? != *MAGIC {
        return Err(BlockError::NotABlock("it doesn't begin like one"));
    }
    let [version] = input.take()?;
    if version != VERSION {
        return Err(BlockError::Version(version));
    }
    let recorder = Uuid::from_bytes(input.take()?);
    let meter = MeterId(Uuid::from_bytes(input.take()?));
    let day = day_of(u32::from_be_bytes(input.take()?)).ok_or(BlockError::NotABlock("a day out of range"))?;
    let revision = u64::from_be_bytes(input.take()?);
    let mut present = [0; 16];
    present[4..].copy_from_slice(&input.take::<12>()?);
    let present = u128::from_be_bytes(present);
    let start = day_start(day);
    let mut rows = Vec::with_capacity(present.count_ones() as usize);
    for slot in (0..MAX_ROWS as i64).filter(|s| present & bit(*s) != 0) {
        rows.push(input.row(start.plus_ms(slot * INTERVAL_MS))?);
    }
    if !input.0.is_empty() {
        return Err(BlockError::NotABlock("something follows the last row"));
    }
    Ok(Block { recorder, meter, day, revision, rows })
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BlockError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(BlockError::NotABlock("it is cut off"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn number(&mut self) -> Result<u64, BlockError> {
        let mut n = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.take()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part || (byte == 0 && shift > 0) {
                break;
            }
            n |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(BlockError::NotABlock("a number that is too large, or longer than it must be"))
    }

    fn energy(&mut self) -> Result<Energy, BlockError> {
        i64::try_from(self.number()?).map(Energy).map_err(|_| BlockError::Row("too much energy"))
    }

    fn power(&mut self, there: bool) -> Result<Option<Power>, BlockError> {
        if !there {
            return Ok(None);
        }
        let n = self.number()?;
        Ok(Some(Power((n >> 1) as i64 ^ -((n & 1) as i64))))
    }

    fn row(&mut self, start: UnixMillis) -> Result<IntervalUsage, BlockError> {
        let [head] = self.take()?;
        let is = |flag: u8| head & flag != 0;
        if head & !(0b111 | HAS_MIN | HAS_MAX | IS_FULL) != 0 {
            return Err(BlockError::Row("an unknown mark"));
        }
        let quality = Quality::from_code(head & 0b111).ok_or(BlockError::Row("an unknown quality"))?;
        let (import, export) = (self.energy()?, self.energy()?);
        let covered_ms = if is(IS_FULL) {
            FULL_MS
        } else {
            let covered = self.number()?;
            u32::try_from(covered)
                .ok()
                .filter(|ms| *ms < FULL_MS)
                .ok_or(BlockError::Row("more time than a quarter has, or a full one not marked as such"))?
        };
        let (power_min, power_max) = (self.power(is(HAS_MIN))?, self.power(is(HAS_MAX))?);
        let row = IntervalUsage { start, import, export, quality, covered_ms, power_min, power_max };
        check(&row)?;
        Ok(row)
    }
}

/// What a meter can say of a quarter of an hour: sums over years of it stay inside their types.
pub(super) fn check(row: &IntervalUsage) -> Result<(), BlockError> {
    /// 100 GWh, the largest register.
    const ENERGY_MAX: i64 = 100_000_000_000_000_000;
    /// 10 GW.
    const POWER_MAX: u64 = 10_000_000_000_000;
    let energy = 0..=ENERGY_MAX;
    if !energy.contains(&row.import.0) || !energy.contains(&row.export.0) {
        return Err(BlockError::Row("energy below zero or too much of it"));
    }
    if row.covered_ms > FULL_MS {
        return Err(BlockError::Row("more time than a quarter has"));
    }
    if [row.power_min, row.power_max].into_iter().flatten().any(|p| p.0.unsigned_abs() > POWER_MAX) {
        return Err(BlockError::Row("too much power"));
    }
    if matches!((row.power_min, row.power_max), (Some(min), Some(max)) if min > max) {
        return Err(BlockError::Row("the lowest power above the highest"));
    }
    Ok(())
}

const EPOCH: Date = date(1970, 1, 1);

/// Days since 1970-01-01, up to the year 2200.
pub(super) fn day_number(day: Date) -> Option<u32> {
    let days = EPOCH.until(day).ok()?.get_days();
    u32::try_from(days).ok().filter(|d| *d < DAYS_END)
}

fn day_of(number: u32) -> Option<Date> {
    let days = i64::from((number < DAYS_END).then_some(number)?);
    EPOCH.checked_add(jiff::Span::new().days(days)).ok()
}

pub(super) fn day_start(day: Date) -> UnixMillis {
    UnixMillis(i64::from(day_number(day).unwrap_or(0)) * DAY_MS)
}
