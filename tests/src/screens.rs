//! Pictures for people: `target/screens/NAME-LOOK.png`.

use std::path::PathBuf;

pub fn folder() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from);
    let folder = target.join("screens");
    std::fs::create_dir_all(&folder).expect("the folder of the pictures can be made");
    folder
}

pub fn save(name: &str, png: &[u8]) {
    let path = folder().join(format!("{name}.png"));
    std::fs::write(&path, png).expect("the picture can be written");
}

/// Size of a PNG in pixels, from its header.
pub fn size(png: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(png.get(at..at + 4)?.try_into().ok()?));
    Some((number(16)?, number(20)?))
}
