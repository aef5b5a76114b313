//! LoRA adapters: held to PEFT's model that is not merged (`tools/reference/adapters.py`).

mod common;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use candle_core::{DType, Device, Tensor};
use florence_core::{Checkpoint, Florence2, GenerationConfig, LoadOptions, Precision};
use serde_json::Value;

/// Largest difference of a logit, as in the goldens of the network.
const TOLERANCE: f32 = 1e-4;

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens")
}

fn tensors(path: PathBuf) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(path, &Device::Cpu).unwrap()
}

fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The reference's answers, and how to ask for them.
struct Reference {
    folder: PathBuf,
    document: Value,
    logits: HashMap<String, Tensor>,
}

impl Reference {
    fn of(folder: PathBuf) -> Self {
        Self {
            document: json(folder.join("expected.json")),
            logits: tensors(folder.join("expected.safetensors")),
            folder,
        }
    }

    fn cases(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.document["adapters"].as_object().unwrap().iter()
    }

    fn options(&self, case: &Value) -> LoadOptions {
        let names = case["adapters"].as_array().unwrap().iter();
        names.fold(LoadOptions::new(), |options, name| {
            options.adapter(self.folder.join(name.as_str().unwrap()))
        })
    }

    /// The base, in both layouts where there are two.
    fn bases(case: &Value) -> Vec<PathBuf> {
        let native = goldens().join(case["base"].as_str().unwrap());
        let microsoft = native.join("microsoft");
        let both = [native, microsoft].into_iter();
        both.filter(|base| base.exists()).collect()
    }

    fn check(&self, name: &str, case: &Value, model: &Florence2) {
        let difference = self.difference(name, case, model);
        assert!(
            difference <= TOLERANCE,
            "{name}: logits differ by {difference:e}"
        );
        let inputs = tensors(
            goldens()
                .join(case["base"].as_str().unwrap())
                .join("inputs.safetensors"),
        );
        let features = model
            .encode_pixels(&first(&inputs["pixel_values"]))
            .unwrap();
        for (search, ids) in case["token_ids"].as_object().unwrap() {
            let ids: Vec<u32> = serde_json::from_value(ids.clone()).unwrap();
            let args = &self.document["cases"][search];
            let config = GenerationConfig::new()
                .num_beams(args["num_beams"].as_u64().unwrap() as usize)
                .max_new_tokens(args["max_new_tokens"].as_u64().unwrap() as usize)
                .no_repeat_ngram_size(3)
                .forced_bos_token_id(Some(0))
                .forced_eos_token_id(Some(2));
            let answers = model.generate(&features, &prompts(case), &config).unwrap();
            assert_eq!(answers[0].token_ids, ids, "{name}, {search}");
        }
    }

    /// The largest difference of a logit.
    fn difference(&self, name: &str, case: &Value, model: &Florence2) -> f32 {
        let inputs = tensors(
            goldens()
                .join(case["base"].as_str().unwrap())
                .join("inputs.safetensors"),
        );
        let decoder_ids = first(&inputs["decoder_input_ids"]);
        let decoder_ids = decoder_ids.to_dtype(DType::U32).unwrap().to_vec2().unwrap();
        let features = model
            .encode_pixels(&first(&inputs["pixel_values"]))
            .unwrap();
        let logits = model
            .forward(&features, &prompts(case), &decoder_ids, &mut |_, _| ())
            .unwrap();
        let every = self.document["every"].as_u64().unwrap() as usize;
        let words = (0..logits.dims()[2] as u32)
            .step_by(every)
            .collect::<Vec<_>>();
        let words = Tensor::new(words, &Device::Cpu).unwrap();
        let ours = logits.squeeze(0).unwrap().index_select(&words, 1).unwrap();
        let difference = (ours - &self.logits[name]).unwrap().abs().unwrap();
        difference.max_all().unwrap().to_scalar().unwrap()
    }

    fn check_all(&self) -> usize {
        for (name, case) in self.cases() {
            for base in Self::bases(case) {
                let checkpoint = Checkpoint::from_dir(base).unwrap();
                let model = Florence2::load_with(checkpoint.clone(), &self.options(case)).unwrap();
                self.check(name, case, &model);
                // The same, of a network that has the base's layers.
                let base = Florence2::load(checkpoint.clone()).unwrap();
                let adapters = self.options(case);
                let adapters = adapters.get_adapters().iter();
                let adapted = adapters.fold(checkpoint, |checkpoint, adapter| {
                    checkpoint.with_adapter(adapter).unwrap()
                });
                self.check(name, case, &base.load_sharing(adapted).unwrap());
            }
        }
        self.cases().count()
    }
}

fn first(batch: &Tensor) -> Tensor {
    batch.narrow(0, 0, 1).unwrap()
}

/// The prompt of the first row.
fn prompts(case: &Value) -> Vec<Vec<u32>> {
    let document = json(
        goldens()
            .join(case["base"].as_str().unwrap())
            .join("generations.json"),
    );
    vec![serde_json::from_value(document["prompts"][0].clone()).unwrap()]
}

fn shipped() -> Reference {
    Reference::of(goldens().join("adapters"))
}

#[test]
fn the_unmerged_model_of_the_reference_says_the_same() {
    assert_eq!(shipped().check_all(), 15);
}

#[test]
fn so_do_the_operations_of_candle() {
    if std::env::var_os("FLORENCE_BACKEND").is_some() {
        return;
    }
    let done = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "the_unmerged_model_of_the_reference_says_the_same",
        ])
        .env("FLORENCE_BACKEND", "candle")
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stdout)
    );
}

/// 8-bit weights move logits of these small matrices by tenths; an adapter moves them by more.
#[test]
fn weights_of_8_bits_are_made_of_the_sum() {
    let reference = shipped();
    let case = &reference.document["adapters"]["notebook"];
    let load = |options: LoadOptions| {
        let options = options.precision(Precision::Q8_0);
        let checkpoint = Checkpoint::from_dir(goldens().join("plain")).unwrap();
        reference.difference(
            "notebook",
            case,
            &Florence2::load_with(checkpoint, &options).unwrap(),
        )
    };
    let (with, without) = (load(reference.options(case)), load(LoadOptions::new()));
    assert!(
        with < 1.0 && without > 5.0,
        "{with} with the adapter, {without} without"
    );
}

#[test]
fn one_checkpoint_is_loaded_with_one_adapter_after_another() {
    let reference = shipped();
    let base = Checkpoint::from_dir(goldens().join("plain/microsoft")).unwrap();
    for name in ["regex", "answers", "regex"] {
        let adapted = base.with_adapter(reference.folder.join(name)).unwrap();
        let model = Florence2::load(adapted).unwrap();
        reference.check(name, &reference.document["adapters"][name], &model);
    }
}

#[test]
#[ignore = "needs FLORENCE_FIXTURES"]
fn large_adapters_agree_too() {
    let reference = Reference::of(common::outside("adapters"));
    for (name, case) in reference.cases() {
        for base in Reference::bases(case) {
            let model = Florence2::load_with(
                Checkpoint::from_dir(base).unwrap(),
                &reference.options(case),
            );
            println!(
                "{name}: {:e}",
                reference.difference(name, case, &model.unwrap())
            );
        }
    }
    reference.check_all();
}
