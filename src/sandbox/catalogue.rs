//! What every account sees: stock faces, voices and PALs.
//!
//! The numbers are those one account saw in 2026: 145 faces, 40 voices known by slug alone, 30 PALs.

use std::sync::LazyLock;

/// A voice of the catalogue that can be used by its id.
pub const READY_VOICE: &str = "v0a1b2c3d4e5f";
/// A voice that is still being made, and stays so.
pub const UNFINISHED_VOICE: &str = "v5ba27ed00001";

/// Slugs of stock voices, usable as `voice_name` only.
pub(super) const STOCK_VOICES: [&str; 40] = [
    "anna", "arthur", "ben", "bianca", "carla", "carter", "charlie", "chloe", "daisy", "daniel", "danny", "diego",
    "elena", "eli", "emma", "felix", "gloria", "grace", "hana", "hugo", "isaac", "ivy", "jackie", "james", "julia",
    "kai", "lara", "leo", "lucy", "maria", "mary", "nathan", "nora", "olivia", "raj", "rose", "steve", "sofia",
    "tariq", "zoe",
];

/// Voices with an id: id, name, `voice_type`, whether it is finished.
pub(super) const VOICES: [(&str, &str, &str, bool); 5] = [
    (READY_VOICE, "Ana", "user", true),
    ("v1b2c3d4e5f60", "Rio", "user", true),
    (UNFINISHED_VOICE, "Still recording", "user", false),
    ("v7c0ffee00001", "Narrator", "system", true),
    ("v7c0ffee00002", "Warm Host", "system", true),
];

/// How many stock PALs there are, and how many more that neither filter shows (6 were seen once).
pub(super) const STOCK_PALS: (usize, usize) = (30, 6);

/// A face everybody may use and nobody may change.
pub(super) struct StockFace {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) model: &'static str,
}

/// The stock faces, in listing order.
pub(super) static STOCK_FACES: LazyLock<Vec<StockFace>> = LazyLock::new(|| {
    let names = ["Luna", "Gloria", "Nathan", "Rose", "Steph", "Jackie", "Charlie", "Mary", "Danny", "James"];
    let places = ["Office", "Studio", "Home", "Cafe", "Garden"];
    (0..145)
        .map(|number| StockFace {
            id: format!("r5f0c{number:07x}"),
            name: format!("{} - {} {}", names[number % 10], places[number / 10 % 5], number / 50 + 1),
            model: ["phoenix-4.5", "phoenix-4", "phoenix-3"][number % 3],
        })
        .collect()
});

/// Returns the stock face with this id.
pub(super) fn stock_face(id: &str) -> Option<&'static StockFace> {
    STOCK_FACES.iter().find(|face| face.id == id)
}

/// Returns whether `name` is a stock voice; case does not count.
pub(super) fn is_stock_voice(name: &str) -> bool {
    STOCK_VOICES.iter().any(|slug| slug.eq_ignore_ascii_case(name))
}
