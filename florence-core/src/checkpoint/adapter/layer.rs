//! The tensors that an adapter has for one module, and the changes that they make.

use std::sync::Arc;

use super::key::Half;
use super::parameters::{Found, Module, Parameters};
use super::settings::Settings;
use crate::checkpoint::changes::{Change, Delta, Form, Tensor};
use crate::{Error, Result};

/// The LoRA tensors of a module; two of them belong together.
#[derive(Debug, Default)]
pub(super) struct Layer {
    a: Option<Tensor>,
    b: Option<Tensor>,
    bias_of_b: Option<Tensor>,
    table_a: Option<Tensor>,
    table_b: Option<Tensor>,
}

impl Layer {
    /// Where one of the tensors goes.
    pub(super) fn slot(&mut self, half: Half) -> &mut Option<Tensor> {
        match half {
            Half::A => &mut self.a,
            Half::B => &mut self.b,
            Half::BiasOfB => &mut self.bias_of_b,
            Half::TableA => &mut self.table_a,
            Half::TableB => &mut self.table_b,
        }
    }

    /// The changes of parameters, by native names.
    pub(super) fn changes(
        self,
        module: &str,
        settings: &Settings,
        parameters: &Parameters,
    ) -> Result<Vec<(String, Arc<Change>)>> {
        let (file, key) = self.named();
        let refuse = |reason: String| Error::malformed(&file, reason);
        let weight = parameters.find(&format!("{module}.weight"));
        let Some(weight) = weight else {
            return Err(refuse(format!(
                "`{key}` fits no module of Florence-2{}",
                base(settings)
            )));
        };
        let kind = Module::of(&weight);
        if !settings.targets(module, kind == Module::Linear)? {
            return Err(refuse(format!(
                "`{key}` is of a module that {} does not name (`target_modules`): PEFT ignores it; \
                 remove it or name the module",
                settings.file
            )));
        }
        let rank = settings.rank(module)?;
        let scale = settings.scale(module)?;
        if !scale.is_finite() {
            return Err(refuse(format!(
                "the factor of `{key}` is {scale}, expected a finite number"
            )));
        }
        let mut changes = Vec::new();
        let other = |tensors: [&Option<Tensor>; 3]| {
            let tensor = tensors.into_iter().flatten().next();
            tensor.map_or(Ok(()), |tensor| {
                let name = &tensor.place.name_in_file;
                Err(refuse(format!(
                    "`{name}` is of another kind of module than `{module}` is"
                )))
            })
        };
        let form = match kind {
            Module::Linear | Module::Convolution => {
                other([&self.table_a, &self.table_b, &None])?;
                let (a, b) = both((self.a, "lora_A"), (self.b, "lora_B"), module, &file)?;
                let (outputs, inputs) = (weight.shape[0], &weight.shape[1..]);
                check(&a, [&[rank], inputs].concat(), &weight, settings)?;
                let ones = vec![1; inputs.len() - 1];
                check(
                    &b,
                    [&[outputs, rank], ones.as_slice()].concat(),
                    &weight,
                    settings,
                )?;
                Form::Layer { a, b }
            }
            Module::Table => {
                other([&self.a, &self.b, &self.bias_of_b])?;
                let names = ("lora_embedding_A", "lora_embedding_B");
                let (a, b) = both(
                    (self.table_a, names.0),
                    (self.table_b, names.1),
                    module,
                    &file,
                )?;
                check(&a, vec![rank, weight.shape[0]], &weight, settings)?;
                check(&b, vec![weight.shape[1], rank], &weight, settings)?;
                Form::Table { a, b }
            }
            Module::Depthwise => {
                return Err(refuse(format!(
                    "`{key}` is of a depthwise convolution, to which PEFT adds one of all channels: \
                     the sum is no depthwise convolution and cannot be merged"
                )));
            }
            Module::Positions | Module::Other => {
                return Err(refuse(format!(
                    "`{key}` is of a module that PEFT cannot adapt, expected one of a linear layer, \
                     a patch embedding or a token table"
                )));
            }
        };
        if let Some(bias) = self.bias_of_b {
            let Some(target) = parameters.find(&format!("{module}.bias")) else {
                return Err(refuse(format!(
                    "`{}` needs a bias of `{module}`, which has none",
                    bias.place.name_in_file
                )));
            };
            check(&bias, target.shape.to_vec(), &target, settings)?;
            let form = Form::Bias(bias);
            let change = Change::Add(Delta { form, scale });
            changes.push((target.name.to_owned(), Arc::new(change)));
        }
        let change = Change::Add(Delta { form, scale });
        changes.push((weight.name.to_owned(), Arc::new(change)));
        Ok(changes)
    }

    /// The file and the name of one of the tensors.
    fn named(&self) -> (String, String) {
        let all = [
            &self.a,
            &self.b,
            &self.table_a,
            &self.table_b,
            &self.bias_of_b,
        ];
        let any = all.into_iter().flatten().next();
        any.map_or_else(Default::default, |tensor| {
            (
                tensor.source.label.clone(),
                tensor.place.name_in_file.clone(),
            )
        })
    }
}

/// The two halves of a product.
fn both(
    (a, name_a): (Option<Tensor>, &str),
    (b, name_b): (Option<Tensor>, &str),
    module: &str,
    file: &str,
) -> Result<(Tensor, Tensor)> {
    let missing = match (a, b) {
        (Some(a), Some(b)) => return Ok((a, b)),
        (Some(_), None) => name_b.to_owned(),
        (None, Some(_)) => name_a.to_owned(),
        (None, None) => format!("{name_a} and {name_b}"),
    };
    Err(Error::malformed(
        file,
        format!("`{module}` lacks {missing}: an adapter has two matrices for a module"),
    ))
}

/// Checks a shape against the one that fits the network and the settings.
pub(super) fn check(
    tensor: &Tensor,
    expected: Vec<usize>,
    parameter: &Found<'_>,
    settings: &Settings,
) -> Result<()> {
    if tensor.place.entry.shape == expected {
        return Ok(());
    }
    Err(Error::AdapterShape {
        file: tensor.source.label.clone(),
        name: tensor.place.name_in_file.clone(),
        found: tensor.place.entry.shape.clone(),
        expected,
        target: format!(
            "`{}` of shape {:?} in this model{}",
            parameter.name,
            parameter.shape,
            base(settings)
        )
        .into(),
    })
}

/// The base that the settings name, for messages.
pub(super) fn base(settings: &Settings) -> String {
    const SHOWN: usize = 200;
    let name = settings.base.as_deref().unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN)
        .collect();
    match name.as_str() {
        "" => String::new(),
        name => format!("; the adapter was trained on {name}"),
    }
}
