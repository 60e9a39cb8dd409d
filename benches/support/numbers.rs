//! Figures: their middle, and how they are shown.

/// The middle value, or the mean of the two in the middle; nothing of nothing.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some((lower + upper) / 2.0)
}

/// With three digits that count, at least, and commas between thousands: `0.123`, `12.3`, `123,456`.
pub fn show(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 || size == 0.0 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    match decimals {
        0 if value < 0.0 => format!("-{}", show_count(-value)),
        0 => show_count(value),
        _ => format!("{value:.decimals$}"),
    }
}

/// A whole number of things, with commas between thousands.
pub fn show_count(count: f64) -> String {
    let digits = format!("{:.0}", count.abs());
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// [`show`], or a dash where there is nothing to show.
pub fn show_option(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), show)
}
