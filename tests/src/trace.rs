//! The real traces beside the checkout (not part of it).

use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

/// `../shared/data/NAME` beside the checkout, if it is there.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = crate::root().parent()?.join("shared/data").join(name);
    path.is_file().then_some(path)
}

/// One home's mains: seconds since 1970 and watts, on change, ascending.
pub fn mains() -> Option<Vec<(i64, u32)>> {
    let file = File::open(find("gjw_mains_onchange.csv.gz")?).ok()?;
    let rows = BufReader::new(GzDecoder::new(file)).lines().map_while(Result::ok).skip(1);
    Some(
        rows.filter_map(|row| {
            let (at, watts) = row.split_once(',')?;
            Some((at.parse().ok()?, watts.parse().ok()?))
        })
        .collect(),
    )
}
