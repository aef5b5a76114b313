//! Scores of given answers are the log-probabilities of the forward pass.

use florence_core::candle::{D, DType, Device, IndexOp, Tensor};
use florence_core::{Checkpoint, ErrorKind, Florence2};

fn model() -> Florence2 {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/goldens/plain");
    Florence2::load(Checkpoint::from_dir(folder).unwrap()).unwrap()
}

/// Two images, as the vision tower sees them.
fn features(florence: &Florence2) -> Tensor {
    let pixels = Tensor::rand(-1f32, 1., (2, 3, 96, 96), &Device::Cpu).unwrap();
    florence.encode_pixels(&pixels).unwrap()
}

fn decoder_ids(florence: &Florence2, text: &str) -> Vec<u32> {
    let start = florence.generation_config().get_decoder_start_token_id();
    [vec![start], florence.tokenizer().encode(text).unwrap()].concat()
}

#[test]
fn scores_of_several_answers_to_several_prompts() {
    let florence = model();
    let features = features(&florence);
    let prompts = ["Hi?", "What is in the image?"].map(|text| florence.tokenizer().encode(text));
    let prompts = prompts.map(Result::unwrap);
    let texts = [
        ["a", "a longer answer"],
        ["", "something else altogether, at length"],
    ];
    let answers = texts.map(|texts| texts.map(|text| decoder_ids(&florence, text)));
    let scores = florence
        .score(&features, &prompts, &answers.concat())
        .unwrap();
    assert_eq!(scores.len(), 4);
    for (at, (ids, logprobs)) in answers.concat().iter().zip(&scores).enumerate() {
        assert_eq!(logprobs.len(), ids.len() - 1);
        let image = features.i(at / 2..at / 2 + 1).unwrap();
        let prompt = [prompts[at / 2].clone()];
        let logits = florence
            .forward(&image, &prompt, std::slice::from_ref(ids), &mut |_, _| {})
            .unwrap();
        let log_sums = logits.log_sum_exp(D::Minus1).unwrap();
        for (step, &logprob) in logprobs.iter().enumerate() {
            let value = |tensor: Tensor| tensor.to_scalar::<f32>().unwrap();
            let logit = value(logits.i((0, step, ids[step + 1] as usize)).unwrap());
            let expected = logit - value(log_sums.i((0, step)).unwrap());
            assert!(
                (logprob - expected).abs() < 1e-4,
                "{at} {step}: {logprob} {expected}"
            );
        }
    }
    // Several answers are the same as one at a time.
    let alone = florence.score(
        &features,
        &prompts,
        &[answers[0][0].clone(), answers[1][1].clone()],
    );
    let alone = alone.unwrap();
    for (together, alone) in [&scores[0], &scores[3]].into_iter().zip(&alone) {
        for (a, b) in together.iter().zip(alone) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }
}

#[test]
fn what_cannot_be_scored_is_named() {
    let florence = model();
    let features = features(&florence);
    let prompts = vec![florence.tokenizer().encode("Hi?").unwrap(); 2];
    let good = decoder_ids(&florence, "yes");
    let long = vec![2; 1 + 1 + florence.config().text.max_position_embeddings];
    for (answers, word) in [
        (vec![good.clone()], "a multiple of 2"),
        (vec![], "decoder_ids"),
        (vec![good.clone(), vec![]], "decoder_ids"),
        (vec![good.clone(), long], "decoder_ids"),
        (vec![good.clone(), vec![2, u32::MAX]], "token id 4294967295"),
    ] {
        let error = florence.score(&features, &prompts, &answers).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert!(error.to_string().contains(word), "{error}");
    }
    let error = florence.score(&features, &[], &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    let start = vec![vec![2]; 2];
    assert_eq!(
        florence.score(&features, &prompts, &start).unwrap(),
        vec![Vec::<f32>::new(); 2]
    );
    let flat = Tensor::zeros((2, 4), DType::F32, &Device::Cpu).unwrap();
    assert!(
        florence
            .score(&flat, &prompts, &[good.clone(), good])
            .is_err()
    );
}
