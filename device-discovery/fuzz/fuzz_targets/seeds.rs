//! Writes the families' fixtures as seeds: `cargo run --bin seeds` fills `corpus/*`.

use hearthwatt_discovery::families;
use std::fs;

fn main() -> std::io::Result<()> {
    fs::create_dir_all("corpus/one_message")?;
    fs::create_dir_all("corpus/sequence")?;
    let mut sequence: Vec<(&str, Vec<u8>)> = Vec::new();
    for (i, (family, fixture)) in families::fixtures().enumerate() {
        let record = format!("{}\n{}", fixture.topic, fixture.payload);
        fs::write(format!("corpus/one_message/{family}-{i}"), &record)?;
        match sequence.last_mut() {
            Some((f, all)) if *f == family => {
                all.push(0xFF);
                all.extend_from_slice(record.as_bytes());
            }
            _ => sequence.push((family, record.into_bytes())),
        }
    }
    for (family, all) in sequence {
        fs::write(format!("corpus/sequence/{family}"), all)?;
    }
    Ok(())
}
