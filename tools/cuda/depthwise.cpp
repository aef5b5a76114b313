// Runs our CUDA kernels on the CPU, thread after thread, and compares them with the sum that they stand for. The types of 16 bits
// are f32 here: what they round to only a GPU shows.
#include <cmath>
#include <cstdio>
#include <vector>

#define __device__
#define __global__
static struct {
    int x;
} blockIdx, blockDim, threadIdx;
typedef float __half;
typedef float __nv_bfloat16;
#include "../../florence-core/src/backend/candle/depthwise/kernel.cu"

typedef std::vector<float> Values;

static Values random_values(size_t count, unsigned seed) {
    Values values(count);
    for (float &value : values) value = (float)((seed = seed * 1664525 + 1013904223) >> 8) / (1 << 23) - 1;
    return values;
}

typedef void Kernel(const float *, const float *, const float *, float *, int, int, int);

static double worst(Kernel kernel, int batch, int height, int width, int channels, int threads) {
    const size_t count = (size_t)batch * height * width * channels;
    Values x = random_values(count, 1), taps = random_values(9 * channels, 2), bias = random_values(channels, 3), out(count);
    blockDim.x = threads;
    for (blockIdx.x = 0; blockIdx.x < batch * height * width; blockIdx.x++)
        for (threadIdx.x = 0; threadIdx.x < threads; threadIdx.x++)
            kernel(x.data(), taps.data(), bias.data(), out.data(), height, width, channels);
    double error = 0;
    for (int b = 0; b < batch; b++)
        for (int i = 0; i < height; i++)
            for (int j = 0; j < width; j++)
                for (int c = 0; c < channels; c++) {
                    auto at = [&](int i, int j) { return (((size_t)b * height + i) * width + j) * channels + c; };
                    double sum = x[at(i, j)] + bias[c];
                    for (int k = 0; k < 9; k++) {
                        int y = i + k / 3 - 1, z = j + k % 3 - 1;
                        if (0 <= y && y < height && 0 <= z && z < width) sum += (double)x[at(y, z)] * taps[k * channels + c];
                    }
                    error = std::fmax(error, std::fabs(sum - out[at(i, j)]));
                }
    return error;
}

int main() {
    double error = 0;
    const int shapes[][5] = {{1, 1, 1, 1, 1}, {2, 1, 5, 3, 3}, {1, 7, 1, 4, 4}, {3, 6, 5, 2, 2}, {2, 12, 9, 300, 256}};
    for (Kernel *kernel : {depthwise_f32, depthwise_f16, depthwise_bf16})
        for (auto &s : shapes) error = std::fmax(error, worst(kernel, s[0], s[1], s[2], s[3], s[4]));
    std::printf("depthwise kernel: worst error %.1e\n", error);
    return !(error < 1e-5);
}
