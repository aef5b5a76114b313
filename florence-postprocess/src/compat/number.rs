//! Floats as Python's `repr` writes them.

use std::fmt;

/// `repr(float)` of a finite number: the shortest decimal that reads back, with an exponent below
/// 1e-4 and from 1e16.
pub(super) fn write_repr(value: f64, out: &mut impl fmt::Write) -> fmt::Result {
    if value == 0.0 {
        return out.write_str(if value.is_sign_negative() {
            "-0.0"
        } else {
            "0.0"
        });
    }
    let scientific = shortest(value);
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return out.write_str(&scientific);
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits.replace('.', "")),
        None => ("", mantissa.replace('.', "")),
    };
    out.write_str(sign)?;
    if !(-4..16).contains(&exponent) {
        let mantissa = mantissa.trim_start_matches('-');
        let sign = if exponent < 0 { '-' } else { '+' };
        return write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return write!(out, "0.{zeros}{digits}");
    }
    let whole = exponent as usize + 1;
    match digits.len().checked_sub(whole) {
        Some(0) => write!(out, "{digits}.0"),
        Some(_) => write!(out, "{}.{}", &digits[..whole], &digits[whole..]),
        None => write!(out, "{digits}{}.0", "0".repeat(whole - digits.len())),
    }
}

/// The shortest decimal that reads back, as `d.ddde±n`. Of two that are equally near to the value
/// Python takes the one with an even last digit; the standard library does not.
fn shortest(value: f64) -> String {
    let ours = format!("{value:e}");
    let Some((mantissa, exponent)) = ours.split_once('e') else {
        return ours;
    };
    let Some(last) = mantissa.bytes().next_back().filter(|digit| digit % 2 == 1) else {
        return ours;
    };
    let decimals = mantissa
        .split_once('.')
        .map_or(0, |(_, digits)| digits.len());
    // Where the value lies in the middle of two decimals, it ends in a 5 after their last digit.
    let exact = format!("{value:.*e}", decimals + 800);
    let tail = exact.split_once('e').map_or("", |(digits, _)| digits);
    let tail = tail.get(tail.len().saturating_sub(800)..).unwrap_or("");
    let is_middle = tail
        .strip_prefix('5')
        .is_some_and(|rest| rest.bytes().all(|digit| digit == b'0'));
    if !is_middle {
        return ours;
    }
    // A 9 would carry, to an even digit of a shorter decimal, which would have been found.
    let truncated = exact
        .trim_start_matches('-')
        .starts_with(mantissa.trim_start_matches('-'));
    let even = if truncated { last + 1 } else { last - 1 };
    let head = &mantissa[..mantissa.len() - 1];
    let theirs = format!("{head}{}e{exponent}", char::from(even));
    if even <= b'9' && theirs.parse() == Ok(value) {
        theirs
    } else {
        ours
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn repr(value: f64) -> String {
        let mut text = String::new();
        write_repr(value, &mut text).unwrap();
        text
    }

    #[test]
    fn floats_print_as_in_python() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (640.0, "640.0"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (0.0001, "0.0001"),
            (1e16, "1e+16"),
            (123456789012345.0, "123456789012345.0"),
            (f64::from(580.16_f32), "580.1599731445312"),
            (1e-300, "1e-300"),
            (-34.5, "-34.5"),
            (1e15, "1000000000000000.0"),
            (9007199254740993.0, "9007199254740992.0"),
            // Both 5.684341886080801e-14 and …802e-14 are as near.
            (2f64.powi(-44), "5.684341886080802e-14"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(repr(value), expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// `serde_json` prints the same digits with other exponents.
        #[test]
        fn digits_are_those_of_another_implementation(bits: u64, narrow: f32, power in -200i32..200) {
            for value in [f64::from_bits(bits), f64::from(narrow), 2f64.powi(power)] {
                if !value.is_finite() {
                    continue;
                }
                let digits = |text: &str| {
                    let mantissa = text.split('e').next().unwrap_or_default();
                    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
                    digits.trim_matches('0').to_owned()
                };
                let other = serde_json::Value::from(value).to_string();
                prop_assert_eq!(digits(&repr(value)), digits(&other), "{}", other);
                prop_assert_eq!(repr(value).parse(), Ok(value));
            }
        }
    }
}
