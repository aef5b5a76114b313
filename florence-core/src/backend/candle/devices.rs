//! candle's devices, each opened for one network.

use candle_core::{Device, Result};

/// The NVIDIA GPU of this number.
pub(crate) fn cuda(number: usize) -> Result<Device> {
    // One stream for all threads: work that is handed from one to the other stays in order.
    let device = Device::new_cuda_with_stream(number)?;
    #[cfg(feature = "cuda")]
    #[allow(unsafe_code)]
    // SAFETY: events order the streams that use a tensor, and there is one: all tensors of this device
    // are made, used and freed on its stream, and candle refuses operations between devices.
    unsafe {
        device.as_cuda_device()?.disable_event_tracking();
    }
    Ok(device)
}

/// The Apple GPU of this number.
pub(crate) fn metal(number: usize) -> Result<Device> {
    Device::new_metal(number)
}
