//! Text on a terminal, where a Chinese character is two columns wide.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Returns the text with blanks up to `columns`, or cut to them.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let wide = text.width();
    if wide <= columns {
        return format!("{text}{}", " ".repeat(columns - wide));
    }
    let mut kept = String::new();
    let mut used = 0;
    for letter in text.chars() {
        let width = letter.width().unwrap_or(0);
        if used + width >= columns {
            break;
        }
        kept.push(letter);
        used += width;
    }
    kept.push('…');
    format!("{kept}{}", " ".repeat(columns.saturating_sub(used + 1)))
}

/// Returns the columns that a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// Returns minutes in words: `1 小时 35 分`.
pub(super) fn minutes(millis: i64) -> String {
    let minutes = millis.max(0) / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} 分"),
        (hours, minutes) => format!("{hours} 小时 {minutes:02} 分"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_text_is_padded_and_cut_by_columns() {
        assert_eq!(fit("许可", 6), "许可  ");
        assert_eq!(fit("许可证", 6), "许可证");
        assert_eq!(fit("建筑工程施工许可", 8), "建筑工… ");
        assert_eq!(columns(&fit("a许可证核发", 6)), 6);
    }

    #[test]
    fn lawful_time_is_told_in_hours_and_minutes() {
        assert_eq!(minutes(12 * 60_000), "12 分");
        assert_eq!(minutes(95 * 60_000), "1 小时 35 分");
        assert_eq!(minutes(-1), "0 分");
    }
}
