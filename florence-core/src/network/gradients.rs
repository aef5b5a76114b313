//! The loss of whole networks and the gradient of every parameter, checked against PyTorch's in
//! `f64` (`tools/reference/gradients.py`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::loss::cross_entropy;
use serde_json::Value;

use super::Network;
use crate::Checkpoint;
use crate::backend::Candle;
use crate::backend::candle::Variables;
use crate::probe::Observer;

/// Largest difference of the loss, and of gradients relative to their norm;
/// candle's derivative of GELU has a constant of six digits.
const TOLERANCE: f64 = 2e-5;

/// What every sequence ends with.
const END: u32 = 2;

fn tensors(path: PathBuf) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(path, &Device::Cpu).unwrap()
}

/// The norm of a gradient and its products with two fixed vectors.
fn summary(gradient: &Tensor) -> Result<[f64; 3]> {
    let values = gradient.flatten_all()?.to_vec1::<f64>()?;
    let product = |k: f64| -> f64 {
        let places = values.iter().enumerate();
        places.map(|(i, v)| v * (0.7 * k * i as f64).cos()).sum()
    };
    let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
    Ok([norm, product(1.0), product(2.0)])
}

fn golden(name: &str) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/goldens")
        .join(name);
    let golden = std::fs::read(folder.join("gradients.json")).unwrap();
    let golden: Value = serde_json::from_slice(&golden).unwrap();
    let document = std::fs::read(folder.join("generations.json")).unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    let prompts: Vec<Vec<u32>> = serde_json::from_value(document["prompts"].clone()).unwrap();
    let inputs = tensors(folder.join("inputs.safetensors"));
    let fed = inputs["decoder_input_ids"].to_dtype(DType::U32)?;
    let (rows, len) = fed.dims2()?;
    let end = Tensor::full(END, (rows, 1), &Device::Cpu)?;
    let labels = Tensor::cat(&[fed.narrow(1, 1, len - 1)?, end], 1)?;

    let Checkpoint {
        config, weights, ..
    } = Checkpoint::from_dir(&folder).unwrap();
    let variables = Variables::default();
    let backend = Candle::trainable(Device::Cpu, DType::F64, &variables);
    let network = Network::load(backend, &weights, &config, None).unwrap();
    let no_probe = &mut Observer::none();
    let features = network.encode_pixels(&inputs["pixel_values"], no_probe)?;
    let kv = network.encode_prompts(&features, &prompts, no_probe)?;
    let fed = fed.flatten_all()?.to_vec1::<u32>()?;
    let mut cache = network.kv_cache(rows);
    let hidden = network.decode(&fed, rows, &mut cache, &kv, no_probe)?;
    let scores = network.scores(&hidden)?.flatten_to(D::Minus2)?;
    let loss = cross_entropy(&scores, &labels.flatten_all()?)?;

    let right = golden["loss"].as_f64().unwrap();
    let found = loss.to_scalar::<f64>()?;
    assert!(
        (found - right).abs() <= TOLERANCE,
        "{name}: {found} against {right}"
    );
    let gradients = loss.backward()?;
    let golden = golden["gradients"].as_object().unwrap();
    let variables = variables.all();
    let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
    let mut right: Vec<&str> = golden.keys().map(String::as_str).collect();
    right.sort_unstable();
    assert_eq!(
        names, right,
        "{name}: every parameter of the reference is a variable"
    );
    let mut worst = 0.0f64;
    for (key, variable) in &variables {
        let Some(gradient) = gradients.get(variable) else {
            panic!("{name}: {key} has no gradient");
        };
        let right: [f64; 3] = serde_json::from_value(golden[key].clone()).unwrap();
        for (found, right) in summary(gradient)?.into_iter().zip(right) {
            let error = (found - right).abs() / golden[key][0].as_f64().unwrap().max(1e-3);
            assert!(error <= TOLERANCE, "{name}: {key}: {found} against {right}");
            worst = worst.max(error);
        }
    }
    println!(
        "{name}: {} gradients, worst error {worst:.1e}",
        variables.len()
    );
    Ok(())
}

#[test]
fn plain() -> Result<()> {
    golden("plain")
}

#[test]
fn ragged() -> Result<()> {
    golden("ragged")
}

#[test]
fn rectangle() -> Result<()> {
    golden("rectangle")
}
