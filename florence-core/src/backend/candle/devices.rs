//! candle's devices, each opened for one network.

use candle_core::{Device, Result, Tensor};

/// The NVIDIA GPU of this number.
pub(crate) fn cuda(number: usize) -> Result<Device> {
    // One stream for all threads: work that is handed from one to the other stays in order.
    let device = Device::new_cuda_with_stream(number)?;
    #[cfg(feature = "cuda")]
    #[allow(unsafe_code)]
    // SAFETY: events order the streams that use a tensor. What a network computes with is made, used
    // and freed on the stream of its own device; a tensor that leaves is complete (`Backend::output`
    // waits for it), and one that comes from another device, which may be another stream of the same
    // GPU, is copied while both devices are waited for (`moved`).
    unsafe {
        device.as_cuda_device()?.disable_event_tracking();
    }
    Ok(device)
}

/// A tensor on a device, copied if it is on another one.
pub(super) fn moved(x: &Tensor, device: &Device) -> Result<Tensor> {
    if x.device().same_device(device) {
        return Ok(x.clone());
    }
    x.device().synchronize()?;
    let moved = x.to_device(device)?;
    if !x.device().is_cpu() {
        device.synchronize()?;
    }
    Ok(moved)
}

/// The Apple GPU of this number.
pub(crate) fn metal(number: usize) -> Result<Device> {
    Device::new_metal(number)
}
