//! Confidences from log-probabilities.

/// `exp` of the mean: the geometric mean of the tokens' probabilities, from 0 to 1. `None` where
/// there is no token, or one of unknown probability.
pub(crate) fn confidence(logprobs: impl IntoIterator<Item = Option<f32>>) -> Option<f32> {
    let mut sum = 0.0;
    let mut count = 0u32;
    for logprob in logprobs {
        sum += f64::from(logprob?);
        count += 1;
    }
    if count == 0 {
        return None;
    }
    let confidence = (sum / f64::from(count)).exp() as f32;
    (!confidence.is_nan()).then_some(confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_undefined_probabilities_give_none() {
        assert_eq!(confidence([]), None);
        assert_eq!(confidence([Some(-1.0), None]), None);
        assert_eq!(confidence([Some(f32::NAN)]), None);
        assert_eq!(confidence([Some(f32::NEG_INFINITY)]), Some(0.0));
        assert_eq!(
            confidence([Some(-0.5), Some(-1.5)]),
            Some((-1.0f64).exp() as f32)
        );
    }
}
