// ANCHOR: all
use sqlx::migrate::Migrator;

/// What is in `migrations`, next to `Cargo.toml`: write `./migrations`.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations");

fn main() {
    println!("{} migrations", MIGRATIONS.iter().count());
}
// ANCHOR_END: all
