//! Which lines two texts do not share.

/// Lines shown around a difference.
const AROUND: usize = 2;

/// Compares line by line: `-` is expected and missing, `+` is there and was not expected. Far
/// from any difference lines are left out.
pub(crate) fn diff(expected: &[String], got: &[String]) -> Vec<String> {
    let all = merged(expected, got);
    let changed: Vec<usize> = (0..all.len()).filter(|at| all[*at].0 != ' ').collect();
    let near = |at: usize| changed.iter().any(|change| change.abs_diff(at) <= AROUND);
    let mut shown = Vec::new();
    let mut gap = false;
    for (at, (mark, line)) in all.iter().enumerate() {
        if near(at) {
            shown.push(format!("{mark} {line}"));
        } else if !gap {
            shown.push("  …".to_owned());
        }
        gap = !near(at);
    }
    shown
}

/// Walks along a longest common subsequence.
fn merged<'a>(expected: &'a [String], got: &'a [String]) -> Vec<(char, &'a str)> {
    let longest = table(expected, got);
    let (mut i, mut j) = (0, 0);
    let mut all = Vec::new();
    while i < expected.len() || j < got.len() {
        let same = i < expected.len() && j < got.len() && expected[i] == got[j];
        if same {
            all.push((' ', expected[i].as_str()));
            (i, j) = (i + 1, j + 1);
        } else if j == got.len() || (i < expected.len() && longest[i + 1][j] >= longest[i][j + 1]) {
            all.push(('-', expected[i].as_str()));
            i += 1;
        } else {
            all.push(('+', got[j].as_str()));
            j += 1;
        }
    }
    all
}

/// Returns, for each pair of tails, how many lines they can share in order.
fn table(expected: &[String], got: &[String]) -> Vec<Vec<usize>> {
    let mut longest = vec![vec![0; got.len() + 1]; expected.len() + 1];
    for i in (0..expected.len()).rev() {
        for j in (0..got.len()).rev() {
            longest[i][j] = if expected[i] == got[j] {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &str, got: &str, shown: &[&str]) {
        let split = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        assert_eq!(diff(&split(expected), &split(got)), shown);
    }

    #[test]
    fn only_lines_near_a_difference_are_shown() {
        check("a b", "a b", &["  …"]);
        check("a b c", "a x c", &["  a", "- b", "+ x", "  c"]);
        check("1 2 3 4 5 6", "1 2 3 4 5", &["  …", "  4", "  5", "- 6"]);
    }
}
