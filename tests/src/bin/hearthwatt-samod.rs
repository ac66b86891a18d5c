//! samod's sync server, for comparison: `hearthwatt-samod FOLDER`.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1).ok_or_else(|| anyhow::anyhow!("which folder?"))?;
    hearthwatt_tests::samod::serve(folder.as_ref()).await
}
