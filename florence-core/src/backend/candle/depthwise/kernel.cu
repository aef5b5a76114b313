// x + bias + conv3x3(x) of each channel: x and out (batch * height * width, channels), taps (9, channels),
// bias (channels). A block is a token, its threads are adjacent channels.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

template <typename T>
__device__ void residual(const T *x, const T *taps, const T *bias, T *out, int height, int width, int channels) {
    const int token = blockIdx.x;
    const int j = token % width, i = token / width % height;
    const long start = (long)token * channels;
    for (int channel = threadIdx.x; channel < channels; channel += blockDim.x) {
        const long at = start + channel;
        float sum = (float)x[at] + (float)bias[channel];
        for (int down = -1; down <= 1; down++) {
            for (int right = -1; right <= 1; right++) {
                if (i + down < 0 || i + down >= height || j + right < 0 || j + right >= width) continue;
                const int tap = (down + 1) * 3 + right + 1;
                const long other = at + ((long)down * width + right) * channels;
                sum += (float)x[other] * (float)taps[tap * channels + channel];
            }
        }
        out[at] = (T)sum;
    }
}

#define KERNEL(T, NAME)                                                                                              \
    extern "C" __global__ void NAME(const T *x, const T *taps, const T *bias, T *out, int height, int width,          \
                                    int channels) {                                                                  \
        residual<T>(x, taps, bias, out, height, width, channels);                                                    \
    }
KERNEL(float, depthwise_f32)
KERNEL(__half, depthwise_f16)
KERNEL(__nv_bfloat16, depthwise_bf16)
